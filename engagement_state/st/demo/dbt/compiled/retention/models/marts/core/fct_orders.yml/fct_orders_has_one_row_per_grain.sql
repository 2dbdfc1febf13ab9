
select count(*) as rows_of_one_grain
from "warehouse"."marts"."fct_orders"
group by order_id
having count(*) > 1 or bool_or(order_id is null)
