
    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
select count(*) as rows_of_one_grain
from "warehouse"."intermediate"."int_customers"
group by customer_key
having count(*) > 1 or bool_or(customer_key is null)

  
  
      
    ) dbt_internal_test