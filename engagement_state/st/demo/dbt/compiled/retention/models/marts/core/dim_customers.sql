select
    customer_key,
    first_seen_on,
    country,
    region,
    language,
    acquisition_channel,
    preferred_channel,
    company_size,
    industry
from "warehouse"."intermediate"."int_customers"