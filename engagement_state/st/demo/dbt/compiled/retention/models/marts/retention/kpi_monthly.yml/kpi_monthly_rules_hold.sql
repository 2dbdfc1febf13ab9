
select
    concat_ws(', ', case when not (customers_opening + customers_new + customers_reactivated - customers_lost - customers_completed = customers_closing) then 'movements reconcile' end, case when not (customers_retained + customers_churned_of_opening + customers_completed_of_opening = customers_opening) then 'the opening set is kept, lost or completed' end, case when not (abs(customer_churn_rate + customer_retention_rate + completion_rate - 1) < 0.000002) then 'rates add up to 1' end, case when not ((customers_opening = 0) = (customer_churn_rate is null)) then 'an empty opening set has no rate' end, case when not (customer_churn_rate between customer_churn_rate_low and customer_churn_rate_high and customer_retention_rate between customer_retention_rate_low and customer_retention_rate_high) then 'rates lie in their interval' end)
        as broken_rules
from "warehouse"."marts"."kpi_monthly"
where not (customers_opening + customers_new + customers_reactivated - customers_lost - customers_completed = customers_closing)
or not (customers_retained + customers_churned_of_opening + customers_completed_of_opening = customers_opening)
or not (abs(customer_churn_rate + customer_retention_rate + completion_rate - 1) < 0.000002)
or not ((customers_opening = 0) = (customer_churn_rate is null))
or not (customer_churn_rate between customer_churn_rate_low and customer_churn_rate_high and customer_retention_rate between customer_retention_rate_low and customer_retention_rate_high)

