-- From the first day of the business, or the first one in the data where that is earlier, to the as-of day.
with bounds as (
    select
        least(
            run.first_day,
            (select min(day) from {{ ref('int_daily_activity') }}),
            (select min(ordered_on) from {{ ref('int_orders') }}),
            (select min(started_on) from {{ ref('int_active_periods') }})
        ) as first_day,
        run.as_of as last_day,
        run.week_starts_on
    from {{ ref('int_run_context') }} as run
),

days as (
    {{ day_spine('first_day', 'last_day', 'bounds') }}
)

select
    day,
    {{ month_start('day') }} as month_start,
    {{ month_end('day') }} as month_end,
    {{ week_start('day', 'bounds.week_starts_on') }} as week_start
from days
cross join bounds
