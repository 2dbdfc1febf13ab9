
select count(*) as rows_of_one_grain
from "warehouse"."marts"."fct_churn_events"
group by event_id
having count(*) > 1 or bool_or(event_id is null)
