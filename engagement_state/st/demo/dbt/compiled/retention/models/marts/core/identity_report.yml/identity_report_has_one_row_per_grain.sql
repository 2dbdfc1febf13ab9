
select count(*) as rows_of_one_grain
from "warehouse"."marts"."identity_report"
group by source
having count(*) > 1 or bool_or(source is null)
