with run as (
    select * from "warehouse"."intermediate"."int_run_context"
),

lines as (
    select
        line.order_id,
        line.customer_id,
        line.ordered_at,
        line.quantity,
        coalesce(line.kind, case when line.quantity < 0 then 'return' else 'purchase' end) as kind,
        -- A return gives its share of a discount back, so the discount has the sign of the quantity.
        cast(
            round(line.quantity * line.unit_price - sign(line.quantity) * coalesce(line.discount, 0), 4)
            as decimal(18, 4)
        ) as amount,
        case
            when line.currency is null or line.currency = run.currency then null
            else cast(line.ordered_at at time zone 'UTC' at time zone run.timezone as date)
        end as fx_day,
        line.currency
    from (
        select feed.* replace (coalesce(identity.canonical_id, feed.customer_id) as customer_id)
        from "warehouse"."staging"."stg_order_lines" as feed
        left join "warehouse"."intermediate"."int_canonical_ids" as identity on identity.customer_id = feed.customer_id
    ) as line
    cross join run
    where line.customer_id is null
        or line.customer_id not in (select customer_id from "warehouse"."intermediate"."int_test_accounts")
),

valued as (
    select
        lines.*,
        case
            when lines.fx_day is null then lines.amount
            else cast(round(lines.amount * fx.rate_to_business, 4) as decimal(18, 4))
        end as value
    from lines
    left join "warehouse"."intermediate"."int_fx_rates" as fx
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
        count(*) filter (where value is null) as lines_without_rate
    from valued
    group by order_id
)

select
    orders.order_id,
    orders.customer_id,
    cast(orders.ordered_at at time zone 'UTC' at time zone run.timezone as date) as ordered_on,
    cast(orders.purchase_value as decimal(18, 4)) as purchase_value,
    cast(orders.return_value as decimal(18, 4)) as return_value,
    cast(orders.fee_value as decimal(18, 4)) as fee_value,
    cast(orders.adjustment_value as decimal(18, 4)) as adjustment_value,
    cast(orders.net_revenue as decimal(18, 4)) as net_revenue,
    cast(orders.units as decimal(18, 3)) as units,
    orders.lines,
    orders.lines_without_rate,
    orders.purchase_value > 0 as is_purchase
from orders
cross join run