with losses as (
    select
        customer_id,
        'period-' || period_number as event,
        period_number,
        happened_on,
        ended_on as known_on,
        end_kind,
        is_early
    from {{ ref('int_active_periods') }}
    where is_churn

    union all

    -- Nobody was active, so nobody is lost: an event of its own label.
    select
        customer_id,
        'before-start-' || row_number() over (partition by customer_id order by ended_on, subscription_id) as event,
        cast(null as integer) as period_number,
        ended_on as happened_on,
        ended_on as known_on,
        'cancelled_before_start' as end_kind,
        false as is_early
    from {{ ref('int_subscription_periods') }}
    where is_cancelled_before_start
)

select
    customer.customer_key || '-' || losses.event as event_id,
    customer.customer_key,
    losses.period_number,
    losses.happened_on,
    losses.known_on,
    losses.end_kind,
    losses.end_kind <> 'inactivity' as is_contractual,
    losses.end_kind in ('cancelled', 'term_end', 'cancelled_before_start') as is_voluntary,
    losses.end_kind = 'involuntary' as is_involuntary,
    losses.is_early,
    losses.end_kind = 'cancelled_before_start' as is_cancelled_before_start
from losses
inner join {{ ref('int_customers') }} as customer on customer.customer_id = losses.customer_id
