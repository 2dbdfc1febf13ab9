
    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
select
    concat_ws(', ', case when not (happened_on <= known_on) then 'known when it happened or later' end, case when not (not (is_voluntary and is_involuntary)) then 'decided or not' end, case when not ((is_cancelled_before_start or is_trial_not_converted) = (period_number is null)) then 'only who was active is lost' end, case when not (mrr_lost >= 0) then 'money is lost, not won' end)
        as broken_rules
from "warehouse"."marts"."fct_churn_events"
where not (happened_on <= known_on)
or not (not (is_voluntary and is_involuntary))
or not ((is_cancelled_before_start or is_trial_not_converted) = (period_number is null))
or not (mrr_lost >= 0)


  
  
      
    ) dbt_internal_test