
select count(*) as rows_of_one_grain
from "warehouse"."marts"."email_monthly"
group by month_start, channel
having count(*) > 1 or bool_or(month_start is null)or bool_or(channel is null)
