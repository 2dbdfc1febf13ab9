
select count(*) as rows_of_one_grain
from "warehouse"."marts"."payment_recovery_monthly"
group by month_start, dimension, segment
having count(*) > 1 or bool_or(month_start is null)or bool_or(dimension is null)or bool_or(segment is null)
