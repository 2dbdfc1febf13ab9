{%- set flows = [
    'new', 'expansion', 'contraction', 'churned', 'reactivation', 'paused', 'resumed', 'fx', 'mrr_churned_voluntary',
    'mrr_churned_involuntary', 'mrr_churned_in_pause'
] -%}
{%- set stocks = [
    'closing', 'arr', 'scheduled_to_cancel_mrr', 'paused_mrr', 'customers_paying', 'customers_paused', 'subscriptions'
] -%}
with days as (
    select *, {{ month_start('day') }} as month_start, {{ month_end('day') }} as month_end
    from {{ ref('mrr_daily') }}
),

months as (
    select
        month_start,
        max(day) = month_end as is_complete,
        {%- for flow in flows %}
        {{ known_sum(flow) }} as {{ flow }},
        {%- endfor %}
        max(case when is_first then opening end) as opening,
        {%- for stock in stocks %}
        max(case when is_last then {{ stock }} end) as {{ stock }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select
            *,
            day = min(day) over (partition by month_start) as is_first,
            day = max(day) over (partition by month_start) as is_last
        from days
    ) as days
    group by month_start, month_end
),

-- Trials and pauses by the day on which they ended, with what came next.
ends as (
    select
        {{ month_start('valid_to') }} as month_start,
        state,
        coalesce(next_from = valid_to, false) as goes_on
    from (
        select
            valid_to,
            state,
            lead(state) over by_day as next_state,
            lead(valid_from) over by_day as next_from
        from {{ ref('int_mrr_spans') }}
        window by_day as (partition by subscription_id order by valid_from)
    ) as spans
    where state in ('trial', 'paused')
        and valid_to is not null
        and not coalesce(next_from = valid_to and next_state = state, false)
),

outcomes as (
    select
        month_start,
        count(*) filter (where state = 'trial') as trials_ended,
        count(*) filter (where state = 'trial' and goes_on) as trials_converted,
        count(*) filter (where state = 'paused') as pauses_ended,
        count(*) filter (where state = 'paused' and goes_on) as pauses_resumed
    from ends
    group by month_start
),

figures as (
    select
        months.*,
        {%- for count in ['trials_ended', 'trials_converted', 'pauses_ended', 'pauses_resumed'] %}
        coalesce(outcomes.{{ count }}, 0) as {{ count }},
        {%- endfor %}
        coalesce(customers.customers_opening, 0) as customers_opening,
        case when customers.month_start is null then 0 else customers.retained end as retained,
        case when customers.month_start is null then 0 else customers.kept end as kept,
        {%- for rate in [
            'gross_revenue_churn_rate', 'net_mrr_churn_rate', 'net_revenue_retention', 'gross_revenue_retention',
            'quick_ratio', 'arpa'
        ] %}
        customers.{{ rate }}_low,
        customers.{{ rate }}_high{{ ',' if not loop.last }}
        {%- endfor %}
    from months
    left join {{ ref('int_mrr_months') }} as customers
        on customers.month_start = months.month_start and customers.dimension = 'all'
    left join outcomes on outcomes.month_start = months.month_start
)

select
    month_start,
    is_complete,
    cast(opening as decimal(18, 4)) as opening,
    {%- for flow in flows[:8] %}
    cast({{ flow }} as decimal(18, 4)) as {{ flow }},
    {%- endfor %}
    closing,
    arr,
    scheduled_to_cancel_mrr,
    paused_mrr,
    {%- for flow in flows[8:] %}
    cast({{ flow }} as decimal(18, 4)) as {{ flow }},
    {%- endfor %}
    customers_opening,
    customers_paying,
    customers_paused,
    subscriptions,
    {{ money_rate_columns('gross_revenue_churn_rate', 'cast(churned + contraction as decimal(18, 4))', 'opening') }},
    {{ money_rate_columns(
        'net_mrr_churn_rate', 'cast(churned + contraction - expansion - reactivation as decimal(18, 4))', 'opening'
    ) }},
    {{ money_rate_columns('net_revenue_retention', 'cast(retained as decimal(18, 4))', 'opening') }},
    {{ money_rate_columns('gross_revenue_retention', 'cast(kept as decimal(18, 4))', 'opening') }},
    {{ money_rate_columns(
        'quick_ratio', 'cast(new + expansion + reactivation as decimal(18, 4))',
        'cast(churned + contraction as decimal(18, 4))'
    ) }},
    {{ money_rate_columns('arpa', 'closing', 'customers_paying') }},
    {{ rate_columns('trial_conversion_rate', 'trials_converted', 'trials_ended') }},
    {{ rate_columns('resume_rate', 'pauses_resumed', 'pauses_ended') }}
from figures
