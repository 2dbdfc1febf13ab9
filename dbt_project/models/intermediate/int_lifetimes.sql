with run as (
    select
        *,
        -- Until when every end is known by now: silence when it is full, a failed payment when its grace is over.
        {{ add_days('as_of', '-' ~ "greatest(
            case when kind = 'subscription' then 0 else inactivity_days end,
            case when kind = 'transactional' then 0 else dunning_grace_days end
        )") }} as observed_until
    from {{ ref('int_run_context') }}
),

-- A subscription that was entered after it began makes active from its entry on, but its tenure counts from its start.
contracts as (
    select
        customer_id,
        active_from,
        min(greatest(started_on, trial_ends_on)) as begun_on
    from {{ ref('int_subscription_periods') }}
    where not is_never_active
    group by customer_id, active_from
),

periods as (
    select
        period.customer_id,
        period.period_number,
        period.started_on,
        least(period.started_on, contracts.begun_on) as begun_on,
        -- Seen from the day on which the period is in the data, and observation had begun.
        greatest(period.started_on, run.first_day) as seen_from,
        contracts.customer_id is not null as began_with_contract,
        case when period.happened_on <= run.observed_until then period.happened_on end as happened_on,
        run.observed_until,
        case
            when not period.is_churn then 'completed'
            when period.end_kind in ('inactivity', 'involuntary') then period.end_kind
            else 'voluntary'
        end as cause
    from {{ ref('int_active_periods') }} as period
    cross join run
    left join contracts
        on contracts.customer_id = period.customer_id
        and contracts.active_from = period.started_on
        and run.kind <> 'transactional'
),

lifetimes as (
    select
        customer_id,
        period_number,
        started_on,
        began_with_contract,
        case when seen_from > begun_on then {{ days_between('begun_on', 'seen_from') }} else 0 end as entry_days,
        {{ days_between('begun_on', 'coalesce(happened_on, observed_until)') }} as exit_days,
        case when happened_on is not null then cause end as cause
    from periods
)

select
    lifetimes.customer_id,
    lifetimes.period_number,
    lifetimes.started_on,
    case when lifetimes.began_with_contract then 'subscription' else 'activity' end as began_with,
    member.country,
    member.acquisition_channel,
    member.first_plan,
    lifetimes.entry_days,
    lifetimes.exit_days,
    lifetimes.cause
from lifetimes
inner join {{ ref('int_cohort_members') }} as member on member.customer_id = lifetimes.customer_id
where lifetimes.exit_days > lifetimes.entry_days or (lifetimes.entry_days = 0 and lifetimes.exit_days = 0)
