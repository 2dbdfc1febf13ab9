with run as (
    select * from {{ ref('int_run_context') }}
),

snapshot as (
    select snapshot.*
    from {{ ref('int_customer_snapshots') }} as snapshot
    inner join run on run.as_of = snapshot.as_of
),

last_period as (
    select *
    from {{ ref('int_active_periods') }}
    qualify row_number() over (partition by customer_id order by period_number desc) = 1
),

subscriptions as (
    select
        period.customer_id,
        {{ sorted_list('period.plan') }} filter (
            where {{ is_open('period', 'run.as_of') }} and period.active_from <= run.as_of
        ) as plans,
        min(period.started_on) filter (
            where period.started_on > run.as_of and not period.is_never_active
        ) as next_start_on
    from {{ ref('int_subscription_periods') }} as period
    cross join run
    group by period.customer_id
),

last_loss as (
    select customer_key, period_number, mrr_lost
    from {{ ref('fct_churn_events') }}
    where period_number is not null
),

-- Of the year that ended with the last sign of life: what the customer was worth before silence.
before_loss as (
    select day.customer_id, sum(day.revenue) as revenue
    from {{ ref('int_daily_activity') }} as day
    inner join snapshot on snapshot.customer_id = day.customer_id
    left join last_period on last_period.customer_id = day.customer_id
    where {{ in_last('day.day', 'coalesce(snapshot.last_activity_on, last_period.last_active_on)', 365) }}
    group by day.customer_id
),

-- Equal values get equal scores: the score tells in which fifth the first of them stands.
rfm as (
    select
        customer_id,
        {{ quintile('days_since_last_order desc') }} as rfm_recency,
        {{ quintile('orders_total') }} as rfm_frequency,
        {{ quintile('revenue_total') }} as rfm_monetary
    from snapshot
    where orders_total > 0
),

rfm_scores as (
    select
        *,
        {{ int_div('rfm_frequency + rfm_monetary + 1', 2) }} as value_score
    from rfm
),

described as (
    select
        snapshot.*,
        customer.country,
        customer.region,
        customer.language,
        customer.acquisition_channel,
        customer.preferred_channel,
        last_period.period_number as last_period_number,
        last_period.started_on as last_started_on,
        coalesce(snapshot.last_activity_on, last_period.last_active_on) as last_active_on,
        last_period.ended_on,
        last_period.end_kind,
        subscriptions.plans,
        subscriptions.next_start_on,
        lifecycle.state as lifecycle_stage,
        rfm.rfm_recency,
        rfm.rfm_frequency,
        rfm.rfm_monetary,
        rfm.value_score,
        before_loss.revenue as revenue_before_loss,
        last_loss.mrr_lost as monthly_price_before_loss,
        snapshot.is_active and coalesce(
            (run.kind in ('transactional', 'hybrid') and 2 * snapshot.days_since_last_activity > run.inactivity_days)
            or (run.kind in ('subscription', 'hybrid') and snapshot.usage_change_30d <= -0.2),
            false
        ) as is_at_risk,
        run.gross_margin,
        run.has_order_lines
    from snapshot
    cross join run
    inner join {{ ref('int_customers') }} as customer on customer.customer_id = snapshot.customer_id
    left join last_period on last_period.customer_id = snapshot.customer_id
    left join {{ ref('int_lifecycle_spans') }} as lifecycle
        on lifecycle.customer_id = snapshot.customer_id
        and lifecycle.valid_to is null
    left join subscriptions on subscriptions.customer_id = snapshot.customer_id
    left join rfm_scores as rfm on rfm.customer_id = snapshot.customer_id
    left join before_loss on before_loss.customer_id = snapshot.customer_id
    left join last_loss
        on last_loss.customer_key = snapshot.customer_key
        and last_loss.period_number = last_period.period_number
)

select
    customer_key,
    as_of,
    lifecycle_stage,
    is_active,
    is_at_risk,
    has_given_notice,
    period_started_on as active_since,
    last_active_on,
    ended_on,
    end_kind,
    {{ days_between('ended_on', 'as_of') }} as days_since_end,
    first_order_on,
    last_order_on,
    next_start_on,
    subscription_started_on as started_on,
    country,
    region,
    language,
    acquisition_channel,
    preferred_channel,
    plans,
    cast(rfm_recency as integer) as rfm_recency,
    cast(rfm_frequency as integer) as rfm_frequency,
    cast(rfm_monetary as integer) as rfm_monetary,
    -- Names after the recency and the mean of frequency and money, rounded up.
    case
        when rfm_recency is null then null
        when rfm_recency >= 4 and value_score >= 4 then 'champions'
        when rfm_recency >= 3 and value_score >= 4 then 'loyal'
        when rfm_recency >= 4 and value_score >= 2 then 'potential_loyalists'
        when rfm_recency >= 4 then 'new_customers'
        when rfm_recency = 3 and value_score = 3 then 'need_attention'
        when rfm_recency = 3 then 'about_to_sleep'
        when rfm_recency = 1 and value_score = 5 then 'cannot_lose'
        when value_score >= 3 then 'slipping_away'
        when rfm_recency = 2 then 'hibernating'
        else 'lost'
    end as rfm_segment,
    cast(round(gross_margin * revenue_365d, 2) as decimal(18, 2)) as margin_365d,
    case
        when has_order_lines
            then cast(round(gross_margin * coalesce(revenue_before_loss, 0), 2) as decimal(18, 2))
    end as margin_before_loss_365d,
    monthly_price_before_loss,
    {%- for name in feature_columns() %}
    {%- if name == 'period_number' %}
    last_period_number as period_number{{ ',' if not loop.last }}
    {%- else %}
    {{ name }}{{ ',' if not loop.last }}
    {%- endif %}
    {%- endfor %}
from described
