-- Every change is valued at the rate of its day; what the rate itself changes is no change here but the line `fx`.
with run as (
    select * from {{ ref('int_run_context') }}
),

sides as (
    select span.*, span.valid_from as day, true as is_after
    from {{ ref('int_mrr_spans') }} as span
    where span.state in ('paid', 'paused')

    union all

    select span.*, span.valid_to as day, false as is_after
    from {{ ref('int_mrr_spans') }} as span
    where span.state in ('paid', 'paused') and span.valid_to is not null
),

valued as (
    select
        sides.customer_id,
        sides.subscription_id,
        sides.day,
        sides.is_after,
        sides.state,
        sides.plan,
        sides.interval_price > sides.interval_discount as has_price,
        {{ mrr_of('sides', rate_of('sides', 'fx')) }} as mrr
    from sides
    cross join run
    left join {{ ref('int_fx_rates') }} as fx on fx.currency = sides.currency and fx.day = sides.day
),

-- A subscription just before and from the day on; one without a price pays nothing and pauses nothing.
subscriptions as (
    select
        customer_id,
        subscription_id,
        day,
        {%- for side, condition in {'before': 'not is_after', 'after': 'is_after'}.items() %}
        coalesce(bool_or(state = 'paid' and has_price) filter (where {{ condition }}), false) as is_paid_{{ side }},
        coalesce(bool_or(state = 'paused' and has_price) filter (where {{ condition }}), false) as is_paused_{{ side }},
        max(mrr) filter (where {{ condition }}) as mrr_{{ side }},
        max(plan) filter (where {{ condition }}) as plan_{{ side }},
        {%- endfor %}
        bool_or(is_after) as is_open_after
    from valued
    group by customer_id, subscription_id, day
),

amounts as (
    select
        subscription.*,
        case when is_paid_before then mrr_before else 0 end as paid_before,
        case when is_paid_after then mrr_after else 0 end as paid_after,
        is_paid_before and is_paused_after as is_pausing,
        is_paused_before and is_paid_after as is_resuming,
        case when not subscription.is_open_after then period.end_kind end as end_kind
    from subscriptions as subscription
    inner join {{ ref('int_subscription_periods') }} as period
        on period.subscription_id = subscription.subscription_id
),

customers as (
    select
        customer_id,
        day,
        {{ known_sum('case when is_pausing then paid_before else 0 end') }} as pausing,
        {{ known_sum('case when is_resuming then paid_after else 0 end') }} as resuming,
        {{ known_sum('case when is_pausing or is_resuming then 0 else paid_after - paid_before end') }} as other,
        {{ known_sum('case when is_paused_before and not is_open_after then mrr_before else 0 end') }} as ending_in_pause,
        sum(case when is_paid_after then 1 else 0 end - case when is_paid_before then 1 else 0 end) as paid_change,
        sum(case when is_paused_after then 1 else 0 end - case when is_paused_before then 1 else 0 end) as paused_change,
        max_by(
            coalesce(plan_after, plan_before), (coalesce(paid_after, 0), coalesce(paid_before, 0), subscription_id)
        ) as plan,
        -- Of several that end on one day, a cancellation says most about the customer.
        max_by(
            end_kind, (case end_kind when 'cancelled' then 3 when 'involuntary' then 2 when 'term_end' then 1 else 0 end)
        ) filter (where end_kind is not null) as end_kind
    from amounts
    group by customer_id, day
),

counted as (
    select
        *,
        sum(paid_change) over by_day as paid_subscriptions,
        sum(paused_change) over by_day as paused_subscriptions
    from customers
    window by_day as (partition by customer_id order by day rows unbounded preceding)
),

standings as (
    select
        *,
        case
            when paid_subscriptions - paid_change > 0 then 'paid'
            when paused_subscriptions - paused_change > 0 then 'paused'
            else 'none'
        end as standing_before,
        case when paid_subscriptions > 0 then 'paid' when paused_subscriptions > 0 then 'paused' else 'none' end
            as standing_after,
        min(case when paid_subscriptions > 0 then day end) over (partition by customer_id) as first_paid_on
    from counted
),

-- Which line takes what is neither the pause nor the resumption of a subscription.
kinds as (
    select
        *,
        case
            when standing_before = 'paid' and standing_after = 'none' then 'churned'
            when standing_before = 'paid' then 'change'
            when day = first_paid_on then 'new'
            when standing_before = 'paused' then 'resumed'
            when day > first_paid_on then 'reactivation'
        end as kind
    from standings
)

select
    customer_id,
    day,
    standing_before,
    standing_after,
    plan,
    case when standing_after = 'none' then end_kind end as end_kind,
    cast(paid_change as integer) as subscriptions_change,
    cast(case when kind = 'new' then resuming + other else 0 end as decimal(18, 4)) as new,
    cast(case when kind = 'change' and other is null then null when kind = 'change' and other > 0 then other else 0 end
        as decimal(18, 4)) as expansion,
    cast(case when kind = 'change' and other is null then null when kind = 'change' and other < 0 then -other else 0 end
        as decimal(18, 4)) as contraction,
    cast(case when kind = 'churned' then -other else 0 end as decimal(18, 4)) as churned,
    cast(case when kind = 'reactivation' then other else 0 end as decimal(18, 4)) as reactivation,
    cast(pausing as decimal(18, 4)) as paused,
    cast(
        case when kind = 'new' then 0 when kind = 'resumed' then resuming + other else resuming end as decimal(18, 4)
    ) as resumed,
    cast(
        case when standing_before = 'paused' and standing_after = 'none' then ending_in_pause else 0 end
        as decimal(18, 4)
    ) as churned_in_pause
from kinds
