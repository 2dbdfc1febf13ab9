-- What was known about a customer at the end of each observation date. Every join looks back from `as_of`. An increment
-- computes the dates from the last as-of day on, and of earlier ones the customers of whom they now show something else.
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ forget_snapshots('customer_id') }}"
) }}
{%- set is_increment = is_increment() %}
{%- do changes('int_changed_snapshots') %}
with run as (
    select * from {{ ref('int_run_context') }}
),

active as (
    select
        date.as_of,
        period.customer_id,
        period.period_number,
        period.started_on as period_started_on
    from {{ ref('int_observation_dates') }} as date
    inner join {{ ref('int_active_periods') }} as period
        on period.started_on <= date.as_of
        and (period.ended_on is null or date.as_of < period.ended_on)
    {%- if is_increment %}
    where {{ is_changed_snapshot('date.as_of', 'period.customer_id', 'customer_id') }}
    {%- endif %}
),

-- On the as-of day itself everybody, also who is not active.
everybody as (
    select as_of, customer_id, period_number, period_started_on, true as is_active
    from active

    union all

    select run.as_of, customer.customer_id, null, null, false
    from {{ ref('int_customers') }} as customer
    cross join run
    where customer.customer_id not in (
        select active.customer_id from active inner join run on run.as_of = active.as_of
    )
),

-- A number stands for date and customer: grouping by it is cheap.
population as (
    select row_number() over (order by as_of, customer_id) as snapshot_id, *
    from everybody
),

last_activities as (
    {{ last_day_by_snapshot('is_activity') }}
),

last_uses as (
    {{ last_day_by_snapshot('usage_events > 0') }}
),

{% if is_increment -%}
-- Few dates: looking at all days before each of them is cheaper than putting the days in order.
totals as (
    select
        population.snapshot_id,
        sum(day.orders) as orders_total,
        sum(day.revenue) as revenue_total,
        sum(day.purchase_value) as purchase_value_total,
        min(case when day.orders > 0 then day.day end) as first_order_on,
        max(case when day.orders > 0 then day.day end) as last_order_on,
        count(case when day.orders > 0 then 1 end) as order_days
    from {{ ref('int_daily_activity') }} as day
    inner join population
        on population.customer_id = day.customer_id
        and day.day <= population.as_of
    where day.has_orders
    group by population.snapshot_id
),
{%- else -%}
-- Totals so far, on each day with an order and valid until the next one.
running as (
    select
        customer_id,
        day,
        lead(day) over by_day as next_day,
        sum(orders) over to_date as orders_total,
        sum(revenue) over to_date as revenue_total,
        sum(purchase_value) over to_date as purchase_value_total,
        min(case when orders > 0 then day end) over to_date as first_order_on,
        max(case when orders > 0 then day end) over to_date as last_order_on,
        count(case when orders > 0 then 1 end) over to_date as order_days
    from {{ ref('int_daily_activity') }}
    where has_orders
    window
        by_day as (partition by customer_id order by day),
        to_date as (partition by customer_id order by day rows between unbounded preceding and current row)
),

totals as (
    select population.snapshot_id, running.*
    from population
    inner join running
        on running.customer_id = population.customer_id
        and running.day <= population.as_of
        and (running.next_day is null or running.next_day > population.as_of)
),
{%- endif %}

orders as (
    select
        population.snapshot_id,
        sum(day.orders) as orders_365d,
        sum(day.orders) filter (where {{ in_last('day.day', 'population.as_of', 30) }}) as orders_30d,
        sum(day.orders) filter (where {{ in_last('day.day', 'population.as_of', 90) }}) as orders_90d,
        sum(day.orders) filter (
            where {{ in_last('day.day', add_days('population.as_of', -90), 90) }}
        ) as orders_prior_90d,
        sum(day.revenue) as revenue_365d,
        sum(day.revenue) filter (where {{ in_last('day.day', 'population.as_of', 30) }}) as revenue_30d,
        sum(day.revenue) filter (where {{ in_last('day.day', 'population.as_of', 90) }}) as revenue_90d,
        sum(day.purchase_value) as purchase_value_365d,
        sum(day.return_value) as return_value_365d
    from population
    inner join {{ ref('int_daily_activity') }} as day
        on day.customer_id = population.customer_id
        and {{ in_last('day.day', 'population.as_of', 365) }}
    where day.has_orders
    group by population.snapshot_id
),

usage as (
    select
        population.snapshot_id,
        count(*) filter (where {{ in_last('day.day', 'population.as_of', 7) }}) as usage_days_7d,
        count(*) filter (where {{ in_last('day.day', 'population.as_of', 30) }}) as usage_days_30d,
        count(*) filter (
            where {{ in_last('day.day', add_days('population.as_of', -30), 30) }}
        ) as usage_days_prior_30d,
        sum(day.usage_events) filter (where {{ in_last('day.day', 'population.as_of', 7) }}) as usage_events_7d,
        sum(day.usage_events) filter (where {{ in_last('day.day', 'population.as_of', 30) }}) as usage_events_30d,
        sum(day.usage_events) filter (
            where {{ in_last('day.day', add_days('population.as_of', -30), 30) }}
        ) as usage_events_prior_30d
    from population
    inner join {{ ref('int_daily_activity') }} as day
        on day.customer_id = population.customer_id
        and {{ in_last('day.day', 'population.as_of', 60) }}
    where day.usage_events > 0
    group by population.snapshot_id
),

events as (
    select
        population.snapshot_id,
        sum(day.events) as events_30d,
        sum(day.help_views) as help_views_30d,
        sum(day.cancel_views) as cancel_views_30d
    from population
    inner join {{ ref('int_daily_activity') }} as day
        on day.customer_id = population.customer_id
        and {{ in_last('day.day', 'population.as_of', 30) }}
    where day.events > 0
    group by population.snapshot_id
),

features_used as (
    select population.snapshot_id, count(distinct used.feature) as usage_features_30d
    from population
    inner join {{ resolved_part('usage', is_use_before_snapshot(30)) }} as used
        on used.customer_id = population.customer_id
        and {{ in_last('used.used_on', 'population.as_of', 30) }}
    where used.events > 0
    group by population.snapshot_id
),

begun as (
    select population.snapshot_id, population.as_of, period.*
    from population
    inner join {{ ref('int_subscription_periods') }} as period
        on period.customer_id = population.customer_id
        and period.active_from <= population.as_of
    where not period.is_never_active
),

subscriptions as (
    select
        begun.snapshot_id,
        count(*) as subscriptions_total,
        count(*) filter (where {{ is_running('begun') }}) as subscriptions_active,
        max(begun.started_on) filter (where {{ is_running('begun') }}) as subscription_started_on,
        min(version.contract_ends_on) filter (where {{ is_running('begun') }}) as contract_ends_on,
        sum({{ in_business_currency(price_on('version', 'begun.as_of'), 'version') }})
            filter (where {{ is_running('begun') }}) as monthly_price,
        bool_and(version.cancel_requested_on is not null and version.cancel_requested_on <= begun.as_of)
            filter (where {{ is_running('begun') }}) as has_given_notice
    from begun
    left join {{ ref('int_subscription_versions') }} as version
        on version.subscription_id = begun.subscription_id
        and version.valid_from <= begun.as_of
        and (version.valid_to is null or begun.as_of < version.valid_to)
    cross join run
    left join {{ ref('int_fx_rates') }} as fx on fx.currency = version.currency and fx.day = begun.as_of
    group by begun.snapshot_id
),

tickets as (
    select
        population.snapshot_id,
        count(*) filter (where ticket.opened_on > {{ add_days('population.as_of', -90) }}) as tickets_90d,
        count(*) filter (where ticket.solved_on is null or ticket.solved_on > population.as_of) as tickets_open
    from population
    inner join {{ ref('int_tickets') }} as ticket
        on ticket.customer_id = population.customer_id
        and ticket.opened_on <= population.as_of
    group by population.snapshot_id
),

answers as (
    select
        population.snapshot_id,
        max_by(answer.score, (answer.answered_at, answer.response_id)) filter (where answer.survey = 'nps') as last_nps,
        max_by(answer.score, (answer.answered_at, answer.response_id)) filter (where answer.survey = 'csat') as last_csat
    from population
    inner join {{ ref('int_survey_answers') }} as answer
        on answer.customer_id = population.customer_id
        and answer.answered_on <= population.as_of
    group by population.snapshot_id
),

touches as (
    select
        population.snapshot_id,
        sum(touch.failed_payments) filter (where {{ in_last('touch.day', 'population.as_of', 90) }}) as failed_payments_90d,
        sum(touch.messages_opened) filter (where {{ in_last('touch.day', 'population.as_of', 90) }}) as messages_opened_90d,
        sum(touch.unsubscribes) filter (where {{ in_last('touch.day', 'population.as_of', 180) }}) as unsubscribes_180d,
        sum(touch.points) as points_balance
    from population
    inner join {{ ref('int_daily_touches') }} as touch
        on touch.customer_id = population.customer_id
        and touch.day <= population.as_of
    group by population.snapshot_id
)

select
    population.as_of,
    population.customer_id,
    customer.customer_key,
    population.is_active,
    population.period_number,
    population.period_started_on,
    {{ days_between('customer.first_seen_on', 'population.as_of') }} as tenure_days,
    {{ days_between('population.period_started_on', 'population.as_of') }} as days_in_period,
    {{ days_between('last_activities.last_day', 'population.as_of') }} as days_since_last_activity,
    last_activities.last_day as last_activity_on,
    totals.first_order_on,
    totals.last_order_on,
    {%- for name in ['orders_30d', 'orders_90d', 'orders_prior_90d', 'orders_365d'] %}
    {{ if_fed('order_lines', 'cast(coalesce(orders.' ~ name ~ ', 0) as integer)') }} as {{ name }},
    {%- endfor %}
    {{ if_fed('order_lines', 'cast(coalesce(totals.orders_total, 0) as integer)') }} as orders_total,
    {%- for name in ['revenue_30d', 'revenue_90d', 'revenue_365d'] %}
    {{ if_fed('order_lines', 'cast(coalesce(orders.' ~ name ~ ', 0) as decimal(18, 4))') }} as {{ name }},
    {%- endfor %}
    {{ if_fed('order_lines', 'cast(coalesce(totals.revenue_total, 0) as decimal(18, 4))') }} as revenue_total,
    {{ ratio('totals.purchase_value_total', 'totals.orders_total') }} as average_basket,
    {{ days_between('totals.last_order_on', 'population.as_of') }} as days_since_last_order,
    {{ ratio(days_between('totals.first_order_on', 'totals.last_order_on'), 'totals.order_days - 1') }}
        as mean_order_interval_days,
    {{ ratio(
        days_between('totals.last_order_on', 'population.as_of') ~ ' * (totals.order_days - 1)',
        days_between('totals.first_order_on', 'totals.last_order_on')
    ) }} as overdue_ratio,
    {{ ratio('orders.return_value_365d', 'orders.purchase_value_365d') }} as return_share_365d,
    {%- for name in [
        'usage_days_7d', 'usage_days_30d', 'usage_days_prior_30d', 'usage_events_7d', 'usage_events_30d',
        'usage_events_prior_30d'
    ] %}
    {{ if_fed('usage', 'cast(coalesce(usage.' ~ name ~ ', 0) as integer)') }} as {{ name }},
    {%- endfor %}
    {{ if_fed('usage', ratio(
        'coalesce(usage.usage_events_30d, 0) - usage.usage_events_prior_30d', 'usage.usage_events_prior_30d'
    )) }} as usage_change_30d,
    {{ days_between('last_uses.last_day', 'population.as_of') }} as days_since_last_usage,
    {{ if_fed('usage', 'cast(coalesce(features_used.usage_features_30d, 0) as integer)') }} as usage_features_30d,
    {%- for name in ['events_30d', 'help_views_30d', 'cancel_views_30d'] %}
    {{ if_fed('events', 'cast(coalesce(events.' ~ name ~ ', 0) as integer)') }} as {{ name }},
    {%- endfor %}
    {{ if_fed('subscriptions', 'cast(coalesce(subscriptions.subscriptions_active, 0) as integer)') }}
        as subscriptions_active,
    {{ if_fed('subscriptions', 'cast(coalesce(subscriptions.subscriptions_total, 0) as integer)') }}
        as subscriptions_total,
    {{ days_between('subscriptions.subscription_started_on', 'population.as_of') }} as days_since_subscription_start,
    subscriptions.subscription_started_on,
    {{ days_between('population.as_of', 'subscriptions.contract_ends_on') }} as days_to_contract_end,
    cast(subscriptions.monthly_price as decimal(18, 4)) as monthly_price,
    {{ if_fed('tickets', 'cast(coalesce(tickets.tickets_90d, 0) as integer)') }} as tickets_90d,
    {{ if_fed('tickets', 'cast(coalesce(tickets.tickets_open, 0) as integer)') }} as tickets_open,
    answers.last_nps,
    answers.last_csat,
    {{ if_fed('payment_attempts', 'cast(coalesce(touches.failed_payments_90d, 0) as integer)') }}
        as failed_payments_90d,
    {{ if_fed('messages', 'cast(coalesce(touches.messages_opened_90d, 0) as integer)') }} as messages_opened_90d,
    {{ if_fed('messages', 'cast(coalesce(touches.unsubscribes_180d, 0) as integer)') }} as unsubscribes_180d,
    {{ if_fed('loyalty', 'cast(coalesce(touches.points_balance, 0) as bigint)') }} as points_balance,
    cast(extract(month from population.as_of) as integer) as month_of_year,
    coalesce(subscriptions.has_given_notice, false) as has_given_notice
from population
cross join run
inner join {{ ref('int_customers') }} as customer on customer.customer_id = population.customer_id
left join last_activities on last_activities.snapshot_id = population.snapshot_id
left join last_uses on last_uses.snapshot_id = population.snapshot_id
left join totals on totals.snapshot_id = population.snapshot_id
left join orders on orders.snapshot_id = population.snapshot_id
left join usage on usage.snapshot_id = population.snapshot_id
left join events on events.snapshot_id = population.snapshot_id
left join features_used on features_used.snapshot_id = population.snapshot_id
left join subscriptions on subscriptions.snapshot_id = population.snapshot_id
left join tickets on tickets.snapshot_id = population.snapshot_id
left join answers on answers.snapshot_id = population.snapshot_id
left join touches on touches.snapshot_id = population.snapshot_id
