-- Written by retention_pipeline.feeds.staging_models from the contracts; change those, not this file.
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('marketing_costs') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ source('raw', 'marketing_costs') }} as feed
    inner join current_batches as batch on batch.batch_id = feed._batch_id
    cross join run
    where (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.day <= run.as_of
),

repeated as (
    select _line_id, min(place) as first
    from known
    group by _line_id
    having count(*) > 1
)

select
    campaign,
    day,
    amount,
    currency
from known
left join repeated on repeated._line_id = known._line_id
where repeated._line_id is null or repeated.first = place
