{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ forget(['order_id'], 'int_changed_orders') }}"
) }}
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
from {{ ref('int_orders') }} as orders
left join {{ ref('int_customers') }} as customer on customer.customer_id = orders.customer_id
{%- if is_increment() %}
where {{ is_among('orders.order_id', ['order_id'], 'int_changed_orders') }}
{%- endif %}
{%- do changes('int_changed_orders') %}
