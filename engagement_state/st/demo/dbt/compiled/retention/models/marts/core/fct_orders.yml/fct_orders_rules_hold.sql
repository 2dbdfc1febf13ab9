
select
    concat_ws(', ', case when not (net_revenue = purchase_value - return_value + fee_value + adjustment_value) then 'net revenue is the sum of its parts' end, case when not (is_purchase = (purchase_value > 0)) then 'a purchase has a value' end, case when not (lines > 0) then 'an order has lines' end)
        as broken_rules
from "warehouse"."marts"."fct_orders"
where not (net_revenue = purchase_value - return_value + fee_value + adjustment_value)
or not (is_purchase = (purchase_value > 0))
or not (lines > 0)

