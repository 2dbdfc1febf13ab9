
select count(*) as rows_of_one_grain
from "warehouse"."marts"."kpi_daily"
group by day
having count(*) > 1 or bool_or(day is null)
