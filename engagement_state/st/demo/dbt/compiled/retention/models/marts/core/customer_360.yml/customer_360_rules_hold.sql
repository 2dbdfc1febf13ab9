
select
    concat_ws(', ', case when not (not is_active or (ended_on is null and active_since is not null)) then 'who is active has no end' end, case when not (is_active = (lifecycle_stage in ('new', 'reactivated', 'at_risk', 'active'))) then 'the stage fits' end, case when not (greatest(active_since, last_active_on, ended_on, first_order_on, last_order_on, started_on) <= as_of) then 'nothing lies after the day' end, case when not (rfm_recency between 1 and 5 and rfm_frequency between 1 and 5 and rfm_monetary between 1 and 5) then 'fifths are 1 to 5' end)
        as broken_rules
from "warehouse"."marts"."customer_360"
where not (not is_active or (ended_on is null and active_since is not null))
or not (is_active = (lifecycle_stage in ('new', 'reactivated', 'at_risk', 'active')))
or not (greatest(active_since, last_active_on, ended_on, first_order_on, last_order_on, started_on) <= as_of)
or not (rfm_recency between 1 and 5 and rfm_frequency between 1 and 5 and rfm_monetary between 1 and 5)

