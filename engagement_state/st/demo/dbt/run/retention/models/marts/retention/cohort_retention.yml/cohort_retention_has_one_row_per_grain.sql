
    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
select count(*) as rows_of_one_grain
from "warehouse"."marts"."cohort_retention"
group by cohort_month, age_months
having count(*) > 1 or bool_or(cohort_month is null)or bool_or(age_months is null)

  
  
      
    ) dbt_internal_test