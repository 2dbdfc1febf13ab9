{#- Days, months, customers and segments agree to the cent: one row per figure that does not. Unknown figures are left out. -#}
{% test mrr_reconciles(model) %}
with facts as (
    select
        day
        {%- for movement in ['new', 'expansion', 'contraction', 'churned', 'reactivation', 'paused', 'resumed'] %},
        sum(case when movement = '{{ movement }}' then amount else 0 end) as {{ movement }}
        {%- endfor %}
    from {{ ref('fct_mrr_movements') }}
    group by day
),

months as (
    select *, lag(mrr_closing) over (order by month_start) as previous_closing
    from {{ model }}
),

segments as (
    select
        month_start,
        dimension,
        sum(mrr_opening) as opening,
        sum(mrr_closing) as closing,
        sum(mrr_fx) as fx,
        sum(mrr_churned + mrr_contraction) as lost,
        sum(mrr_new + mrr_expansion + mrr_reactivation) as won,
        sum(paying_customers_opening) as customers_opening,
        sum(paying_customers) as customers_closing,
        sum(net_revenue_retention_numerator) as retained,
        sum(gross_revenue_retention_numerator) as kept
    from {{ ref('mrr_monthly_segments') }}
    group by month_start, dimension
)

select 'a day opens as the day before closed' as figure
from {{ ref('mrr_daily') }} as day
left join {{ ref('mrr_daily') }} as before on before.day = {{ add_days('day.day', -1) }}
where day.mrr_opening <> coalesce(before.mrr_closing, case when before.day is null then 0 end)

union all

select 'a month opens as the month before closed' from months where mrr_opening <> coalesce(previous_closing, 0)

union all

select 'the movements of customers are those of the day'
from facts
full join {{ ref('mrr_daily') }} as day on day.day = facts.day
where {% for movement in ['new', 'expansion', 'contraction', 'churned', 'reactivation', 'paused', 'resumed'] -%}
    {{ 'or ' if not loop.first }}coalesce(facts.{{ movement }}, 0) <> day.mrr_{{ movement }} {% endfor %}

union all

select 'plans and countries add up to the month'
from months
left join segments on segments.month_start = months.month_start
where (segments.month_start is null and (months.mrr_opening <> 0 or months.mrr_closing <> 0))
    or segments.opening <> months.mrr_opening
    or segments.closing <> months.mrr_closing
    or segments.fx <> months.mrr_fx
    or segments.lost <> months.mrr_churned + months.mrr_contraction
    or segments.won <> months.mrr_new + months.mrr_expansion + months.mrr_reactivation
    or segments.customers_opening <> months.paying_customers_opening
    or segments.customers_closing <> months.paying_customers
    or segments.retained <> months.net_revenue_retention_numerator
    or segments.kept <> months.gross_revenue_retention_numerator
{% endtest %}
