with run as (
    select * from {{ ref('int_run_context') }}
),

totals as (
    select
        entry.customer_id,
        sum(entry.points) as balance,
        sum(case when entry.points < 0 then -entry.points else 0 end) as spent,
        sum(case when entry.points > 0 and entry.expires_on <= run.as_of then entry.points else 0 end) as expired,
        sum(
            case
                when entry.points > 0 and entry.expires_on <= {{ add_days('run.as_of', 30) }} then entry.points else 0
            end
        ) as expiring
    from {{ resolved(ref('stg_loyalty')) }} as entry
    cross join run
    group by entry.customer_id
)

-- Points go in the order in which they expire: what was spent, or is booked as expired, comes off those that expire first.
select
    customer_id,
    cast(least(
        greatest(expiring - spent, 0) - greatest(expired - spent, 0),
        greatest(balance, 0)
    ) as bigint) as points_expiring_30d
from totals
