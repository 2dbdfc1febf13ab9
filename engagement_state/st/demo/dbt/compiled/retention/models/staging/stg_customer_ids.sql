-- Written by retention_pipeline.feeds.staging_models from the contracts; change those, not this file.

with run as (
    select as_of, cast((as_of + cast(1 as integer)) as timestamp) at time zone timezone at time zone 'UTC' as ends_at
    from "warehouse"."control"."run"
    where joins_sources
),

seen as (
    select distinct feed.customer_id
    from "warehouse"."raw"."customers" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'customers' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and (feed.created_at is null or feed.created_at < run.ends_at)

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."identities" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'identities' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and (feed.linked_at is null or feed.linked_at < run.ends_at)

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."order_lines" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'order_lines' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.ordered_at < run.ends_at

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."subscriptions" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'subscriptions' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.version_at < run.ends_at

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."invoices" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'invoices' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.issued_at < run.ends_at

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."payment_attempts" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'payment_attempts' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.attempted_at < run.ends_at

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."usage" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'usage' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.used_on <= run.as_of

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."events" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'events' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.occurred_at < run.ends_at

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."tickets" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'tickets' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.opened_at < run.ends_at

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."survey_responses" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'survey_responses' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.answered_at < run.ends_at

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."reviews" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'reviews' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.posted_at < run.ends_at

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."messages" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'messages' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.occurred_at < run.ends_at

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."consents" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'consents' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.changed_at < run.ends_at

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."suppressions" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'suppressions' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and (feed.suppressed_at is null or feed.suppressed_at < run.ends_at)

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."loyalty" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'loyalty' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.occurred_at < run.ends_at

    union all

    select distinct feed.customer_id
    from "warehouse"."raw"."erasure_requests" as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            select batch.batch_id, row_number() over (order by batch.path, batch.mapping_hash, batch.batch_id) as place
    from "warehouse"."raw"."ledger" as batch
    left join "warehouse"."raw"."ledger" as newer
        on newer.batch_id = batch.superseded_by
        and newer.status = 'loaded'
        and (newer.delivered_on is null or newer.delivered_on <= (select as_of from "warehouse"."control"."run"))
    where batch.feed = 'erasure_requests' and batch.status = 'loaded' and newer.batch_id is null
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.requested_at < run.ends_at
)

select distinct customer_id
from seen
where customer_id is not null