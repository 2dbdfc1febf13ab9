-- The card that a try to collect names holds until a later try names another.
with tries as (
    select
        attempt.customer_id,
        cast(attempt.attempted_at at time zone 'UTC' at time zone run.timezone as date) as day,
        max_by(attempt.card_expires_on, (attempt.attempted_at, attempt.attempt_id)) as expires_on
    from (
        select feed.* replace (coalesce(identity.canonical_id, feed.customer_id) as customer_id)
        from "warehouse"."staging"."stg_payment_attempts" as feed
        left join "warehouse"."intermediate"."int_canonical_ids" as identity on identity.customer_id = feed.customer_id
    ) as attempt
    cross join "warehouse"."intermediate"."int_run_context" as run
    where attempt.card_expires_on is not null
        and attempt.customer_id not in (select customer_id from "warehouse"."intermediate"."int_test_accounts")
    group by all
),

changes as (
    select *
    from tries
    qualify expires_on is distinct from lag(expires_on) over (partition by customer_id order by day)
)

select
    customer_id,
    day as valid_from,
    lead(day) over (partition by customer_id order by day) as valid_to,
    expires_on
from changes