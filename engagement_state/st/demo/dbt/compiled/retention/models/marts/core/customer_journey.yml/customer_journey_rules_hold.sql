
select
    concat_ws(', ', case when not (sequence_number >= 1) then 'numbers begin with 1' end, case when not (kind not in ('order', 'first_purchase', 'return', 'payment_failed', 'payment_recovered', 'use') or amount >= 0) then 'amounts of orders and payments are no debts' end)
        as broken_rules
from "warehouse"."marts"."customer_journey"
where not (sequence_number >= 1)
or not (kind not in ('order', 'first_purchase', 'return', 'payment_failed', 'payment_recovered', 'use') or amount >= 0)

