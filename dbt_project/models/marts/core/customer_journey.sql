{#- kind → its order within a day: what comes first causes, what comes last is caused. -#}
{%- set order = [
    'signup', 'cart_added', 'cart_checked_out', 'cart_abandoned', 'first_purchase', 'order', 'return', 'trial_started',
    'subscription_started', 'plan_changed', 'paused', 'resumed', 'use', 'milestone_reached', 'loyalty_points', 'message',
    'ticket_opened', 'ticket_solved', 'survey_answered', 'review', 'payment_failed', 'payment_recovered',
    'cancel_requested', 'subscription_ended', 'churned', 'reactivated',
] -%}
{%- set no_amount = 'cast(null as decimal(18, 4))' -%}
with run as (
    select * from {{ ref('int_run_context') }}
),

orders as (
    select
        customer_id, ordered_on, purchase_value, return_value, is_purchase,
        row_number() over (partition by customer_id, is_purchase order by ordered_on, order_id) as number
    from {{ ref('int_orders') }}
    where customer_id is not null
),

requests as (
    select
        customer_id, plan, cancel_requested_on,
        lag(cancel_requested_on) over (partition by subscription_id order by valid_from) as previous_request_on
    from {{ ref('int_subscription_versions') }}
),

spans as (
    select
        *,
        lag(state) over by_day as previous_state,
        lag(plan) over by_day as previous_plan
    from {{ ref('int_mrr_spans') }}
    window by_day as (partition by subscription_id order by valid_from)
),

touches as (
    select customer_id, first_seen_on as day, 'signup' as kind, acquisition_channel as detail, {{ no_amount }} as amount
    from {{ ref('int_customers') }}

    union all

    select
        customer_id, ordered_on, case when number = 1 then 'first_purchase' else 'order' end, null, purchase_value
    from orders
    where is_purchase

    union all

    select customer_id, ordered_on, 'return', null, return_value
    from orders
    where return_value > 0

    union all

    select customer_id, valid_from, 'trial_started', plan, null
    from spans
    where state = 'trial' and previous_state is null

    union all

    select customer_id, valid_from, 'subscription_started', plan, null
    from spans
    where state = 'paid' and (previous_state is null or previous_state = 'trial')

    union all

    select customer_id, valid_from, 'plan_changed', plan, null
    from spans
    where plan <> previous_plan

    union all

    select customer_id, valid_from, 'paused', plan, null
    from spans
    where state = 'paused' and previous_state is distinct from 'paused'

    union all

    select customer_id, valid_from, 'resumed', plan, null
    from spans
    where state = 'paid' and previous_state = 'paused'

    union all

    select customer_id, cancel_requested_on, 'cancel_requested', plan, null
    from requests
    where cancel_requested_on is distinct from previous_request_on and cancel_requested_on is not null

    union all

    select customer_id, ended_on, 'subscription_ended', end_kind, null
    from {{ ref('int_subscription_periods') }}
    where ended_on is not null

    union all

    select customer_id, first_attempt_on, 'payment_failed', failure_code, amount_due
    from {{ ref('int_invoice_collection') }}
    where is_first_failed

    union all

    select customer_id, recovered_on, 'payment_recovered', failure_code, recovered_amount
    from {{ ref('int_invoice_collection') }}
    where recovered_on is not null

    union all

    select customer_id, opened_on, 'ticket_opened', null, null
    from {{ ref('int_tickets') }}

    union all

    select customer_id, solved_on, 'ticket_solved', null, null
    from {{ ref('int_tickets') }}
    where solved_on is not null

    union all

    select customer_id, answered_on, 'survey_answered', survey, cast(score as decimal(18, 4))
    from {{ ref('int_survey_answers') }}

    union all

    -- One line a message: the furthest that it came to.
    select
        customer_id, sent_on, 'message',
        case
            when is_complained then 'complained'
            when is_unsubscribed then 'unsubscribed'
            when is_converted then 'converted'
            when is_clicked then 'clicked'
            when is_opened then 'opened'
            when is_bounced then 'bounced'
            when is_delivered then 'delivered'
            else 'sent'
        end,
        null
    from {{ ref('int_message_outcomes') }}

    union all

    select customer_id, day, kind, detail, null
    from {{ ref('int_moments') }}

    union all

    select customer_id, abandoned_on, 'cart_abandoned', null, null
    from {{ ref('int_moments') }}
    where abandoned_on is not null

    union all

    -- Use and logins: one line a month, on its first day of use, with the days of use.
    select customer_id, min(day), 'use', null, cast(count(*) as decimal(18, 4))
    from {{ ref('int_daily_activity') }}
    where usage_events > 0 or events > 0
    group by customer_id, {{ month_start('day') }}

    union all

    select customer_id, day, 'loyalty_points', case when points < 0 then 'spent' else 'earned' end,
        cast(points as decimal(18, 4))
    from {{ ref('int_daily_touches') }}
    where points <> 0

    union all

    select customer_id, started_on, 'reactivated', null, null
    from {{ ref('int_active_periods') }}
    where period_number > 1

    union all

    select customer_id, ended_on, 'churned', end_kind, null
    from {{ ref('int_active_periods') }}
    where is_churn
)

select
    customer.customer_key,
    cast(
        row_number() over (
            partition by touches.customer_id
            order by
                touches.day,
                case touches.kind {% for kind in order %}when '{{ kind }}' then {{ loop.index }} {% endfor %}end,
                touches.detail nulls first,
                touches.amount nulls first
        ) as integer
    ) as sequence_number,
    touches.day as occurred_on,
    touches.kind,
    touches.detail,
    cast(touches.amount as decimal(18, 4)) as amount
from touches
cross join run
inner join {{ ref('int_customers') }} as customer on customer.customer_id = touches.customer_id
where touches.day <= run.as_of
