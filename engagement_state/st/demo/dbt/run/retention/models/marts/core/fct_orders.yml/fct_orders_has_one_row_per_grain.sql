
    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
select count(*) as rows_of_one_grain
from "warehouse"."marts"."fct_orders"
group by order_id
having count(*) > 1 or bool_or(order_id is null)

  
  
      
    ) dbt_internal_test