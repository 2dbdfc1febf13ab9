
    

    create  table
      "warehouse"."intermediate"."int_calendar__dbt_tmp"
  
    
    as (
      -- From the first day of the business, or the first one in the data where that is earlier, to the as-of day.
with bounds as (
    select
        least(
            run.first_day,
            (select min(day) from "warehouse"."intermediate"."int_daily_activity"),
            (select min(ordered_on) from "warehouse"."intermediate"."int_orders"),
            (select min(started_on) from "warehouse"."intermediate"."int_active_periods")
        ) as first_day,
        run.as_of as last_day
    from "warehouse"."intermediate"."int_run_context" as run
),

days as (
    select cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as day from bounds
)

select
    day,
    cast(date_trunc('month', day) as date) as month_start,
    last_day(day) as month_end
from days
    );
    
  