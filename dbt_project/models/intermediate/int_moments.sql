-- The one pass over single events for the journey: what is worth a line of its own. Logins and views are counted by day
-- in int_daily_activity.
with run as (
    select * from {{ ref('int_run_context') }}
),

moments as (
    select
        event.customer_id,
        {{ day_of('event.occurred_at', 'run.timezone') }} as day,
        event.name as kind,
        case
            when event.name = 'milestone_reached' then {{ code_in('event.properties', 'milestone') }}
        end as detail
    from {{ resolved(ref('stg_events')) }} as event
    cross join run
    where event.name in ('cart_added', 'cart_checked_out', 'milestone_reached')
        and event.customer_id not in (select customer_id from {{ ref('int_test_accounts') }})
),

-- Of a cart that was filled several times on a day, one line.
days as (
    select customer_id, day, kind, detail
    from moments
    group by customer_id, day, kind, detail
),

bought as (
    select customer_id, day from days where kind = 'cart_checked_out'
    union
    select customer_id, ordered_on from {{ ref('int_orders') }} where is_purchase and customer_id is not null
),

carts as (
    select days.customer_id, days.day, min(bought.day) as bought_on
    from days
    cross join run
    left join bought
        on bought.customer_id = days.customer_id
        and bought.day >= days.day
        and bought.day <= {{ add_days('days.day', 'run.cart_days') }}
    where days.kind = 'cart_added'
    group by days.customer_id, days.day
)

select
    days.customer_id,
    days.day,
    days.kind,
    days.detail,
    -- Known when the last of the days has passed.
    case
        when days.kind = 'cart_added' and carts.bought_on is null
            and {{ add_days('days.day', 'run.cart_days') }} <= run.as_of
            then {{ add_days('days.day', 'run.cart_days') }}
    end as abandoned_on
from days
cross join run
left join carts
    on carts.customer_id = days.customer_id
    and carts.day = days.day
    and days.kind = 'cart_added'

union all

select
    review.customer_id,
    {{ day_of('review.posted_at', 'run.timezone') }} as day,
    'review' as kind,
    cast(cast(round(review.rating) as integer) as varchar) as detail,
    cast(null as date) as abandoned_on
from {{ resolved(ref('stg_reviews')) }} as review
cross join run
where review.customer_id is not null
    and review.customer_id not in (select customer_id from {{ ref('int_test_accounts') }})
