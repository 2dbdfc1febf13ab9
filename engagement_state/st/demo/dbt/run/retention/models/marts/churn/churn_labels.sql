
    
      
    

    create  table
      "warehouse"."marts"."churn_labels__dbt_tmp"
  
  (
    as_of date not null,
    customer_key varchar not null,
    has_churned boolean
    
    )
 ;
    
    
    insert into "warehouse"."marts"."churn_labels__dbt_tmp" 
  (
    
      
      
      as_of ,
    
      
      
      customer_key ,
    
      
      
      has_churned 
    
  )
 (
      
    select as_of, customer_key, has_churned
    from (
        with churns as (
    select customer_id, ended_on
    from "warehouse"."intermediate"."int_active_periods"
    where is_churn
)

select
    snapshot.as_of,
    snapshot.customer_key,
    coalesce(bool_or(churns.customer_id is not null), false) as has_churned
from "warehouse"."intermediate"."int_customer_snapshots" as snapshot
cross join "warehouse"."intermediate"."int_run_context" as run
left join churns
    on churns.customer_id = snapshot.customer_id
    and churns.ended_on > snapshot.as_of
    and churns.ended_on <= (snapshot.as_of + cast(run.horizon_days as integer))
where snapshot.is_active
    and not snapshot.has_given_notice
    and (snapshot.as_of + cast(run.horizon_days as integer)) <= run.as_of
group by snapshot.as_of, snapshot.customer_key
    ) as model_subq
    );
  