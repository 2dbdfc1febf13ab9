-- A subscription as its newest version says; its start and its registration are those of the first version.
with newest as (
    select
        *,
        min(started_on) over (partition by subscription_id) as first_started_on,
        min(valid_from) over (partition by subscription_id) as registered_on,
        min(case when ended_on is not null then valid_from end) over (partition by subscription_id) as end_reported_on
    from {{ ref('int_subscription_versions') }}
    qualify row_number() over (partition by subscription_id order by valid_from desc) = 1
),

periods as (
    select
        subscription_id,
        customer_id,
        plan,
        first_started_on as started_on,
        -- A start that is entered afterwards makes nobody active on days when it was not known.
        greatest(first_started_on, registered_on) as begins_on,
        -- Nor does a trial: the first paid day follows it.
        greatest(first_started_on, registered_on, trial_ends_on) as active_from,
        trial_ends_on,
        case when ended_on < registered_on then registered_on else ended_on end as ended_on,
        cancel_requested_on,
        coalesce(list_contains(run.involuntary_reasons, newest.cancel_reason), false) as is_for_other_reasons,
        coalesce(newest.cancel_reason in ('payment_failed', 'payment_failure'), false) as is_for_payment,
        contract_ends_on,
        registered_on,
        end_reported_on,
        {{ in_business_currency(price_on('newest', 'run.as_of'), 'newest') }} as monthly_price
    from newest
    cross join {{ ref('int_run_context') }} as run
    left join {{ ref('int_fx_rates') }} as fx on fx.currency = newest.currency and fx.day = run.as_of
),

last_attempts as (
    -- How the last try to collect before the end went: a failure without a request to cancel is an involuntary end.
    select
        periods.subscription_id,
        max_by(attempt.outcome, (attempt.attempted_at, attempt.attempt_id)) as outcome
    from periods
    cross join {{ ref('int_run_context') }} as run
    inner join {{ resolved(ref('stg_payment_attempts')) }} as attempt
        on attempt.customer_id = periods.customer_id
        and {{ day_of('attempt.attempted_at', 'run.timezone') }} <= periods.ended_on
        and {{ day_of('attempt.attempted_at', 'run.timezone') }} > {{ add_days('periods.ended_on', -90) }}
    left join {{ ref('stg_invoices') }} as invoice on invoice.invoice_id = attempt.invoice_id
    -- An attempt without an invoice pays for something else where subscriptions are billed by invoices.
    where (attempt.invoice_id is null and not run.has_invoices)
        or (attempt.invoice_id is not null and invoice.subscription_id is null)
        or invoice.subscription_id = periods.subscription_id
    group by periods.subscription_id
),

kinds as (
    select
        periods.*,
        coalesce(periods.ended_on <= periods.active_from, false) as is_never_active,
        case
            when periods.ended_on is null then null
            when periods.ended_on <= periods.begins_on then 'cancelled_before_start'
            when periods.ended_on <= periods.active_from then 'trial_not_converted'
            when periods.is_for_other_reasons then 'involuntary'
            when periods.cancel_requested_on <= periods.ended_on then 'cancelled'
            when last_attempts.outcome = 'failed' then 'involuntary'
            when periods.ended_on < periods.contract_ends_on then 'cancelled'
            else 'term_end'
        end as end_kind
    from periods
    left join last_attempts on last_attempts.subscription_id = periods.subscription_id
),

-- An end is known when it has happened and was reported; one by failed payment, not before its grace is over.
known as (
    select
        kinds.*,
        case
            when kinds.end_kind = 'involuntary' and (kinds.is_for_payment or not kinds.is_for_other_reasons)
                then greatest(
                    kinds.ended_on, kinds.end_reported_on, {{ add_days('kinds.ended_on', 'run.dunning_grace_days') }}
                )
            when kinds.ended_on is not null then greatest(kinds.ended_on, kinds.end_reported_on)
        end as known_on,
        run.as_of
    from kinds
    cross join {{ ref('int_run_context') }} as run
)

select
    subscription_id,
    customer_id,
    plan,
    started_on,
    active_from,
    ended_on,
    case when known_on <= as_of then known_on end as known_on,
    cancel_requested_on,
    contract_ends_on,
    trial_ends_on,
    is_never_active,
    end_kind,
    monthly_price,
    registered_on
from known
