{%- set components = health_components() -%}
with run as (
    select * from {{ ref('int_run_context') }}
),

setting as (
    {{ component_settings('health', components) }}
),

bands as (
    select
        max(case when name = 'green' then level end) as green_from,
        max(case when name = 'amber' then level end) as amber_from
    from {{ ref('int_score_settings') }}
    where setting = 'health_band'
),

-- Each measure in the units of its levels.
measures as (
    select
        snapshot.customer_key,
        snapshot.as_of,
        -- Who showed no sign of life is silent since the active period began.
        case
            when run.has_order_lines or run.has_usage or run.has_events
                then cast(coalesce(snapshot.days_since_last_activity, snapshot.days_in_period) as double)
                    / run.inactivity_days
        end as recency,
        {{ if_fed('usage', change('snapshot.usage_events_30d', 'snapshot.usage_events_prior_30d')) }} as usage_trend,
        snapshot.usage_features_30d as breadth,
        {{ if_fed('order_lines', change('snapshot.orders_90d', 'snapshot.orders_prior_90d')) }} as orders_trend,
        snapshot.failed_payments_90d as payments,
        -- An unhappy ticket counts twice.
        snapshot.tickets_open + coalesce(voice.unhappy_tickets_open, 0) as support,
        {{ satisfaction('snapshot') }} as satisfaction,
        snapshot.messages_opened_90d as engagement,
        snapshot.tenure_days as tenure,
        {{ if_fed('subscriptions', 'case when snapshot.has_given_notice then 0 else snapshot.days_to_contract_end end') }}
            as contract
    from {{ ref('int_customer_snapshots') }} as snapshot
    inner join run on run.as_of = snapshot.as_of
    left join {{ ref('int_customer_voice') }} as voice on voice.customer_id = snapshot.customer_id
    where snapshot.is_active
),

parts as (
    select
        measures.customer_key,
        measures.as_of,
        {%- for name in components %}
        {{ component(name) }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from measures
    cross join setting
),

scored as (
    select parts.*, {{ weighted_score(components) }} as health_score
    from parts
    cross join setting
)

select
    scored.customer_key,
    scored.as_of,
    scored.health_score,
    case
        when scored.health_score >= bands.green_from then 'green'
        when scored.health_score >= bands.amber_from then 'amber'
        when scored.health_score is not null then 'red'
    end as health_band,
    {%- for name in components %}
    scored.{{ name }} as health_{{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from scored
cross join bands
