-- Written by retention_pipeline.feeds.staging_models from the contracts; change those, not this file.

with run as (
    select as_of, cast((as_of + cast(1 as integer)) as timestamp) at time zone timezone at time zone 'UTC' as ends_at
    from "warehouse"."control"."run"
),

current_batches as (
    select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'subscriptions' and batch.status = 'loaded' and newer.batch_id is null
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from "warehouse"."raw"."subscriptions" as feed
    inner join current_batches as batch on batch.batch_id = feed._batch_id
    cross join run
    where (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.version_at < run.ends_at
    qualify row_number() over (
        partition by feed.subscription_id, feed.version_at
        order by feed._known_on desc nulls last, batch.place desc, feed._line desc
    ) = 1
)

select
    subscription_id,
    version_at,
    customer_id,
    plan,
    price,
    currency,
    quantity,
    "interval",
    interval_count,
    started_at,
    trial_ends_at,
    current_period_ends_at,
    case when paused_at < ends_at then paused_at end as paused_at,
    resumes_at,
    case when cancel_requested_at < ends_at then cancel_requested_at end as cancel_requested_at,
    case when cancel_requested_at < ends_at then cancel_reason end as cancel_reason,
    case when ended_at < ends_at then ended_at end as ended_at,
    contract_ends_at,
    discount,
    discount_ends_at
from known