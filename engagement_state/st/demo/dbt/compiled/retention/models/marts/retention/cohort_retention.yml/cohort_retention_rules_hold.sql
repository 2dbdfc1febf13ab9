
select
    concat_ws(', ', case when not (retained <= cohort_size and customers_with_activity <= cohort_size) then 'nobody is kept who was not there' end, case when not (retention_rate between retention_rate_low and retention_rate_high) then 'the rate lies in its interval' end)
        as broken_rules
from "warehouse"."marts"."cohort_retention"
where not (retained <= cohort_size and customers_with_activity <= cohort_size)
or not (retention_rate between retention_rate_low and retention_rate_high)

