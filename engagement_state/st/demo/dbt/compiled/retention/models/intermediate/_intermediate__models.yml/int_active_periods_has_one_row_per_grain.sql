
select count(*) as rows_of_one_grain
from "warehouse"."intermediate"."int_active_periods"
group by customer_id, period_number
having count(*) > 1 or bool_or(customer_id is null)or bool_or(period_number is null)
