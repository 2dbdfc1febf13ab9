
select count(*) as rows_of_one_grain
from "warehouse"."marts"."email_campaigns"
group by campaign, list_id, arm, channel
having count(*) > 1 or bool_or(campaign is null)or bool_or(list_id is null)or bool_or(arm is null)or bool_or(channel is null)
