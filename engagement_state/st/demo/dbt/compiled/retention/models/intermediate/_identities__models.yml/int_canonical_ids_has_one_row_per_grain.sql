
select count(*) as rows_of_one_grain
from "warehouse"."intermediate"."int_canonical_ids"
group by customer_id
having count(*) > 1 or bool_or(customer_id is null)
