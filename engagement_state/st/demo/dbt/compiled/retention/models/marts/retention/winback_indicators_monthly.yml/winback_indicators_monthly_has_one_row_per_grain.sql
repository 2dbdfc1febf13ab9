
select count(*) as rows_of_one_grain
from "warehouse"."marts"."winback_indicators_monthly"
group by month_start, indicator, campaign
having count(*) > 1 or bool_or(month_start is null)or bool_or(indicator is null)or bool_or(campaign is null)
