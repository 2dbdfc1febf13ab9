-- Written by retention_pipeline.feeds.staging_models from the contracts; change those, not this file.
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('survey_responses') }}
),

known as (
    select feed.*, run.as_of, run.ends_at
    from {{ source('raw', 'survey_responses') }} as feed
    cross join run
    where feed._batch_id in (select batch_id from current_batches)
        and (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.answered_at < run.ends_at
    qualify row_number() over (
        partition by feed.response_id
        order by feed._known_on desc nulls last, feed._batch_id desc, feed._line desc
    ) = 1
)

select
    response_id,
    customer_id,
    survey,
    case when asked_at < ends_at then asked_at end as asked_at,
    answered_at,
    score,
    reason,
    comment
from known
