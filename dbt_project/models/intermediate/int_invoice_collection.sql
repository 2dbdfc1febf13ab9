with run as (
    select * from {{ ref('int_run_context') }}
),

attempts as (
    select
        -- An attempt that names no invoice is one of its own.
        coalesce(attempt.invoice_id, 'attempt:' || attempt.attempt_id) as invoice_id,
        attempt.attempt_id,
        attempt.customer_id,
        attempt.attempted_at,
        {{ day_of('attempt.attempted_at', 'run.timezone') }} as attempted_on,
        attempt.amount,
        attempt.currency,
        attempt.outcome,
        coalesce(attempt.failure_code, 'unknown') as failure_code
    from {{ resolved(ref('stg_payment_attempts')) }} as attempt
    cross join run
    where attempt.customer_id not in (select customer_id from {{ ref('int_test_accounts') }})
),

tried as (
    select
        invoice_id,
        min(customer_id) as customer_id,
        min(attempted_on) as first_attempt_on,
        count(*) as attempts,
        count(*) filter (where outcome = 'failed') as failed_attempts,
        min_by(outcome, (attempted_at, attempt_id)) = 'failed' as is_first_failed,
        min_by(failure_code, (attempted_at, attempt_id)) as first_failure_code,
        max_by(failure_code, (attempted_at, attempt_id)) filter (where outcome = 'failed') as last_failure_code,
        min_by(amount, (attempted_at, attempt_id)) as first_amount,
        min_by(currency, (attempted_at, attempt_id)) as currency,
        min(attempted_on) filter (where outcome = 'succeeded') as succeeded_on
    from attempts
    group by invoice_id
),

-- What tries brought in within the days of collection; later money is no recovery.
collected as (
    select attempts.invoice_id, sum(attempts.amount) as amount
    from attempts
    inner join tried
        on tried.invoice_id = attempts.invoice_id
        and tried.is_first_failed
    cross join run
    where attempts.outcome = 'succeeded'
        and attempts.attempted_on <= {{ add_days('tried.first_attempt_on', 'run.collection_days') }}
    group by attempts.invoice_id
),

invoices as (
    select
        invoice.invoice_id,
        invoice.customer_id,
        invoice.subscription_id,
        invoice.currency,
        {{ day_of('invoice.issued_at', 'run.timezone') }} as issued_on,
        {{ day_of('coalesce(invoice.due_at, invoice.issued_at)', 'run.timezone') }} as due_on,
        {{ day_of('invoice.paid_at', 'run.timezone') }} as paid_on,
        invoice.amount_due,
        invoice.amount_paid
    from {{ resolved(ref('stg_invoices')) }} as invoice
    cross join run
    where invoice.customer_id not in (select customer_id from {{ ref('int_test_accounts') }})
),

joined as (
    select
        invoice_id,
        coalesce(tried.customer_id, invoices.customer_id) as customer_id,
        invoices.subscription_id,
        coalesce(invoices.currency, tried.currency, run.currency) as currency,
        coalesce(invoices.issued_on, tried.first_attempt_on) as issued_on,
        coalesce(invoices.due_on, tried.first_attempt_on) as due_on,
        coalesce(invoices.amount_due, tried.first_amount) as amount_due,
        tried.first_attempt_on,
        coalesce(tried.attempts, 0) as attempts,
        coalesce(tried.failed_attempts, 0) as failed_attempts,
        tried.is_first_failed,
        case when tried.is_first_failed then tried.first_failure_code end as failure_code,
        tried.last_failure_code,
        least(tried.succeeded_on, invoices.paid_on) as collected_on,
        -- Paid in another way than by the tries: by transfer, or by hand.
        case
            when invoices.paid_on <= {{ add_days('tried.first_attempt_on', 'run.collection_days') }}
                then coalesce(invoices.amount_paid, invoices.amount_due)
        end as paid_within,
        collected.amount as collected_within
    from tried
    full join invoices using (invoice_id)
    left join collected using (invoice_id)
    cross join run
),

described as (
    select
        joined.*,
        -- The failure and what is recovered of it are valued alike: at the rate of the first try.
        coalesce(joined.first_attempt_on, joined.issued_on) as valued_on,
        -- least() and greatest() skip nulls.
        case
            when joined.is_first_failed
                then least(
                    joined.amount_due, greatest(coalesce(joined.collected_within, 0), coalesce(joined.paid_within, 0))
                )
        end as recovered,
        -- Unpaid from the first failure, or else from the day after it was due.
        least(
            case when joined.is_first_failed then joined.first_attempt_on end, {{ add_days('joined.due_on', 1) }}
        ) as open_from
    from joined
),

spans as (
    select
        described.*,
        -- After the days of collection nobody tries any more: it is not open, it is lost.
        least(described.collected_on, {{ add_days('described.open_from', 'run.collection_days') }}) as open_until,
        run.as_of,
        run.collection_days
    from described
    cross join run
)

select
    spans.invoice_id,
    spans.customer_id,
    spans.subscription_id,
    spans.issued_on,
    spans.due_on,
    spans.first_attempt_on,
    cast(spans.attempts as integer) as attempts,
    cast(spans.failed_attempts as integer) as failed_attempts,
    spans.is_first_failed,
    spans.failure_code,
    spans.last_failure_code,
    spans.collected_on,
    case when spans.recovered > 0 then spans.collected_on end as recovered_on,
    {{ add_days('spans.first_attempt_on', 'spans.collection_days') }} <= spans.as_of as is_final,
    cast({{ in_business_currency('spans.amount_due', 'spans') }} as decimal(18, 4)) as amount_due,
    cast({{ in_business_currency('coalesce(spans.recovered, 0)', 'spans') }} as decimal(18, 4)) as recovered_amount,
    case when spans.open_from < spans.open_until and spans.open_from <= spans.as_of then spans.open_from end as open_from,
    case when spans.open_from < spans.open_until and spans.open_from <= spans.as_of then spans.open_until end as open_until
from spans
cross join run
left join {{ ref('int_fx_rates') }} as fx
    on fx.currency = spans.currency
    and fx.day = spans.valued_on
