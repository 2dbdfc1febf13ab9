
    

    create  table
      "warehouse"."intermediate"."int_customers__dbt_tmp"
  
    
    as (
      with seen as (
    select customer_id, min(first_day) as first_day
    from (
        select customer_id, min(day) as first_day
        from "warehouse"."intermediate"."int_daily_activity"
        group by customer_id

        union all

        select customer_id, min(registered_on) as first_day
        from "warehouse"."intermediate"."int_subscription_periods"
        group by customer_id
    )
    group by customer_id
),

customers as (
    select
        coalesce(record.customer_id, seen.customer_id) as customer_id,
        least(cast(record.created_at at time zone 'UTC' at time zone run.timezone as date), seen.first_day) as first_seen_on,
        record.country,
        record.region,
        record.language,
        record.acquisition_channel,
        record.preferred_channel,
        record.company_size,
        record.industry,
        record.gender,
        record.birth_year
    from (select * from "warehouse"."intermediate"."int_customer_records" where is_test is not true) as record
    full join seen on seen.customer_id = record.customer_id
    cross join "warehouse"."intermediate"."int_run_context" as run
)

select
    customers.customer_id,
    left(sha256(run.salt || ':' || customers.customer_id), 24) as customer_key,
    customers.first_seen_on,
    customers.country,
    customers.region,
    customers.language,
    customers.acquisition_channel,
    customers.preferred_channel,
    customers.company_size,
    customers.industry,
    customers.gender,
    customers.birth_year
from customers
cross join "warehouse"."control"."run" as run
where customers.first_seen_on is not null
    );
    
  