{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ forget(['customer_id', 'day'], 'int_changed_days') }}"
) }}
with run as (
    select * from {{ ref('int_run_context') }}
),

orders as (
    select
        customer_id,
        ordered_on as day,
        count(*) filter (where is_purchase) as orders,
        sum(purchase_value) as purchase_value,
        sum(return_value) as return_value,
        sum(net_revenue) as revenue
    from {{ ref('int_orders') }}
    where customer_id is not null
        {%- if is_increment() %}
        and {{ is_among('customer_id, ordered_on', ['customer_id', 'day'], 'int_changed_days') }}
        {%- endif %}
    group by customer_id, ordered_on
),

usage as (
    select
        customer_id,
        used_on as day,
        sum(events) as usage_events,
        sum(cast(round(minutes, 3) as decimal(18, 3))) as usage_minutes
    from {{ resolved_part('usage', is_of_changed_day('usage')) }} as used
    where customer_id not in (select customer_id from {{ ref('int_test_accounts') }})
    group by customer_id, used_on
),

dated_events as (
    select event.customer_id, {{ day_of('event.occurred_at', 'run.timezone') }} as day, event.name
    from {{ resolved_part('events', is_of_changed_day('events')) }} as event
    cross join run
    where event.customer_id not in (select customer_id from {{ ref('int_test_accounts') }})
),

events as (
    select
        customer_id,
        day,
        count(*) as events,
        count(*) filter (where name = 'help_viewed') as help_views,
        count(*) filter (where name = 'cancel_viewed') as cancel_views
    from dated_events
    group by customer_id, day
)

select
    customer_id,
    day,
    orders.orders is not null as has_orders,
    cast(coalesce(orders.orders, 0) as integer) as orders,
    cast(coalesce(orders.purchase_value, 0) as decimal(18, 4)) as purchase_value,
    cast(coalesce(orders.return_value, 0) as decimal(18, 4)) as return_value,
    cast(coalesce(orders.revenue, 0) as decimal(18, 4)) as revenue,
    cast(coalesce(usage.usage_events, 0) as bigint) as usage_events,
    cast(coalesce(usage.usage_minutes, 0) as decimal(18, 3)) as usage_minutes,
    cast(coalesce(events.events, 0) as integer) as events,
    cast(coalesce(events.help_views, 0) as integer) as help_views,
    cast(coalesce(events.cancel_views, 0) as integer) as cancel_views,
    -- A day with only a return, or with a use of zero events, is no sign of life.
    coalesce(orders.orders, 0) > 0
    or coalesce(usage.usage_events, 0) > 0
    or coalesce(usage.usage_minutes, 0) > 0
    or coalesce(events.events, 0) > 0 as is_activity
from orders
full join usage using (customer_id, day)
full join events using (customer_id, day)
{% if is_increment() -%}
where {{ is_among('customer_id, day', ['customer_id', 'day'], 'int_changed_days') }}
{%- endif %}
