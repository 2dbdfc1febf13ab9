
select
    concat_ws(', ', case when not (indicator between 1 and 9) then 'nine indicators' end, case when not (is_complete or (value is null and numerator is null and denominator is null)) then 'what is not observable is missing' end, case when not (value between low and high) then 'a value lies in its interval' end, case when not (indicator not in (1, 2) or value between 0 and 1) then 'shares are shares' end)
        as broken_rules
from "warehouse"."marts"."winback_indicators_monthly"
where not (indicator between 1 and 9)
or not (is_complete or (value is null and numerator is null and denominator is null))
or not (value between low and high)
or not (indicator not in (1, 2) or value between 0 and 1)

