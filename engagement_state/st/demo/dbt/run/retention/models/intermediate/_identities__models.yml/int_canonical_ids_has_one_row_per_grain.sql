
    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
select count(*) as rows_of_one_grain
from "warehouse"."intermediate"."int_canonical_ids"
group by customer_id
having count(*) > 1 or bool_or(customer_id is null)

  
  
      
    ) dbt_internal_test