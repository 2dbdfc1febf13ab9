with run as (
    select * from "warehouse"."intermediate"."int_run_context"
),

versions as (
    select
        version.subscription_id,
        version.customer_id,
        version.version_at,
        cast(version.version_at at time zone 'UTC' at time zone run.timezone as date) as valid_from,
        version.plan,
        version.price * coalesce(version.quantity, 1) as interval_price,
        coalesce(version.discount, 0) as interval_discount,
        cast(version.discount_ends_at at time zone 'UTC' at time zone run.timezone as date) as discount_ends_on,
        -- Length of the billing interval in months; a month has 365.25 / 12 = 30.4375 days.
        coalesce(version.interval_count, 1) * case version."interval"
            when 'day' then 1 / 30.4375
            when 'week' then 7 / 30.4375
            when 'year' then 12.0
            else 1.0
        end as interval_months,
        coalesce(version.currency, run.currency) as currency,
        cast(version.started_at at time zone 'UTC' at time zone run.timezone as date) as started_on,
        cast(version.trial_ends_at at time zone 'UTC' at time zone run.timezone as date) as trial_ends_on,
        cast(version.paused_at at time zone 'UTC' at time zone run.timezone as date) as paused_on,
        cast(version.resumes_at at time zone 'UTC' at time zone run.timezone as date) as resumes_on,
        cast(version.cancel_requested_at at time zone 'UTC' at time zone run.timezone as date) as cancel_requested_on,
        version.cancel_reason,
        cast(version.ended_at at time zone 'UTC' at time zone run.timezone as date) as ended_on,
        cast(version.contract_ends_at at time zone 'UTC' at time zone run.timezone as date) as contract_ends_on
    from (
        select feed.* replace (coalesce(identity.canonical_id, feed.customer_id) as customer_id)
        from "warehouse"."staging"."stg_subscriptions" as feed
        left join "warehouse"."intermediate"."int_canonical_ids" as identity on identity.customer_id = feed.customer_id
    ) as version
    cross join run
    where version.customer_id not in (select customer_id from "warehouse"."intermediate"."int_test_accounts")
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