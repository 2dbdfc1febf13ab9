{#- The states of a day add up to everybody known by then, and the active ones to the customers active. -#}
{% test lifecycle_reconciles(model) %}
with stocks as (
    select
        day,
        sum(customers_in_state) as customers,
        sum(customers_in_state) filter (
            where state in ('new', 'reactivated', 'active', 'at_risk', 'dormant', 'paused')
        ) as active,
        coalesce(sum(customers_in_state) filter (where state = 'paused'), 0) as paused
    from {{ model }}
    group by day
),

first_day as (
    select min(day) as first_day from stocks
),

known as (
    select
        day,
        sum(joined) over (order by day rows unbounded preceding) as customers
    from (
        select stocks.day, coalesce(joins.joined, 0) as joined
        from stocks
        left join (
            select greatest(customer.first_seen_on, first_day.first_day) as day, count(*) as joined
            from {{ ref('int_customers') }} as customer
            cross join first_day
            group by 1
        ) as joins on joins.day = stocks.day
    )
)

select 'every customer is in one state' as figure
from stocks
inner join known on known.day = stocks.day
where stocks.customers <> known.customers

union all

select 'the active states are the customers active'
from stocks
inner join {{ ref('kpi_daily') }} as kpi on kpi.day = stocks.day
where stocks.active <> kpi.customers_active
{% endtest %}
