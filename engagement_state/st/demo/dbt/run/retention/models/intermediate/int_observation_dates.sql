
    

    create  table
      "warehouse"."intermediate"."int_observation_dates__dbt_tmp"
  
    
    as (
      with run as (
    select
        *,
        (first_day + cast(history_days as integer)) as first_possible
    from "warehouse"."intermediate"."int_run_context"
),

days as (
    select cast(unnest(generate_series(first_possible, as_of, interval 1 day)) as date) as day from run
)

select day as as_of, false as is_current
from days
where day = last_day(day) and day < (select as_of from run)

union all

select as_of, true as is_current
from run
    );
    
  