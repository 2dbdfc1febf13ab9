with run as (
    select * from "warehouse"."intermediate"."int_run_context"
),

touches as (
    select
        attempt.customer_id,
        cast(attempt.attempted_at at time zone 'UTC' at time zone run.timezone as date) as day,
        count(*) as failed_payments,
        0 as messages_opened,
        0 as unsubscribes,
        0 as points
    from (
        select feed.* replace (coalesce(identity.canonical_id, feed.customer_id) as customer_id)
        from "warehouse"."staging"."stg_payment_attempts" as feed
        left join "warehouse"."intermediate"."int_canonical_ids" as identity on identity.customer_id = feed.customer_id
    ) as attempt
    cross join run
    where attempt.outcome = 'failed'
    group by all

    union all

    select
        message.customer_id,
        cast(message.occurred_at at time zone 'UTC' at time zone run.timezone as date) as day,
        0,
        count(*) filter (where message.event = 'opened'),
        count(*) filter (where message.event = 'unsubscribed'),
        0
    from (
        select feed.* replace (coalesce(identity.canonical_id, feed.customer_id) as customer_id)
        from "warehouse"."staging"."stg_messages" as feed
        left join "warehouse"."intermediate"."int_canonical_ids" as identity on identity.customer_id = feed.customer_id
    ) as message
    cross join run
    where message.event in ('opened', 'unsubscribed')
    group by all

    union all

    select
        entry.customer_id,
        cast(entry.occurred_at at time zone 'UTC' at time zone run.timezone as date) as day,
        0, 0, 0,
        sum(entry.points)
    from (
        select feed.* replace (coalesce(identity.canonical_id, feed.customer_id) as customer_id)
        from "warehouse"."staging"."stg_loyalty" as feed
        left join "warehouse"."intermediate"."int_canonical_ids" as identity on identity.customer_id = feed.customer_id
    ) as entry
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