
    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
select
    concat_ws(', ', case when not (lines_without_rate = 0) then 'a line in another currency has an exchange rate' end)
        as broken_rules
from "warehouse"."intermediate"."int_orders"
where not (lines_without_rate = 0)


  
  
      
    ) dbt_internal_test