-- The one pass over the events of messages: what is told of e-mails is told from here.
with run as (
    select * from {{ ref('int_run_context') }}
),

messages as (
    select
        message.message_id,
        message.customer_id,
        min(message.campaign) as campaign,
        min(message.list_id) as list_id,
        min(message.channel) as channel,
        min(message.occurred_at) as sent_at,
        min(message.occurred_at) filter (where message.event = 'delivered') as delivered_at,
        min(message.occurred_at) filter (where message.event = 'bounced') as bounced_at,
        min(message.occurred_at) filter (where message.event = 'unsubscribed') as unsubscribed_at,
        min(message.occurred_at) filter (where message.event = 'complained') as complained_at,
        min(message.occurred_at) filter (where message.event = 'converted') as converted_at,
        {{ collected('message.occurred_at') }} filter (where message.event = 'opened') as opens,
        {{ collected('message.occurred_at') }} filter (where message.event = 'clicked') as clicks
    from {{ resolved(ref('stg_messages')) }} as message
    where message.customer_id not in (select customer_id from {{ ref('int_test_accounts') }})
    group by message.message_id, message.customer_id
),

dated as (
    select
        messages.*,
        {{ day_of('messages.sent_at', 'run.timezone') }} as sent_on,
        -- What comes later is no answer to the message, and would change figures of the past.
        {{ begin_of_day(add_days(day_of('messages.sent_at', 'run.timezone'), 'run.response_days + 1'), 'run.timezone') }}
            as answers_until,
        case
            -- Where times are whole days, seconds tell nothing.
            when coalesce(messages.delivered_at, messages.sent_at)
                = {{ begin_of_day(day_of('coalesce(messages.delivered_at, messages.sent_at)', 'run.timezone'), 'run.timezone') }}
                then null
            when run.machine_open_seconds > 0
                then {{ add_seconds('coalesce(messages.delivered_at, messages.sent_at)', 'run.machine_open_seconds') }}
        end as machines_until,
        run.as_of,
        run.response_days
    from messages
    cross join run
),

answered as (
    select
        *,
        {{ month_start('sent_on') }} as sent_month,
        {{ greatest_until('opens', 'answers_until') }} as last_open_at,
        {{ greatest_until('clicks', 'answers_until') }} as last_click_at
    from dated
),

told_apart as (
    select
        *,
        coalesce(last_click_at > coalesce(machines_until, timestamp '1900-01-01'), false) as is_clicked,
        coalesce(
            greatest(last_open_at, last_click_at) > coalesce(machines_until, timestamp '1900-01-01'), false
        ) as is_opened,
        last_open_at is not null or last_click_at is not null as has_answer,
        coalesce(delivered_at < answers_until, false) as is_reported_delivered,
        coalesce(bounced_at < answers_until, false) as is_reported_bounced,
        coalesce(unsubscribed_at < answers_until, false) as is_unsubscribed,
        coalesce(complained_at < answers_until, false) as is_complained,
        coalesce(converted_at < answers_until, false) as is_converted
    from answered
),

-- A channel that reports no delivery at all in a month: there, all that did not bounce was delivered.
reporting as (
    select channel, sent_month, bool_or(is_reported_delivered) as reports_deliveries
    from told_apart
    group by channel, sent_month
),

outcomes as (
    select
        told_apart.*,
        told_apart.has_answer or told_apart.is_unsubscribed or told_apart.is_complained or told_apart.is_converted
            as is_received,
        reporting.reports_deliveries
    from told_apart
    inner join reporting
        on reporting.channel = told_apart.channel
        and reporting.sent_month = told_apart.sent_month
)

select
    outcomes.message_id,
    outcomes.customer_id,
    coalesce(outcomes.campaign, 'none') as campaign,
    coalesce(outcomes.list_id, 'none') as list_id,
    contact.play,
    contact.arm,
    outcomes.channel,
    outcomes.sent_on,
    outcomes.sent_month,
    {{ add_days('outcomes.sent_on', 'outcomes.response_days') }} <= outcomes.as_of as is_complete,
    outcomes.is_received
    or (
        not outcomes.is_reported_bounced
        and (outcomes.is_reported_delivered or not outcomes.reports_deliveries)
    ) as is_delivered,
    outcomes.is_reported_bounced and not outcomes.is_received as is_bounced,
    outcomes.is_opened,
    outcomes.last_open_at is not null and not outcomes.is_opened as is_machine_opened,
    outcomes.is_clicked,
    outcomes.is_unsubscribed,
    outcomes.is_complained,
    outcomes.is_converted
from outcomes
left join {{ ref('int_customers') }} as customer on customer.customer_id = outcomes.customer_id
left join {{ source('control', 'contacts') }} as contact
    on contact.list_id = outcomes.list_id
    and contact.customer_key = customer.customer_key
    and contact.day <= outcomes.as_of
