
select
    concat_ws(', ', case when not (lines_without_rate = 0) then 'a line in another currency has an exchange rate' end)
        as broken_rules
from "warehouse"."intermediate"."int_orders"
where not (lines_without_rate = 0)

