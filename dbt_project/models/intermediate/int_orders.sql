{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ forget(['order_id'], 'int_changed_orders') }}"
) }}
with run as (
    select * from {{ ref('int_run_context') }}
),

lines as (
    select
        line.order_id,
        line.customer_id,
        line.ordered_at,
        line.sku,
        line.quantity,
        coalesce(line.kind, case when line.quantity < 0 then 'return' else 'purchase' end) as kind,
        -- A return gives its share of a discount back, so the discount has the sign of the quantity.
        cast(
            round(line.quantity * line.unit_price - sign(line.quantity) * coalesce(line.discount, 0), 4)
            as decimal(18, 4)
        ) as amount,
        case
            when line.currency is null or line.currency = run.currency then null
            else {{ day_of('line.ordered_at', 'run.timezone') }}
        end as fx_day,
        line.currency
    from {{ resolved_part('order_lines', is_among('feed.order_id', ['order_id'], 'int_changed_orders')) }} as line
    cross join run
    where line.customer_id is null
        or line.customer_id not in (select customer_id from {{ ref('int_test_accounts') }})
),

valued as (
    select
        lines.*,
        case
            when lines.fx_day is null then lines.amount
            else cast(round(lines.amount * fx.rate_to_business, 4) as decimal(18, 4))
        end as value
    from lines
    left join {{ ref('int_fx_rates') }} as fx
        on fx.currency = lines.currency
        and fx.day = lines.fx_day
),

orders as (
    select
        order_id,
        min(customer_id) as customer_id,
        min(ordered_at) as ordered_at,
        coalesce(sum(value) filter (where kind = 'purchase'), 0) as purchase_value,
        - coalesce(sum(value) filter (where kind in ('return', 'cancellation')), 0) as return_value,
        coalesce(sum(value) filter (where kind = 'fee'), 0) as fee_value,
        coalesce(sum(value) filter (where kind = 'adjustment'), 0) as adjustment_value,
        coalesce(sum(value), 0) as net_revenue,
        coalesce(sum(quantity) filter (where kind in ('purchase', 'return', 'cancellation')), 0) as units,
        count(*) as lines,
        count(*) filter (where value is null) as lines_without_rate,
        coalesce(bool_or(kind in ('return', 'cancellation')), false) as has_returns
    from valued
    group by order_id
),

-- What was bought and all given back under the same order on its own day was never a purchase; article by article, since an
-- order may give back what another one bought. A return of a later day does not change the day of the order.
kept as (
    select valued.order_id, valued.sku, sum(valued.quantity) as units
    from valued
    inner join orders on orders.order_id = valued.order_id
    cross join run
    where orders.has_returns
        and orders.purchase_value > 0
        and valued.kind in ('purchase', 'return', 'cancellation')
        and {{ day_of('valued.ordered_at', 'run.timezone') }} = {{ day_of('orders.ordered_at', 'run.timezone') }}
    group by valued.order_id, valued.sku
),

wholly_returned as (
    select order_id
    from kept
    group by order_id
    having max(units) <= 0
)

select
    orders.order_id,
    orders.customer_id,
    {{ day_of('orders.ordered_at', 'run.timezone') }} as ordered_on,
    cast(orders.purchase_value as decimal(18, 4)) as purchase_value,
    cast(orders.return_value as decimal(18, 4)) as return_value,
    cast(orders.fee_value as decimal(18, 4)) as fee_value,
    cast(orders.adjustment_value as decimal(18, 4)) as adjustment_value,
    cast(orders.net_revenue as decimal(18, 4)) as net_revenue,
    cast(orders.units as decimal(18, 3)) as units,
    orders.lines,
    orders.lines_without_rate,
    orders.purchase_value > 0 and wholly_returned.order_id is null as is_purchase
from orders
cross join run
left join wholly_returned on wholly_returned.order_id = orders.order_id
