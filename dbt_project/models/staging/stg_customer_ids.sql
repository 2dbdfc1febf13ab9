-- Written by retention_pipeline.feeds.staging_models from the contracts; change those, not this file.
{{ config(materialized='table') }}
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
    where joins_sources
),

seen as (
    select distinct feed.customer_id
    from {{ source('raw', 'customers') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('customers') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and (feed.created_at is null or feed.created_at < run.ends_at)

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'identities') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('identities') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and (feed.linked_at is null or feed.linked_at < run.ends_at)

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'order_lines') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('order_lines') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.ordered_at < run.ends_at

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'subscriptions') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('subscriptions') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.version_at < run.ends_at

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'invoices') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('invoices') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.issued_at < run.ends_at

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'payment_attempts') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('payment_attempts') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.attempted_at < run.ends_at

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'usage') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('usage') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.used_on <= run.as_of

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'events') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('events') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.occurred_at < run.ends_at

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'tickets') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('tickets') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.opened_at < run.ends_at

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'survey_responses') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('survey_responses') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.answered_at < run.ends_at

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'reviews') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('reviews') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.posted_at < run.ends_at

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'messages') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('messages') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.occurred_at < run.ends_at

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'consents') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('consents') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.changed_at < run.ends_at

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'suppressions') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('suppressions') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and (feed.suppressed_at is null or feed.suppressed_at < run.ends_at)

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'loyalty') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('loyalty') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.occurred_at < run.ends_at

    union all

    select distinct feed.customer_id
    from {{ source('raw', 'erasure_requests') }} as feed
    cross join run
    where feed._batch_id in (
        select batch_id from (
            {{ current_batches('erasure_requests') }}
        )
    )
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.requested_at < run.ends_at
)

select distinct customer_id
from seen
where customer_id is not null
