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
        segment.clv_historic,
        voice.last_sentiment,
        voice.last_stated_cause,
        voice.negative_texts_90d,
        {{ if_fed('tickets', 'coalesce(voice.unhappy_tickets_open, 0)') }} as unhappy_tickets_open,
        {{ if_fed('tickets', 'coalesce(voice.complaints_90d, 0)') }} as complaints_90d,
        {{ if_fed('payment_attempts', 'coalesce(payments.unpaid_invoices, 0)') }} as unpaid_invoices,
        payments.days_since_first_failure,
        payments.card_expires_in_days,
        signals.abandoned_cart_on,
        signals.milestones_missing,
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
    left join {{ ref('int_lifecycle_spans') }} as lifecycle
        on lifecycle.customer_id = snapshot.customer_id
        and lifecycle.valid_to is null
    left join subscriptions on subscriptions.customer_id = snapshot.customer_id
    left join {{ ref('customer_segments') }} as segment on segment.customer_key = snapshot.customer_key
    left join {{ ref('customer_health') }} as health on health.customer_key = snapshot.customer_key
    left join {{ ref('winback_scores') }} as winback on winback.customer_key = snapshot.customer_key
    left join {{ ref('int_customer_voice') }} as voice on voice.customer_id = snapshot.customer_id
    left join {{ ref('int_customer_payments') }} as payments on payments.customer_id = snapshot.customer_id
    left join {{ ref('int_customer_signals') }} as signals on signals.customer_id = snapshot.customer_id
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
    clv_historic,
    last_sentiment,
    last_stated_cause,
    negative_texts_90d,
    unhappy_tickets_open,
    complaints_90d,
    unpaid_invoices,
    days_since_first_failure,
    card_expires_in_days,
    abandoned_cart_on,
    milestones_missing,
    {%- for name in feature_columns() %}
    {%- if name == 'period_number' %}
    last_period_number as period_number{{ ',' if not loop.last }}
    {%- else %}
    {{ name }}{{ ',' if not loop.last }}
    {%- endif %}
    {%- endfor %}
from described
