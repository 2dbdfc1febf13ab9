{%- set flows = [
    'mrr_new', 'mrr_expansion', 'mrr_contraction', 'mrr_churned', 'mrr_reactivation', 'mrr_paused', 'mrr_resumed',
    'mrr_fx', 'mrr_churned_voluntary', 'mrr_churned_involuntary', 'mrr_churned_in_pause'
] -%}
{%- set stocks = [
    'mrr_closing', 'arr', 'mrr_scheduled_to_cancel', 'mrr_on_pause', 'paying_customers', 'paused_customers',
    'paying_subscriptions'
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
        max(case when is_first then mrr_opening end) as mrr_opening,
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

-- By the day on which a trial or a pause ended, with what came next.
trials as (
    select
        {{ month_start('valid_to') }} as month_start,
        count(*) as trials_ended,
        count(*) filter (where next_from = valid_to) as trials_converted
    from (
        select
            valid_to,
            state,
            lead(state) over by_day as next_state,
            lead(valid_from) over by_day as next_from
        from {{ ref('int_mrr_spans') }}
        window by_day as (partition by subscription_id order by valid_from)
    ) as spans
    where state = 'trial' and valid_to is not null and not coalesce(next_from = valid_to and next_state = 'trial', false)
    group by 1
),

pauses as (
    select
        {{ month_start('resumed_on') }} as month_start,
        count(*) as pauses_ended,
        count(*) filter (where outcome = 'resumed') as pauses_resumed
    from {{ ref('int_pauses') }}
    where resumed_on is not null
    group by 1
),

figures as (
    select
        months.*,
        {%- for count in ['trials_ended', 'trials_converted', 'pauses_ended', 'pauses_resumed'] %}
        coalesce({{ count.split('_')[0] }}.{{ count }}, 0) as {{ count }},
        {%- endfor %}
        coalesce(customers.customers_opening, 0) as paying_customers_opening,
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
    left join trials on trials.month_start = months.month_start
    left join pauses on pauses.month_start = months.month_start
)

select
    month_start,
    is_complete,
    cast(mrr_opening as decimal(18, 4)) as mrr_opening,
    {%- for flow in flows[:8] %}
    cast({{ flow }} as decimal(18, 4)) as {{ flow }},
    {%- endfor %}
    mrr_closing,
    arr,
    mrr_scheduled_to_cancel,
    mrr_on_pause,
    {%- for flow in flows[8:] %}
    cast({{ flow }} as decimal(18, 4)) as {{ flow }},
    {%- endfor %}
    paying_customers_opening,
    paying_customers,
    paused_customers,
    paying_subscriptions,
    {{ revenue_rates('paying_customers') }},
    {{ rate_columns('trial_conversion_rate', 'trials_converted', 'trials_ended') }},
    {{ rate_columns('resume_rate', 'pauses_resumed', 'pauses_ended') }}
from figures
