-- The card that a try to collect names holds until a later try names another.
with tries as (
    select
        attempt.customer_id,
        {{ day_of('attempt.attempted_at', 'run.timezone') }} as day,
        max_by(attempt.card_expires_on, (attempt.attempted_at, attempt.attempt_id)) as expires_on
    from {{ resolved(ref('stg_payment_attempts')) }} as attempt
    cross join {{ ref('int_run_context') }} as run
    where attempt.card_expires_on is not null
        and attempt.customer_id not in (select customer_id from {{ ref('int_test_accounts') }})
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
