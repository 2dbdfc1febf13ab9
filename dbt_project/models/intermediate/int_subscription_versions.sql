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
        cast(round(version.price * coalesce(version.quantity, 1), 4) as decimal(18, 4)) as interval_price,
        -- A discount takes no more than the price: there is no negative revenue.
        cast(
            least(coalesce(version.discount, 0), round(version.price * coalesce(version.quantity, 1), 4))
            as decimal(18, 4)
        ) as interval_discount,
        {{ day_of('version.discount_ends_at', 'run.timezone') }} as discount_ends_on,
        -- Length of the billing interval in months as a fraction; a month has 365.25 / 12 = 487 / 16 days.
        cast(coalesce(version.interval_count, 1) as bigint) * case version."interval"
            when 'day' then 16
            when 'week' then 112
            when 'year' then 12
            else 1
        end as months_numerator,
        case when version."interval" in ('day', 'week') then 487 else 1 end as months_denominator,
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
    {{ monthly_value('interval_price', '1', 'months_numerator', 'months_denominator') }} as monthly_list_price,
    {{ monthly_value('interval_discount', '1', 'months_numerator', 'months_denominator') }} as monthly_discount,
    interval_price,
    interval_discount,
    months_numerator,
    months_denominator,
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
