
    

    create  table
      "warehouse"."intermediate"."int_customer_snapshots__dbt_tmp"
  
    
    as (
      -- What was known about a customer at the end of each observation date. Every join looks back from `as_of`.
with run as (
    select * from "warehouse"."intermediate"."int_run_context"
),

active as (
    select
        date.as_of,
        period.customer_id,
        period.period_number,
        period.started_on as period_started_on
    from "warehouse"."intermediate"."int_observation_dates" as date
    inner join "warehouse"."intermediate"."int_active_periods" as period
        on period.started_on <= date.as_of
        and (period.ended_on is null or date.as_of < period.ended_on)
),

-- On the as-of day itself everybody, also who is not active.
everybody as (
    select as_of, customer_id, period_number, period_started_on, true as is_active
    from active

    union all

    select run.as_of, customer.customer_id, null, null, false
    from "warehouse"."intermediate"."int_customers" as customer
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
    select population.snapshot_id, day.day as last_day
    from population
    inner join (
        select customer_id, day, lead(day) over (partition by customer_id order by day) as next_day
        from "warehouse"."intermediate"."int_daily_activity"
        where is_activity
    ) as day
        on day.customer_id = population.customer_id
        and day.day <= population.as_of
        and (day.next_day is null or day.next_day > population.as_of)
),

last_uses as (
    select population.snapshot_id, day.day as last_day
    from population
    inner join (
        select customer_id, day, lead(day) over (partition by customer_id order by day) as next_day
        from "warehouse"."intermediate"."int_daily_activity"
        where usage_events > 0
    ) as day
        on day.customer_id = population.customer_id
        and day.day <= population.as_of
        and (day.next_day is null or day.next_day > population.as_of)
),

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
    from "warehouse"."intermediate"."int_daily_activity"
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

orders as (
    select
        population.snapshot_id,
        sum(day.orders) as orders_365d,
        sum(day.orders) filter (where day.day > (population.as_of + cast(-30 as integer)) and day.day <= population.as_of) as orders_30d,
        sum(day.orders) filter (where day.day > (population.as_of + cast(-90 as integer)) and day.day <= population.as_of) as orders_90d,
        sum(day.orders) filter (
            where day.day > ((population.as_of + cast(-90 as integer)) + cast(-90 as integer)) and day.day <= (population.as_of + cast(-90 as integer))
        ) as orders_prior_90d,
        sum(day.revenue) as revenue_365d,
        sum(day.revenue) filter (where day.day > (population.as_of + cast(-30 as integer)) and day.day <= population.as_of) as revenue_30d,
        sum(day.revenue) filter (where day.day > (population.as_of + cast(-90 as integer)) and day.day <= population.as_of) as revenue_90d,
        sum(day.purchase_value) as purchase_value_365d,
        sum(day.return_value) as return_value_365d
    from population
    inner join "warehouse"."intermediate"."int_daily_activity" as day
        on day.customer_id = population.customer_id
        and day.day > (population.as_of + cast(-365 as integer)) and day.day <= population.as_of
    where day.has_orders
    group by population.snapshot_id
),

usage as (
    select
        population.snapshot_id,
        count(*) filter (where day.day > (population.as_of + cast(-7 as integer)) and day.day <= population.as_of) as usage_days_7d,
        count(*) filter (where day.day > (population.as_of + cast(-30 as integer)) and day.day <= population.as_of) as usage_days_30d,
        count(*) filter (
            where day.day > ((population.as_of + cast(-30 as integer)) + cast(-30 as integer)) and day.day <= (population.as_of + cast(-30 as integer))
        ) as usage_days_prior_30d,
        sum(day.usage_events) filter (where day.day > (population.as_of + cast(-7 as integer)) and day.day <= population.as_of) as usage_events_7d,
        sum(day.usage_events) filter (where day.day > (population.as_of + cast(-30 as integer)) and day.day <= population.as_of) as usage_events_30d,
        sum(day.usage_events) filter (
            where day.day > ((population.as_of + cast(-30 as integer)) + cast(-30 as integer)) and day.day <= (population.as_of + cast(-30 as integer))
        ) as usage_events_prior_30d
    from population
    inner join "warehouse"."intermediate"."int_daily_activity" as day
        on day.customer_id = population.customer_id
        and day.day > (population.as_of + cast(-60 as integer)) and day.day <= population.as_of
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
    inner join "warehouse"."intermediate"."int_daily_activity" as day
        on day.customer_id = population.customer_id
        and day.day > (population.as_of + cast(-30 as integer)) and day.day <= population.as_of
    where day.events > 0
    group by population.snapshot_id
),

features_used as (
    select population.snapshot_id, count(distinct used.feature) as usage_features_30d
    from population
    inner join (
        select feed.* replace (coalesce(identity.canonical_id, feed.customer_id) as customer_id)
        from "warehouse"."staging"."stg_usage" as feed
        left join "warehouse"."intermediate"."int_canonical_ids" as identity on identity.customer_id = feed.customer_id
    ) as used
        on used.customer_id = population.customer_id
        and used.used_on > (population.as_of + cast(-30 as integer)) and used.used_on <= population.as_of
    where used.events > 0
    group by population.snapshot_id
),

begun as (
    select population.snapshot_id, population.as_of, period.*
    from population
    inner join "warehouse"."intermediate"."int_subscription_periods" as period
        on period.customer_id = population.customer_id
        and period.active_from <= population.as_of
    where not period.is_never_active
),

subscriptions as (
    select
        begun.snapshot_id,
        count(*) as subscriptions_total,
        count(*) filter (where (begun.ended_on is null or begun.ended_on > begun.as_of)) as subscriptions_active,
        max(begun.started_on) filter (where (begun.ended_on is null or begun.ended_on > begun.as_of)) as subscription_started_on,
        min(version.contract_ends_on) filter (where (begun.ended_on is null or begun.ended_on > begun.as_of)) as contract_ends_on,
        sum(case
        when version.currency = run.currency then case
        when version.discount_ends_on <= begun.as_of then version.monthly_list_price
        else version.monthly_list_price - version.monthly_discount
    end
        else cast(round((case
        when version.discount_ends_on <= begun.as_of then version.monthly_list_price
        else version.monthly_list_price - version.monthly_discount
    end) * fx.rate_to_business, 4) as decimal(18, 4))
    end)
            filter (where (begun.ended_on is null or begun.ended_on > begun.as_of)) as monthly_price,
        bool_and(version.cancel_requested_on is not null and version.cancel_requested_on <= begun.as_of)
            filter (where (begun.ended_on is null or begun.ended_on > begun.as_of)) as has_given_notice
    from begun
    left join "warehouse"."intermediate"."int_subscription_versions" as version
        on version.subscription_id = begun.subscription_id
        and version.valid_from <= begun.as_of
        and (version.valid_to is null or begun.as_of < version.valid_to)
    cross join run
    left join "warehouse"."intermediate"."int_fx_rates" as fx on fx.currency = version.currency and fx.day = begun.as_of
    group by begun.snapshot_id
),

tickets as (
    select
        population.snapshot_id,
        count(*) filter (where ticket.opened_on > (population.as_of + cast(-90 as integer))) as tickets_90d,
        count(*) filter (where ticket.solved_on is null or ticket.solved_on > population.as_of) as tickets_open
    from population
    inner join "warehouse"."intermediate"."int_tickets" as ticket
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
    inner join "warehouse"."intermediate"."int_survey_answers" as answer
        on answer.customer_id = population.customer_id
        and answer.answered_on <= population.as_of
    group by population.snapshot_id
),

touches as (
    select
        population.snapshot_id,
        sum(touch.failed_payments) filter (where touch.day > (population.as_of + cast(-90 as integer)) and touch.day <= population.as_of) as failed_payments_90d,
        sum(touch.messages_opened) filter (where touch.day > (population.as_of + cast(-90 as integer)) and touch.day <= population.as_of) as messages_opened_90d,
        sum(touch.unsubscribes) filter (where touch.day > (population.as_of + cast(-180 as integer)) and touch.day <= population.as_of) as unsubscribes_180d,
        sum(touch.points) as points_balance
    from population
    inner join "warehouse"."intermediate"."int_daily_touches" as touch
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
    cast(population.as_of - customer.first_seen_on as integer) as tenure_days,
    cast(population.as_of - population.period_started_on as integer) as days_in_period,
    cast(population.as_of - last_activities.last_day as integer) as days_since_last_activity,
    last_activities.last_day as last_activity_on,
    totals.first_order_on,
    totals.last_order_on,
    case when run.has_order_lines then cast(coalesce(orders.orders_30d, 0) as integer) end as orders_30d,
    case when run.has_order_lines then cast(coalesce(orders.orders_90d, 0) as integer) end as orders_90d,
    case when run.has_order_lines then cast(coalesce(orders.orders_prior_90d, 0) as integer) end as orders_prior_90d,
    case when run.has_order_lines then cast(coalesce(orders.orders_365d, 0) as integer) end as orders_365d,
    case when run.has_order_lines then cast(coalesce(totals.orders_total, 0) as integer) end as orders_total,
    case when run.has_order_lines then cast(coalesce(orders.revenue_30d, 0) as decimal(18, 4)) end as revenue_30d,
    case when run.has_order_lines then cast(coalesce(orders.revenue_90d, 0) as decimal(18, 4)) end as revenue_90d,
    case when run.has_order_lines then cast(coalesce(orders.revenue_365d, 0) as decimal(18, 4)) end as revenue_365d,
    case when run.has_order_lines then cast(coalesce(totals.revenue_total, 0) as decimal(18, 4)) end as revenue_total,
    round(cast(totals.purchase_value_total as double) / nullif(cast(totals.orders_total as double), 0), 6) as average_basket,
    cast(population.as_of - totals.last_order_on as integer) as days_since_last_order,
    round(cast(cast(totals.last_order_on - totals.first_order_on as integer) as double) / nullif(cast(totals.order_days - 1 as double), 0), 6)
        as mean_order_interval_days,
    round(cast(cast(population.as_of - totals.last_order_on as integer) * (totals.order_days - 1) as double) / nullif(cast(cast(totals.last_order_on - totals.first_order_on as integer) as double), 0), 6) as overdue_ratio,
    round(cast(orders.return_value_365d as double) / nullif(cast(orders.purchase_value_365d as double), 0), 6) as return_share_365d,
    case when run.has_usage then cast(coalesce(usage.usage_days_7d, 0) as integer) end as usage_days_7d,
    case when run.has_usage then cast(coalesce(usage.usage_days_30d, 0) as integer) end as usage_days_30d,
    case when run.has_usage then cast(coalesce(usage.usage_days_prior_30d, 0) as integer) end as usage_days_prior_30d,
    case when run.has_usage then cast(coalesce(usage.usage_events_7d, 0) as integer) end as usage_events_7d,
    case when run.has_usage then cast(coalesce(usage.usage_events_30d, 0) as integer) end as usage_events_30d,
    case when run.has_usage then cast(coalesce(usage.usage_events_prior_30d, 0) as integer) end as usage_events_prior_30d,
    case when run.has_usage then round(cast(coalesce(usage.usage_events_30d, 0) - usage.usage_events_prior_30d as double) / nullif(cast(usage.usage_events_prior_30d as double), 0), 6) end as usage_change_30d,
    cast(population.as_of - last_uses.last_day as integer) as days_since_last_usage,
    case when run.has_usage then cast(coalesce(features_used.usage_features_30d, 0) as integer) end as usage_features_30d,
    case when run.has_events then cast(coalesce(events.events_30d, 0) as integer) end as events_30d,
    case when run.has_events then cast(coalesce(events.help_views_30d, 0) as integer) end as help_views_30d,
    case when run.has_events then cast(coalesce(events.cancel_views_30d, 0) as integer) end as cancel_views_30d,
    case when run.has_subscriptions then cast(coalesce(subscriptions.subscriptions_active, 0) as integer) end
        as subscriptions_active,
    case when run.has_subscriptions then cast(coalesce(subscriptions.subscriptions_total, 0) as integer) end
        as subscriptions_total,
    cast(population.as_of - subscriptions.subscription_started_on as integer) as days_since_subscription_start,
    subscriptions.subscription_started_on,
    cast(subscriptions.contract_ends_on - population.as_of as integer) as days_to_contract_end,
    cast(subscriptions.monthly_price as decimal(18, 4)) as monthly_price,
    case when run.has_tickets then cast(coalesce(tickets.tickets_90d, 0) as integer) end as tickets_90d,
    case when run.has_tickets then cast(coalesce(tickets.tickets_open, 0) as integer) end as tickets_open,
    answers.last_nps,
    answers.last_csat,
    case when run.has_payment_attempts then cast(coalesce(touches.failed_payments_90d, 0) as integer) end
        as failed_payments_90d,
    case when run.has_messages then cast(coalesce(touches.messages_opened_90d, 0) as integer) end as messages_opened_90d,
    case when run.has_messages then cast(coalesce(touches.unsubscribes_180d, 0) as integer) end as unsubscribes_180d,
    case when run.has_loyalty then cast(coalesce(touches.points_balance, 0) as bigint) end as points_balance,
    cast(extract(month from population.as_of) as integer) as month_of_year,
    coalesce(subscriptions.has_given_notice, false) as has_given_notice
from population
cross join run
inner join "warehouse"."intermediate"."int_customers" as customer on customer.customer_id = population.customer_id
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
    );
    
  