{%- set movements = ['new', 'expansion', 'contraction', 'churned', 'reactivation', 'paused', 'resumed'] -%}
with lines as (
    {%- for movement in movements %}
    {{ 'union all' if not loop.first }}
    select customer_id, day, '{{ movement }}' as movement, {{ movement }} as amount, plan, end_kind
    from {{ ref('int_mrr_changes') }}
    where {{ movement }} is null or {{ movement }} <> 0
    {%- endfor %}
)

select
    lines.day,
    customer.customer_key,
    lines.movement,
    lines.amount,
    lines.plan,
    customer.country,
    case when lines.movement = 'churned' then lines.end_kind end as end_kind,
    case when lines.movement = 'churned' then coalesce(lines.end_kind = 'involuntary', false) end as is_involuntary
from lines
inner join {{ ref('int_customers') }} as customer on customer.customer_id = lines.customer_id
