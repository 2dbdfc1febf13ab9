with run as (
    select
        *,
        {{ add_days('first_day', 'history_days') }} as first_possible
    from {{ ref('int_run_context') }}
),

days as (
    {{ day_spine('first_possible', 'as_of', 'run') }}
)

select day as as_of, false as is_current
from days
where day = {{ month_end('day') }} and day < (select as_of from run)

union all

select as_of, true as is_current
from run
