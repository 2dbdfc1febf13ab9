
    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
select
    concat_ws(', ', case when not (orders_30d <= orders_90d and orders_90d <= orders_365d and orders_365d <= orders_total and usage_days_7d <= usage_days_30d and usage_events_7d <= usage_events_30d) then 'windows are nested' end, case when not (tenure_days >= 0 and days_in_period >= 0 and days_since_last_activity >= 0 and days_since_last_order >= 0 and days_since_last_usage >= 0) then 'nothing lies ahead' end)
        as broken_rules
from "warehouse"."marts"."customer_features"
where not (orders_30d <= orders_90d and orders_90d <= orders_365d and orders_365d <= orders_total and usage_days_7d <= usage_days_30d and usage_events_7d <= usage_events_30d)
or not (tenure_days >= 0 and days_in_period >= 0 and days_since_last_activity >= 0 and days_since_last_order >= 0 and days_since_last_usage >= 0)


  
  
      
    ) dbt_internal_test