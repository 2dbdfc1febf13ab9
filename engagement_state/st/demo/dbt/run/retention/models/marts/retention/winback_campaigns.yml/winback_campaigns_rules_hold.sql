
    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
select
    concat_ws(', ', case when not (winback_rate_denominator + control_return_rate_denominator + pending = contacted + controls) then 'a contact waits or is counted' end, case when not (winback_rate_numerator <= winback_rate_denominator and control_return_rate_numerator <= control_return_rate_denominator) then 'who is won back was contacted' end, case when not (winback_rate between winback_rate_low and winback_rate_high and winback_lift between winback_lift_low and winback_lift_high) then 'rates lie in their interval' end)
        as broken_rules
from "warehouse"."marts"."winback_campaigns"
where not (winback_rate_denominator + control_return_rate_denominator + pending = contacted + controls)
or not (winback_rate_numerator <= winback_rate_denominator and control_return_rate_numerator <= control_return_rate_denominator)
or not (winback_rate between winback_rate_low and winback_rate_high and winback_lift between winback_lift_low and winback_lift_high)


  
  
      
    ) dbt_internal_test