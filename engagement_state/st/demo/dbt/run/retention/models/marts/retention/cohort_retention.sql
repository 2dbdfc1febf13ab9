
    
      
    

    create  table
      "warehouse"."marts"."cohort_retention__dbt_tmp"
  
  (
    cohort_month date not null,
    age_months integer not null,
    cohort_size bigint,
    retained bigint,
    retention_rate double,
    retention_rate_low double,
    retention_rate_high double,
    customers_with_activity bigint,
    activity_rate double,
    revenue decimal(18,4)
    
    )
 ;
    
    
    insert into "warehouse"."marts"."cohort_retention__dbt_tmp" 
  (
    
      
      
      cohort_month ,
    
      
      
      age_months ,
    
      
      
      cohort_size ,
    
      
      
      retained ,
    
      
      
      retention_rate ,
    
      
      
      retention_rate_low ,
    
      
      
      retention_rate_high ,
    
      
      
      customers_with_activity ,
    
      
      
      activity_rate ,
    
      
      
      revenue 
    
  )
 (
      
    select cohort_month, age_months, cohort_size, retained, retention_rate, retention_rate_low, retention_rate_high, customers_with_activity, activity_rate, revenue
    from (
        with run as (
    select * from "warehouse"."intermediate"."int_run_context"
),

months as (
    select month_start, month_end, max(day) = month_end as is_complete
    from "warehouse"."intermediate"."int_calendar"
    group by month_start, month_end
),

members as (
    select customer_id, cast(date_trunc('month', started_on) as date) as cohort_month
    from "warehouse"."intermediate"."int_active_periods"
    where period_number = 1
),

cohorts as (
    select cohort_month, count(*) as cohort_size
    from members
    group by cohort_month
),

-- Every cohort has a cell for every age that the oldest one has reached; those of the future stay empty.
oldest as (
    select min(cohort_month) as first_month, max(months.month_start) as last_month
    from cohorts
    cross join months
),

ages as (
    select distinct cast(
        (extract(year from months.month_start) - extract(year from oldest.first_month)) * 12
        + extract(month from months.month_start) - extract(month from oldest.first_month) as integer
    ) as age_months
    from months
    inner join oldest on months.month_start >= oldest.first_month
),

active as (
    select members.cohort_month, months.month_start, count(*) as retained
    from months
    inner join "warehouse"."intermediate"."int_active_periods" as period
        on period.started_on <= months.month_end
        and (period.ended_on is null or period.ended_on > months.month_end)
    inner join members on members.customer_id = period.customer_id
    where months.is_complete
    group by members.cohort_month, months.month_start
),

doings as (
    select
        members.cohort_month,
        cast(date_trunc('month', day.day) as date) as month_start,
        count(distinct day.customer_id) filter (where day.is_activity) as customers_with_activity,
        sum(day.revenue) as revenue
    from "warehouse"."intermediate"."int_daily_activity" as day
    inner join members on members.customer_id = day.customer_id
    group by 1, 2
),

cells as (
    select
        cohorts.cohort_month,
        ages.age_months,
        cohorts.cohort_size,
        months.is_complete,
        case when months.is_complete then coalesce(active.retained, 0) end as retained,
        case when months.is_complete then coalesce(doings.customers_with_activity, 0) end as customers_with_activity,
        case
            when months.is_complete and run.has_order_lines
                then cast(coalesce(doings.revenue, 0) as decimal(18, 4))
        end as revenue
    from cohorts
    cross join ages
    cross join run
    left join months on months.month_start = cast(cohorts.cohort_month + to_months(ages.age_months) as date)
    left join active
        on active.cohort_month = cohorts.cohort_month
        and active.month_start = months.month_start
    left join doings
        on doings.cohort_month = cohorts.cohort_month
        and doings.month_start = months.month_start
)

select
    cohort_month,
    age_months,
    cohort_size,
    retained,
    round(cast(retained as double) / nullif(cast(cohort_size as double), 0), 6) as retention_rate,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when cohort_size > 0 and retained is not null then round(
            least(greatest(
                (
                    cast(retained as double) + 1.959963984540054 * 1.959963984540054 / 2
                    - 1.959963984540054 * sqrt(cast(retained as double) * (cast(cohort_size as double) - cast(retained as double)) / cast(cohort_size as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(cohort_size as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as retention_rate_low,
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when cohort_size > 0 and retained is not null then round(
            least(greatest(
                (
                    cast(retained as double) + 1.959963984540054 * 1.959963984540054 / 2
                    + 1.959963984540054 * sqrt(cast(retained as double) * (cast(cohort_size as double) - cast(retained as double)) / cast(cohort_size as double) + 1.959963984540054 * 1.959963984540054 / 4)
                ) / (cast(cohort_size as double) + 1.959963984540054 * 1.959963984540054),
            0.0), 1.0), 6)
    end as retention_rate_high,
    customers_with_activity,
    round(cast(customers_with_activity as double) / nullif(cast(cohort_size as double), 0), 6) as activity_rate,
    revenue
from cells
    ) as model_subq
    );
  