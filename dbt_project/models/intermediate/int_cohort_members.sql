-- Who belongs to a cohort, and what of them does not change afterwards.
with first_activity as (
    select customer_id, started_on as first_active_on
    from {{ ref('int_active_periods') }}
    where period_number = 1
),

first_purchases as (
    select customer_id, min(day) as first_purchase_on
    from {{ ref('int_daily_activity') }}
    where orders > 0
    group by customer_id
),

-- The plan of the first subscription on its first paid day: an upgrade later moves nobody to another cohort.
first_plans as (
    select period.customer_id, min_by(version.plan, (period.active_from, period.subscription_id)) as first_plan
    from {{ ref('int_subscription_periods') }} as period
    inner join {{ ref('int_subscription_versions') }} as version
        on version.subscription_id = period.subscription_id
        and version.valid_from <= period.active_from
        and (version.valid_to is null or version.valid_to > period.active_from)
    cross join {{ ref('int_run_context') }} as run
    where not period.is_never_active and period.active_from <= run.as_of
    group by period.customer_id
)

select
    customer_id,
    first_activity.first_active_on,
    first_purchases.first_purchase_on,
    customer.country,
    customer.acquisition_channel,
    first_plans.first_plan
from first_activity
full join first_purchases using (customer_id)
left join first_plans using (customer_id)
left join {{ ref('int_customers') }} as customer using (customer_id)
