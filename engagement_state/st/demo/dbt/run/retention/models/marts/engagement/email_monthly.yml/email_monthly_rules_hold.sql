
    
    select
      count(*) as failures,
      count(*) != 0 as should_warn,
      count(*) != 0 as should_error
    from (
      
    
  
select
    concat_ws(', ', case when not (delivered + bounced <= sent and delivered_recipients + bounced_recipients <= sent_recipients) then 'delivered and bounced are parts of sent' end, case when not (clicked_recipients <= opened_recipients and opened_recipients <= delivered_recipients) then 'who clicked has opened and was reached' end, case when not (opened_recipients + machine_opened_recipients = open_rate_all_numerator) then 'a human or a machine' end, case when not (sent_recipients <= sent and sent_recipients > 0) then 'a recipient has a message' end, case when not (open_rate between open_rate_low and open_rate_high and click_rate between click_rate_low and click_rate_high) then 'rates lie in their interval' end, case when not (customers <= sent_recipients) then 'customers are recipients' end)
        as broken_rules
from "warehouse"."marts"."email_monthly"
where not (delivered + bounced <= sent and delivered_recipients + bounced_recipients <= sent_recipients)
or not (clicked_recipients <= opened_recipients and opened_recipients <= delivered_recipients)
or not (opened_recipients + machine_opened_recipients = open_rate_all_numerator)
or not (sent_recipients <= sent and sent_recipients > 0)
or not (open_rate between open_rate_low and open_rate_high and click_rate between click_rate_low and click_rate_high)
or not (customers <= sent_recipients)


  
  
      
    ) dbt_internal_test