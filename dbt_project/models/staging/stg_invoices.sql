-- Written by retention_pipeline.feeds.staging_models from the contracts; change those, not this file.
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('invoices') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ source('raw', 'invoices') }} as feed
    inner join current_batches as batch on batch.batch_id = feed._batch_id
    cross join run
    where (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.issued_at < run.ends_at
    qualify row_number() over (
        partition by feed.invoice_id
        order by feed._known_on desc nulls last, batch.place desc, feed._line desc
    ) = 1
)

select
    invoice_id,
    customer_id,
    subscription_id,
    issued_at,
    due_at,
    amount_due,
    case when paid_at < ends_at then amount_paid end as amount_paid,
    currency,
    case when paid_at < ends_at then status end as status,
    case when paid_at < ends_at then paid_at end as paid_at
from known
