{#- Who flows out of the states of a month start, and into those of its end, is who stands there. -#}
{% test flows_are_stocks(model) %}
with stocks as (
    select day, state, customers_in_state as customers
    from {{ ref('lifecycle_daily') }}
    where customers_in_state > 0
),

months as (
    select month_start, max(day) as last_day
    from {{ ref('int_calendar') }}
    group by month_start
),

expected as (
    select months.month_start, 'from' as side, stocks.state, stocks.customers
    from months
    inner join stocks on stocks.day = {{ add_days('months.month_start', -1) }}

    union all

    select months.month_start, 'to', stocks.state, stocks.customers
    from months
    inner join stocks on stocks.day = months.last_day
),

found as (
    select month_start, 'from' as side, from_state as state, sum(customers_moved) as customers
    from {{ model }}
    where from_state <> 'none'
    group by month_start, from_state

    union all

    select month_start, 'to', to_state, sum(customers_moved)
    from {{ model }}
    group by month_start, to_state
)

select count(*) as broken
from expected
full join found
    on found.month_start = expected.month_start
    and found.side = expected.side
    and found.state = expected.state
where expected.customers is distinct from found.customers
having count(*) > 0
{% endtest %}
