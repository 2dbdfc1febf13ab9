
select count(*) as rows_of_one_grain
from "warehouse"."marts"."kpi_monthly"
group by month_start
having count(*) > 1 or bool_or(month_start is null)
