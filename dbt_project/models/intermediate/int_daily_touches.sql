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
    from {{ resolved(ref('stg_payment_attempts')) }} as attempt
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
    from {{ resolved(ref('stg_messages')) }} as message
    cross join run
    where message.event in ('opened', 'unsubscribed')
    group by all

    union all

    select
        entry.customer_id,
        {{ day_of('entry.occurred_at', 'run.timezone') }} as day,
        0, 0, 0,
        sum(entry.points)
    from {{ resolved(ref('stg_loyalty')) }} as entry
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
group by customer_id, day
