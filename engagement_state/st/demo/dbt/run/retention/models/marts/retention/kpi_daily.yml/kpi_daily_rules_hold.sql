
    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
select
    concat_ws(', ', case when not (customers_active >= 0) then 'nobody is active less than never' end)
        as broken_rules
from "warehouse"."marts"."kpi_daily"
where not (customers_active >= 0)


  
  
      
    ) dbt_internal_test