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
        ) as next_start_on,
        bool_or(
            period.started_on <= run.as_of and period.active_from > run.as_of and not period.is_never_active
        ) as is_on_trial,
        bool_or(period.end_kind = 'cancelled_before_start') as has_cancelled_before_start,
        bool_or(period.end_kind = 'trial_not_converted') as has_left_trial
    from {{ ref('int_subscription_periods') }} as period
    cross join run
    group by period.customer_id
),

last_loss as (
    select customer_key, period_number, mrr_lost
    from {{ ref('fct_churn_events') }}
    where period_number is not null
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
        last_period.is_churn,
        subscriptions.plans,
        subscriptions.next_start_on,
        coalesce(subscriptions.is_on_trial, false) as is_on_trial,
        coalesce(subscriptions.has_cancelled_before_start, false) as has_cancelled_before_start,
        coalesce(subscriptions.has_left_trial, false) as has_left_trial,
        segment.rfm_recency,
        segment.rfm_frequency,
        segment.rfm_monetary,
        segment.rfm_segment,
        segment.value_tier,
        segment.loyalty_tier,
        segment.loyalty_points_expiring_30d,
        segment.margin_before_loss_365d,
        health.health_score,
        health.health_band,
        winback.winback_score,
        last_loss.mrr_lost as monthly_price_before_loss,
        snapshot.is_active and coalesce(
            (run.kind in ('transactional', 'hybrid') and 2 * snapshot.days_since_last_activity > run.inactivity_days)
            or (run.kind in ('subscription', 'hybrid') and snapshot.usage_change_30d <= -0.2),
            false
        ) as is_at_risk,
        run.gross_margin
    from snapshot
    cross join run
    inner join {{ ref('int_customers') }} as customer on customer.customer_id = snapshot.customer_id
    left join last_period on last_period.customer_id = snapshot.customer_id
    left join subscriptions on subscriptions.customer_id = snapshot.customer_id
    left join {{ ref('customer_segments') }} as segment on segment.customer_key = snapshot.customer_key
    left join {{ ref('customer_health') }} as health on health.customer_key = snapshot.customer_key
    left join {{ ref('winback_scores') }} as winback on winback.customer_key = snapshot.customer_key
    left join last_loss
        on last_loss.customer_key = snapshot.customer_key
        and last_loss.period_number = last_period.period_number
)

select
    customer_key,
    as_of,
    case
        when is_active and days_in_period < 30 and last_period_number > 1 then 'reactivated'
        when is_active and days_in_period < 30 then 'new'
        when is_at_risk then 'at_risk'
        when is_active then 'active'
        when is_on_trial then 'trial'
        when next_start_on is not null then 'pending'
        when last_period_number is not null and not is_churn then 'completed'
        when last_period_number is not null then 'churned'
        when has_left_trial then 'trial_not_converted'
        when has_cancelled_before_start then 'cancelled_before_start'
        else 'prospect'
    end as lifecycle_stage,
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
    rfm_recency,
    rfm_frequency,
    rfm_monetary,
    rfm_segment,
    value_tier,
    loyalty_tier,
    loyalty_points_expiring_30d,
    health_score,
    health_band,
    winback_score,
    cast(round(gross_margin * revenue_365d, 2) as decimal(18, 2)) as margin_365d,
    margin_before_loss_365d,
    monthly_price_before_loss,
    {%- for name in feature_columns() %}
    {%- if name == 'period_number' %}
    last_period_number as period_number{{ ',' if not loop.last }}
    {%- else %}
    {{ name }}{{ ',' if not loop.last }}
    {%- endif %}
    {%- endfor %}
from described
