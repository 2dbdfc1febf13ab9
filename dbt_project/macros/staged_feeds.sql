{#- Written by retention_pipeline.feeds.staging_models from the contracts; change those, not this file. -#}
{#-
  Of a large feed: the column that dates a row, whether it is a date, and the column that tells which rows are one
  (none where those are of one customer and day anyway).
-#}
{% macro feed_facts(feed) -%}
    {{ return({
        'order_lines': {'time': 'ordered_at', 'is_date': false, 'key': ''},
        'invoices': {'time': 'issued_at', 'is_date': false, 'key': 'invoice_id'},
        'payment_attempts': {'time': 'attempted_at', 'is_date': false, 'key': 'attempt_id'},
        'usage': {'time': 'used_on', 'is_date': true, 'key': ''},
        'events': {'time': 'occurred_at', 'is_date': false, 'key': '_line_id'},
        'tickets': {'time': 'opened_at', 'is_date': false, 'key': 'ticket_id'},
        'survey_responses': {'time': 'answered_at', 'is_date': false, 'key': 'response_id'},
        'messages': {'time': 'occurred_at', 'is_date': false, 'key': ''},
        'loyalty': {'time': 'occurred_at', 'is_date': false, 'key': 'entry_id'},
    }[feed]) }}
{%- endmacro %}

{#- As the staging model, of some rows of the feed: all of each key that is among them. -#}
{% macro staged_order_lines(rows) -%}
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('order_lines') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ rows }} as feed
    inner join current_batches as batch on batch.batch_id = feed._batch_id
    cross join run
    where (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.ordered_at < run.ends_at
),

repeated as (
    select _line_id, min(place) as first
    from known
    group by _line_id
    having count(*) > 1
)

select
    order_id,
    customer_id,
    ordered_at,
    sku,
    description,
    category,
    quantity,
    unit_price,
    discount,
    tax,
    unit_cost,
    currency,
    kind
from known
left join repeated on repeated._line_id = known._line_id
where repeated._line_id is null or repeated.first = place
{%- endmacro %}

{% macro staged_invoices(rows) -%}
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('invoices') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ rows }} as feed
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
{%- endmacro %}

{% macro staged_payment_attempts(rows) -%}
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('payment_attempts') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ rows }} as feed
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
{%- endmacro %}

{% macro staged_usage(rows) -%}
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('usage') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ rows }} as feed
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
{%- endmacro %}

{% macro staged_events(rows) -%}
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('events') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ rows }} as feed
    inner join current_batches as batch on batch.batch_id = feed._batch_id
    cross join run
    where (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.occurred_at < run.ends_at
),

repeated as (
    select _line_id, min((place, _line)) as first
    from known
    group by _line_id
    having count(*) > 1
)

select
    event_id,
    customer_id,
    occurred_at,
    name,
    properties
from known
left join repeated on repeated._line_id = known._line_id
where repeated._line_id is null or repeated.first = (place, _line)
{%- endmacro %}

{% macro staged_tickets(rows) -%}
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('tickets') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ rows }} as feed
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
{%- endmacro %}

{% macro staged_survey_responses(rows) -%}
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('survey_responses') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ rows }} as feed
    inner join current_batches as batch on batch.batch_id = feed._batch_id
    cross join run
    where (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.answered_at < run.ends_at
    qualify row_number() over (
        partition by feed.response_id
        order by feed._known_on desc nulls last, batch.place desc, feed._line desc
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
{%- endmacro %}

{% macro staged_messages(rows) -%}
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('messages') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ rows }} as feed
    inner join current_batches as batch on batch.batch_id = feed._batch_id
    cross join run
    where (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.occurred_at < run.ends_at
),

repeated as (
    select _line_id, min(place) as first
    from known
    group by _line_id
    having count(*) > 1
)

select
    message_id,
    customer_id,
    campaign,
    list_id,
    channel,
    event,
    occurred_at
from known
left join repeated on repeated._line_id = known._line_id
where repeated._line_id is null or repeated.first = place
{%- endmacro %}

{% macro staged_loyalty(rows) -%}
with run as (
    select as_of, {{ begin_of_day(add_days('as_of', 1), 'timezone') }} as ends_at
    from {{ source('control', 'run') }}
),

current_batches as (
    {{ current_batches('loyalty') }}
),

known as (
    select feed.*, batch.place, run.as_of, run.ends_at
    from {{ rows }} as feed
    inner join current_batches as batch on batch.batch_id = feed._batch_id
    cross join run
    where (feed._known_on is null or feed._known_on <= run.as_of)
        and feed.occurred_at < run.ends_at
    qualify row_number() over (
        partition by feed.entry_id
        order by feed._known_on desc nulls last, batch.place desc, feed._line desc
    ) = 1
)

select
    entry_id,
    customer_id,
    occurred_at,
    points,
    reason,
    expires_on
from known
{%- endmacro %}
