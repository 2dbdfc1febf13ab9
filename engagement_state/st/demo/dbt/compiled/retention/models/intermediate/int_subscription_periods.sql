-- A subscription as its newest version says; its start and its registration are those of the first version.
with newest as (
    select
        *,
        min(started_on) over (partition by subscription_id) as first_started_on,
        min(valid_from) over (partition by subscription_id) as registered_on
    from "warehouse"."intermediate"."int_subscription_versions"
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
        contract_ends_on,
        registered_on,
        case
        when newest.currency = run.currency then case
        when newest.discount_ends_on <= run.as_of then newest.monthly_list_price
        else newest.monthly_list_price - newest.monthly_discount
    end
        else cast(round((case
        when newest.discount_ends_on <= run.as_of then newest.monthly_list_price
        else newest.monthly_list_price - newest.monthly_discount
    end) * fx.rate_to_business, 4) as decimal(18, 4))
    end as monthly_price
    from newest
    cross join "warehouse"."intermediate"."int_run_context" as run
    left join "warehouse"."intermediate"."int_fx_rates" as fx on fx.currency = newest.currency and fx.day = run.as_of
),

last_attempts as (
    -- How the last try to collect before the end went: a failure without a request to cancel is an involuntary end.
    select
        periods.subscription_id,
        max_by(attempt.outcome, (attempt.attempted_at, attempt.attempt_id)) as outcome
    from periods
    cross join "warehouse"."intermediate"."int_run_context" as run
    inner join (
        select feed.* replace (coalesce(identity.canonical_id, feed.customer_id) as customer_id)
        from "warehouse"."staging"."stg_payment_attempts" as feed
        left join "warehouse"."intermediate"."int_canonical_ids" as identity on identity.customer_id = feed.customer_id
    ) as attempt
        on attempt.customer_id = periods.customer_id
        and cast(attempt.attempted_at at time zone 'UTC' at time zone run.timezone as date) <= periods.ended_on
        and cast(attempt.attempted_at at time zone 'UTC' at time zone run.timezone as date) > (periods.ended_on + cast(-90 as integer))
    left join "warehouse"."staging"."stg_invoices" as invoice on invoice.invoice_id = attempt.invoice_id
    -- An attempt without an invoice pays for something else where subscriptions are billed by invoices.
    where (attempt.invoice_id is null and not run.has_invoices)
        or (attempt.invoice_id is not null and invoice.subscription_id is null)
        or invoice.subscription_id = periods.subscription_id
    group by periods.subscription_id
)

select
    periods.subscription_id,
    periods.customer_id,
    periods.plan,
    periods.started_on,
    periods.active_from,
    periods.ended_on,
    periods.cancel_requested_on,
    periods.contract_ends_on,
    periods.trial_ends_on,
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
    end as end_kind,
    periods.monthly_price,
    periods.registered_on
from periods
left join last_attempts on last_attempts.subscription_id = periods.subscription_id