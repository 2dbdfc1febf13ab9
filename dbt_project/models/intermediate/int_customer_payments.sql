with run as (
    select * from {{ ref('int_run_context') }}
),

unpaid as (
    select
        customer_id,
        count(*) as invoices,
        sum(amount_due) as amount,
        count(amount_due) as valued,
        min(first_attempt_on) filter (where is_first_failed) as first_failure_on,
        max_by(last_failure_code, (first_attempt_on, invoice_id)) filter (where is_first_failed) as failure_code
    from {{ ref('int_invoice_collection') }}
    where open_until > (select as_of from run)
    group by customer_id
),

cards as (
    select customer_id, expires_on
    from {{ ref('int_cards') }}
    where valid_to is null
)

select
    customer_id,
    cast(coalesce(unpaid.invoices, 0) as integer) as unpaid_invoices,
    cast(
        case when coalesce(unpaid.valued, 0) = coalesce(unpaid.invoices, 0) then coalesce(unpaid.amount, 0) end
        as decimal(18, 4)
    ) as unpaid_invoice_amount,
    {{ days_between('unpaid.first_failure_on', 'run.as_of') }} as days_since_first_failure,
    unpaid.failure_code as last_failure_code,
    {{ days_between('run.as_of', 'cards.expires_on') }} as card_expires_in_days
from unpaid
full join cards using (customer_id)
cross join run
