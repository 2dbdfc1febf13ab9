
    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
select count(*) as rows_of_one_grain
from "warehouse"."marts"."customer_journey"
group by customer_key, sequence_number
having count(*) > 1 or bool_or(customer_key is null)or bool_or(sequence_number is null)

  
  
      
    ) dbt_internal_test