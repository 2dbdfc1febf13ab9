select customer_id
from {{ ref('int_customer_records') }}
where is_test
