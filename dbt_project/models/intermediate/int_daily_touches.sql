{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ forget(['customer_id', 'day'], 'int_changed_days') }}"
) }}
with run as (
    select * from {{ ref('int_run_context') }}
),

touches as (
    select
        attempt.customer_id,
        {{ day_of('attempt.attempted_at', 'run.timezone') }} as day,
        count(*) as failed_payments,
        0 as messages_opened,
        0 as unsubscribes,
        0 as points
    from {{ resolved_part('payment_attempts', is_of_changed_day('payment_attempts')) }} as attempt
    cross join run
    where attempt.outcome = 'failed'
    group by all

    union all

    select
        message.customer_id,
        {{ day_of('message.occurred_at', 'run.timezone') }} as day,
        0,
        count(*) filter (where message.event = 'opened'),
        count(*) filter (where message.event = 'unsubscribed'),
        0
    from {{ resolved_part('messages', is_of_changed_day('messages')) }} as message
    cross join run
    where message.event in ('opened', 'unsubscribed')
    group by all

    union all

    select
        entry.customer_id,
        {{ day_of('entry.occurred_at', 'run.timezone') }} as day,
        0, 0, 0,
        sum(entry.points)
    from {{ resolved_part('loyalty', is_of_changed_day('loyalty')) }} as entry
    cross join run
    group by all
)

select
    customer_id,
    day,
    cast(sum(failed_payments) as integer) as failed_payments,
    cast(sum(messages_opened) as integer) as messages_opened,
    cast(sum(unsubscribes) as integer) as unsubscribes,
    cast(sum(points) as bigint) as points
from touches
{% if is_increment() -%}
where {{ is_among('customer_id, day', ['customer_id', 'day'], 'int_changed_days') }}
{% endif -%}
group by customer_id, day
