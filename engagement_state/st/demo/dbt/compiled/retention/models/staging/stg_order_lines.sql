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
    where batch.feed = 'order_lines' and batch.status = 'loaded' and newer.batch_id is null
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from "warehouse"."raw"."order_lines" as feed
    inner join current_batches as batch on batch.batch_id = feed._batch_id
    cross join run
    where (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.ordered_at < run.ends_at
),

repeated as (
    select _line_id, min(place) as first
    from known
    group by _line_id
    having count(*) > 1
)

select
    order_id,
    customer_id,
    ordered_at,
    sku,
    description,
    category,
    quantity,
    unit_price,
    discount,
    tax,
    unit_cost,
    currency,
    kind
from known
left join repeated on repeated._line_id = known._line_id
where repeated._line_id is null or repeated.first = place