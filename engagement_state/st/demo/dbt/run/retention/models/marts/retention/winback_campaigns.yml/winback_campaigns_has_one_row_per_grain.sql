
    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
select count(*) as rows_of_one_grain
from "warehouse"."marts"."winback_campaigns"
group by campaign, offer, cause, delay
having count(*) > 1 or bool_or(campaign is null)or bool_or(offer is null)or bool_or(cause is null)or bool_or(delay is null)

  
  
      
    ) dbt_internal_test