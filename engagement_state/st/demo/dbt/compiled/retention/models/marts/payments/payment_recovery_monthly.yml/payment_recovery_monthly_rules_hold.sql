
select
    concat_ws(', ', case when not (recovery_rate_numerator <= recovery_rate_denominator and invoice_recovery_rate_numerator <= invoice_recovery_rate_denominator) then 'nothing more is recovered than failed' end, case when not (failed_payment_rate_numerator <= first_attempts) then 'failures are first attempts' end, case when not (is_complete or (recovery_rate is null and invoice_recovery_rate is null and days_to_recovery_median is null)) then 'what is not observable has no rate' end, case when not (failed_payment_rate between failed_payment_rate_low and failed_payment_rate_high and recovery_rate between recovery_rate_low and recovery_rate_high) then 'rates lie in their interval' end, case when not (days_to_recovery_median <= days_to_recovery_p90) then 'half of the recovered come before nine tenths' end)
        as broken_rules
from "warehouse"."marts"."payment_recovery_monthly"
where not (recovery_rate_numerator <= recovery_rate_denominator and invoice_recovery_rate_numerator <= invoice_recovery_rate_denominator)
or not (failed_payment_rate_numerator <= first_attempts)
or not (is_complete or (recovery_rate is null and invoice_recovery_rate is null and days_to_recovery_median is null))
or not (failed_payment_rate between failed_payment_rate_low and failed_payment_rate_high and recovery_rate between recovery_rate_low and recovery_rate_high)
or not (days_to_recovery_median <= days_to_recovery_p90)

