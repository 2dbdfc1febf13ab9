-- Written by retention_pipeline.feeds.staging_models from the contracts; change those, not this file.
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('payment_attempts') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ source('raw', 'payment_attempts') }} as feed
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
