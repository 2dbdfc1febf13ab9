-- Written by retention_pipeline.feeds.staging_models from the contracts; change those, not this file.
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('reviews') }}
),

known as (
    select feed.*, run.as_of, run.ends_at
    from {{ source('raw', 'reviews') }} as feed
    cross join run
    where feed._batch_id in (select batch_id from current_batches)
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.posted_at < run.ends_at
    qualify row_number() over (
        partition by feed.review_id
        order by feed._known_on desc nulls last, feed._batch_id desc, feed._line desc
    ) = 1
)

select
    review_id,
    customer_id,
    posted_at,
    source,
    rating,
    text
from known
