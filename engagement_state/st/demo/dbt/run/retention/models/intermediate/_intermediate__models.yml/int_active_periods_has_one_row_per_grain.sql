
    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
select count(*) as rows_of_one_grain
from "warehouse"."intermediate"."int_active_periods"
group by customer_id, period_number
having count(*) > 1 or bool_or(customer_id is null)or bool_or(period_number is null)

  
  
      
    ) dbt_internal_test