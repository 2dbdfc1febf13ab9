with months as (
    select month_start, month_end, max(day) as last_day, min(min(day)) over () as first_day
    from {{ ref('int_calendar') }}
    group by month_start, month_end
),

-- Only who changes within a month is looked at; all others stay where they stood.
changed as (
    select
        span.customer_id,
        {{ month_start('greatest(span.valid_from, months.first_day)') }} as month_start,
        min_by(coalesce(span.previous_state, 'none'), span.span_number) as from_state,
        max_by(span.state, span.span_number) as to_state
    from {{ ref('int_lifecycle_spans') }} as span
    cross join (select min(first_day) as first_day from months) as months
    group by 1, 2
),

moved as (
    select month_start, from_state, to_state, count(*) as customers
    from changed
    group by month_start, from_state, to_state
),

nets as (
    select month_start, state, sum(gains) as gains, sum(losses) as losses
    from (
        select month_start, to_state as state, customers as gains, 0 as losses from moved
        union all
        select month_start, from_state, 0, customers from moved where from_state <> 'none'
    )
    group by month_start, state
),

stocks as (
    select
        months.month_start,
        states.state,
        coalesce(sum(nets.gains - nets.losses) over (
            partition by states.state order by months.month_start rows between unbounded preceding and 1 preceding
        ), 0) as customers,
        coalesce(nets.losses, 0) as losses
    from months
    cross join (select state from nets group by state) as states
    left join nets on nets.month_start = months.month_start and nets.state = states.state
),

flows as (
    select month_start, from_state, to_state, sum(customers) as customers
    from (
        select month_start, from_state, to_state, customers from moved
        union all
        select month_start, state, state, customers - losses from stocks
    )
    group by month_start, from_state, to_state
),

counted as (
    select
        flows.month_start,
        flows.from_state,
        flows.to_state,
        cast(flows.customers as bigint) as customers,
        cast(stocks.customers as bigint) as customers_at_start
    from flows
    left join stocks on stocks.month_start = flows.month_start and stocks.state = flows.from_state
    where flows.customers > 0
)

select
    counted.month_start,
    months.last_day = months.month_end as is_complete,
    counted.from_state,
    counted.to_state,
    counted.customers as customers_moved,
    {{ rate_columns('transition_rate', 'case when counted.customers_at_start is not null then counted.customers end', 'counted.customers_at_start') }}
from counted
inner join months on months.month_start = counted.month_start
