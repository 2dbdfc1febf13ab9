-- Written by retention_pipeline.feeds.staging_models from the contracts; change those, not this file.
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('identities') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ source('raw', 'identities') }} as feed
    inner join current_batches as batch on batch.batch_id = feed._batch_id
    cross join run
    where (feed._known_on is null or feed._known_on <= run.as_of)
        and (feed.linked_at is null or feed.linked_at < run.ends_at)
),

repeated as (
    select _line_id, min(place) as first, max(_known_on) as last_known_on
    from known
    group by _line_id
    having count(*) > 1
)

select
    customer_id,
    source,
    source_id,
    linked_at,
    merged_into,
    coalesce(repeated.last_known_on, known._known_on) as known_on
from known
left join repeated on repeated._line_id = known._line_id
where repeated._line_id is null or repeated.first = place
