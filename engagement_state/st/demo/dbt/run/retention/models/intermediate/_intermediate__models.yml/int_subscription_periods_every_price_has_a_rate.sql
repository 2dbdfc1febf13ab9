
    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
select
    concat_ws(', ', case when not (monthly_price is not null) then 'a price in another currency has an exchange rate' end)
        as broken_rules
from "warehouse"."intermediate"."int_subscription_periods"
where not (monthly_price is not null)


  
  
      
    ) dbt_internal_test