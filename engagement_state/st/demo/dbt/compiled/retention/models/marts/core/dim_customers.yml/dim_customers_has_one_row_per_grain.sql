
select count(*) as rows_of_one_grain
from "warehouse"."marts"."dim_customers"
group by customer_key
having count(*) > 1 or bool_or(customer_key is null)
