with first_day as (
    select min(day) as first_day from {{ ref('int_calendar') }}
),

-- Who was known before the first day stands on it.
steps as (
    select span.state, greatest(span.valid_from, first_day.first_day) as day, 1 as entered, 0 as gone
    from {{ ref('int_lifecycle_spans') }} as span
    cross join first_day
    where span.valid_to is null or span.valid_to > first_day.first_day

    union all

    select span.state, greatest(span.valid_to, first_day.first_day), 0, 1
    from {{ ref('int_lifecycle_spans') }} as span
    cross join first_day
    where span.valid_to > first_day.first_day
),

changes as (
    select day, state, sum(entered) as entered, sum(gone) as gone
    from steps
    group by day, state
),

-- From the day on which somebody first comes into it, a state has a row each day.
cells as (
    select calendar.day, states.state
    from (select state, min(day) as first_day from changes group by state) as states
    inner join {{ ref('int_calendar') }} as calendar on calendar.day >= states.first_day
)

select
    cells.day,
    cells.state,
    cast(sum(coalesce(changes.entered, 0) - coalesce(changes.gone, 0)) over (
        partition by cells.state order by cells.day rows unbounded preceding
    ) as bigint) as customers_in_state,
    cast(coalesce(changes.entered, 0) as bigint) as customers_entered,
    cast(coalesce(changes.gone, 0) as bigint) as customers_left
from cells
left join changes on changes.day = cells.day and changes.state = cells.state
