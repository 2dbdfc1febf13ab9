{%- set dimensions = ['lifecycle_stage', 'rfm_segment', 'value_tier', 'loyalty_tier', 'health_band'] -%}
with customers as (
    select * from {{ ref('customer_360') }}
),

memberships as (
    select 'all' as dimension, 'all' as segment, * from customers
    {%- for dimension in dimensions %}

    union all

    select '{{ dimension }}', {{ dimension }}, * from customers where {{ dimension }} is not null
    {%- endfor %}
)

select
    dimension,
    segment,
    as_of,
    count(*) as customers,
    count(*) filter (where is_active) as customers_active,
    sum(revenue_365d) as revenue_365d,
    sum(margin_365d) as margin_365d,
    sum(monthly_price) as mrr,
    count(health_score) as customers_with_health_score,
    {{ ratio('sum(health_score)', 'count(health_score)', 2) }} as average_health_score
from memberships
group by dimension, segment, as_of
