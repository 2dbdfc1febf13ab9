-- Written by retention_pipeline.feeds.staging_models from the contracts; change those, not this file.
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('usage') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ source('raw', 'usage') }} as feed
    inner join current_batches as batch on batch.batch_id = feed._batch_id
    cross join run
    where (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.used_on <= run.as_of
    qualify row_number() over (
        partition by feed.customer_id, feed.used_on, feed.feature
        order by feed._known_on desc nulls last, batch.place desc, feed._line desc
    ) = 1
)

select
    customer_id,
    used_on,
    feature,
    events,
    minutes
from known
