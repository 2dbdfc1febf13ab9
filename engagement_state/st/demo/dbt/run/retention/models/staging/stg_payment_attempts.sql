
  
  create view "warehouse"."staging"."stg_payment_attempts__dbt_tmp" as (
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
    where batch.feed = 'payment_attempts' and batch.status = 'loaded' and newer.batch_id is null
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from "warehouse"."raw"."payment_attempts" as feed
    inner join current_batches as batch on batch.batch_id = feed._batch_id
    cross join run
    where (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.attempted_at < run.ends_at
    qualify row_number() over (
        partition by feed.attempt_id
        order by feed._known_on desc nulls last, batch.place desc, feed._line desc
    ) = 1
)

select
    attempt_id,
    invoice_id,
    customer_id,
    attempted_at,
    amount,
    currency,
    outcome,
    failure_code,
    method,
    card_expires_on
from known
  );
