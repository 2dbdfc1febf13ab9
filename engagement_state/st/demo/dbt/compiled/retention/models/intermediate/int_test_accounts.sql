select customer_id
from "warehouse"."intermediate"."int_customer_records"
where is_test