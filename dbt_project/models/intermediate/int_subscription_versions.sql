with run as (
    select * from {{ ref('int_run_context') }}
),

versions as (
    select
        version.subscription_id,
        version.customer_id,
        version.version_at,
        {{ day_of('version.version_at', 'run.timezone') }} as valid_from,
        version.plan,
        version.price * coalesce(version.quantity, 1) as interval_price,
        coalesce(version.discount, 0) as interval_discount,
        {{ day_of('version.discount_ends_at', 'run.timezone') }} as discount_ends_on,
        -- Length of the billing interval in months; a month has 365.25 / 12 = 30.4375 days.
        coalesce(version.interval_count, 1) * case version."interval"
            when 'day' then 1 / 30.4375
            when 'week' then 7 / 30.4375
            when 'year' then 12.0
            else 1.0
        end as interval_months,
        coalesce(version.currency, run.currency) as currency,
        {{ day_of('version.started_at', 'run.timezone') }} as started_on,
        {{ day_of('version.trial_ends_at', 'run.timezone') }} as trial_ends_on,
        {{ day_of('version.paused_at', 'run.timezone') }} as paused_on,
        {{ day_of('version.resumes_at', 'run.timezone') }} as resumes_on,
        {{ day_of('version.cancel_requested_at', 'run.timezone') }} as cancel_requested_on,
        version.cancel_reason,
        {{ day_of('version.ended_at', 'run.timezone') }} as ended_on,
        {{ day_of('version.contract_ends_at', 'run.timezone') }} as contract_ends_on
    from {{ resolved(ref('stg_subscriptions')) }} as version
    cross join run
    where version.customer_id not in (select customer_id from {{ ref('int_test_accounts') }})
    qualify row_number() over (partition by version.subscription_id, valid_from order by version.version_at desc) = 1
)

select
    subscription_id,
    customer_id,
    valid_from,
    lead(valid_from) over (
        partition by subscription_id order by valid_from
    ) as valid_to,
    plan,
    currency,
    cast(round(interval_price / interval_months, 4) as decimal(18, 4)) as monthly_list_price,
    cast(round(interval_discount / interval_months, 4) as decimal(18, 4)) as monthly_discount,
    discount_ends_on,
    started_on,
    trial_ends_on,
    paused_on,
    resumes_on,
    cancel_requested_on,
    cancel_reason,
    ended_on,
    contract_ends_on
from versions
