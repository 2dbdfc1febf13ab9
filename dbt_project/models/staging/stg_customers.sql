-- Written by retention_pipeline.feeds.staging_models from the contracts; change those, not this file.
{{ config(materialized='table') }}
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('customers') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ source('raw', 'customers') }} as feed
    inner join current_batches as batch on batch.batch_id = feed._batch_id
    cross join run
    where (feed._known_on is null or feed._known_on <= run.as_of)
        and (feed.created_at is null or feed.created_at < run.ends_at)
    qualify row_number() over (
        partition by feed.customer_id
        order by feed._known_on desc nulls last, batch.place desc, feed._line desc
    ) = 1
)

select
    customer_id,
    created_at,
    country,
    region,
    language,
    birth_year,
    gender,
    acquisition_channel,
    company_size,
    industry,
    preferred_channel,
    email,
    phone,
    referred_by,
    is_test,
    attributes,
    _known_on as known_on
from known
