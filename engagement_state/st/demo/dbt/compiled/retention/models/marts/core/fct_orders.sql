select
    orders.order_id,
    customer.customer_key,
    orders.ordered_on,
    orders.purchase_value,
    orders.return_value,
    orders.fee_value,
    orders.adjustment_value,
    orders.net_revenue,
    orders.units,
    orders.lines,
    orders.is_purchase
from "warehouse"."intermediate"."int_orders" as orders
left join "warehouse"."intermediate"."int_customers" as customer on customer.customer_id = orders.customer_id