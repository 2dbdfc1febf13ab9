
    

    create  table
      "warehouse"."intermediate"."int_test_accounts__dbt_tmp"
  
    
    as (
      select customer_id
from "warehouse"."intermediate"."int_customer_records"
where is_test
    );
    
  