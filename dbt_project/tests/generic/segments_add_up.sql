{#- Over the segments of each dimension the customers add up to those of the month; one row per month that does not. -#}
{% test segments_add_up(model) %}
{%- set counts = [
    'customers_opening', 'customers_new', 'customers_reactivated', 'customers_lost', 'customers_completed',
    'customers_closing', 'customers_retained', 'customers_joined', 'customers_joined_and_left',
    'customers_churned_of_opening', 'customers_completed_of_opening', 'voluntary_churn_rate_numerator',
    'involuntary_churn_rate_numerator', 'unknown_churn_rate_numerator'
] %}
with dimensions as (
    select dimension, min(month_start) as first_month from {{ model }} group by dimension
),

sums as (
    select
        dimension,
        month_start
        {%- for count in counts %},
        sum({{ count }}) as {{ count }}
        {%- endfor %}
    from {{ model }}
    group by dimension, month_start
)

select dimensions.dimension, months.month_start
from dimensions
inner join {{ ref('kpi_monthly') }} as months on months.month_start >= dimensions.first_month
left join sums on sums.dimension = dimensions.dimension and sums.month_start = months.month_start
where {% for count in counts %}{{ 'or ' if not loop.first }}sums.{{ count }} is distinct from months.{{ count }}
    {% endfor %}
{% endtest %}
