-- Written by retention_pipeline.feeds.staging_models from the contracts; change those, not this file.
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('tickets') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ source('raw', 'tickets') }} as feed
    inner join current_batches as batch on batch.batch_id = feed._batch_id
    cross join run
    where (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.opened_at < run.ends_at
    qualify row_number() over (
        partition by feed.ticket_id
        order by feed._known_on desc nulls last, batch.place desc, feed._line desc
    ) = 1
)

select
    ticket_id,
    customer_id,
    opened_at,
    case when first_response_at < ends_at then first_response_at end as first_response_at,
    case when solved_at < ends_at then solved_at end as solved_at,
    case when solved_at < ends_at then reopened_count end as reopened_count,
    channel,
    kind,
    priority,
    case when solved_at < ends_at then satisfaction end as satisfaction,
    subject,
    body
from known
