with run as (
    select * from {{ ref('int_run_context') }}
),

purchases as (
    select customer_id, max(day) as last_on
    from {{ ref('int_daily_activity') }}
    where orders > 0
    group by customer_id
),

-- A cart is no longer abandoned once something was bought later.
carts as (
    select moment.customer_id, max(moment.day) as cart_on
    from {{ ref('int_moments') }} as moment
    left join purchases on purchases.customer_id = moment.customer_id
    where moment.abandoned_on is not null
        and (purchases.last_on is null or purchases.last_on < moment.day)
    group by moment.customer_id
),

reached as (
    select customer_id, coalesce(detail, 'unnamed') as milestone
    from {{ ref('int_moments') }}
    where kind = 'milestone_reached'
    group by all
),

-- What a tenth of those who reached anything have reached is a milestone of the business; rarer names are none.
milestones as (
    select milestone
    from reached
    group by milestone
    having 10 * count(*) >= (select count(distinct customer_id) from reached)
),

progress as (
    select customer_id, count(*) as reached
    from reached
    inner join milestones using (milestone)
    group by customer_id
),

-- What expires first is spent first. Of the points that expire by a day, those are left that spending has not used up.
points as (
    select
        entry.customer_id,
        coalesce(sum(entry.points) filter (where entry.points > 0 and entry.expires_on <= run.as_of), 0) as expired,
        coalesce(
            sum(entry.points) filter (where entry.points > 0 and entry.expires_on <= {{ add_days('run.as_of', 30) }}), 0
        ) as expired_soon,
        coalesce(- sum(entry.points) filter (where entry.points < 0), 0) as spent
    from {{ resolved(ref('stg_loyalty')) }} as entry
    cross join run
    group by entry.customer_id
)

select
    customer.customer_id,
    carts.cart_on as abandoned_cart_on,
    {{ if_fed('events', 'cast(coalesce(progress.reached, 0) as integer)') }} as milestones_reached,
    {{ if_fed('events', 'cast((select count(*) from milestones) - coalesce(progress.reached, 0) as integer)') }}
        as milestones_missing,
    cast(
        {{ if_fed('loyalty', 'greatest(coalesce(points.expired_soon - points.spent, 0), 0) - greatest(coalesce(points.expired - points.spent, 0), 0)') }}
        as bigint
    ) as points_expiring_30d
from {{ ref('int_customers') }} as customer
cross join run
left join carts on carts.customer_id = customer.customer_id
left join progress on progress.customer_id = customer.customer_id
left join points on points.customer_id = customer.customer_id
