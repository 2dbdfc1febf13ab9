{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ forget_periods() }}"
) }}
{%- do changes('int_changed_days') %}
{%- set is_part = is_increment_of_silences() %}
with run as (
    select * from {{ ref('int_run_context') }}
),

-- With a contract: subscriptions of a customer that overlap or touch are one period. A failed payment counts as the end
-- from the day on which it is known as one, so that a restart within the grace goes on.
subscriptions as (
    select
        period.*,
        coalesce(period.known_on, date '9999-12-31') as open_until
    from {{ ref('int_subscription_periods') }} as period
    cross join run
    where not period.is_never_active and run.kind in ('subscription', 'hybrid')
),

touching as (
    select
        *,
        case
            when active_from <= {{ add_days('max(open_until) over before', 1) }} then 0
            else 1
        end as begins
    from subscriptions
    window before as (
        partition by customer_id order by active_from, subscription_id
        rows between unbounded preceding and 1 preceding
    )
),

subscription_periods as (
    select
        *,
        sum(begins) over (
            partition by customer_id order by active_from, subscription_id rows unbounded preceding
        ) as contract
    from touching
),

contracts as (
    select
        customer_id,
        contract,
        min(active_from) as started_on,
        max(open_until) as open_until,
        -- Of several that end on the last day, a cancellation says most about the customer.
        max_by(
            end_kind,
            (open_until, case end_kind when 'cancelled' then 3 when 'involuntary' then 2 else 1 end)
        ) as end_kind,
        max_by(
            coalesce(ended_on, open_until),
            (open_until, case end_kind when 'cancelled' then 3 when 'involuntary' then 2 else 1 end, ended_on)
        ) as happened_on,
        lead(min(active_from)) over (partition by customer_id order by contract) as next_started_on
    from subscription_periods
    group by customer_id, contract
),

-- Without a contract: signs of life. While a contract runs, it alone decides; outside of it a customer who could have
-- one lives by purchases, as logins and use outlive an account that is no longer paid for.
signs as (
    select
        day.customer_id,
        day.day,
        run.inactivity_days,
        coalesce(contract.contract, 0) as contracts_before
    from {{ ref('int_daily_activity') }} as day
    cross join run
    left join contracts as contract
        on contract.customer_id = day.customer_id
        and contract.started_on <= day.day
        and (contract.next_started_on is null or contract.next_started_on > day.day)
    where day.is_activity
        and (run.kind = 'transactional' or (run.kind = 'hybrid' and (day.orders > 0 or not run.has_order_lines)))
        and (contract.customer_id is null or contract.open_until < day.day)
        {%- if is_part %}
        and {{ has_changed_silence('day.customer_id') }}
        {%- endif %}
),

-- Days apart by more than `inactivity_days`, or with a contract between them: there one period ends.
apart as (
    select
        *,
        case when {{ days_between('lag(day) over by_day', 'day') }} <= inactivity_days then 0 else 1 end as begins
    from signs
    window by_day as (partition by customer_id, contracts_before order by day)
),

numbered as (
    select
        *,
        sum(begins) over (
            partition by customer_id, contracts_before order by day rows unbounded preceding
        ) as silence
    from apart
),

silences as (
    select
        customer_id,
        contracts_before,
        min(day) as started_on,
        max(day) as last_active_on,
        {{ add_days('max(day)', 'max(inactivity_days)') }} as ended_on
    from numbered
    group by customer_id, contracts_before, silence
),

-- A contract that begins before the silence is full takes over.
spans as (
    select
        silence.customer_id,
        silence.started_on,
        silence.last_active_on,
        least(silence.ended_on, contract.started_on) as ended_on,
        'inactivity' as end_kind,
        silence.last_active_on as happened_on
    from silences as silence
    left join contracts as contract
        on contract.customer_id = silence.customer_id
        and contract.contract = silence.contracts_before + 1

    union all

    select customer_id, started_on, happened_on as last_active_on, open_until as ended_on, end_kind, happened_on
    from contracts
),

overlapping as (
    select
        *,
        case when started_on <= max(ended_on) over before then 0 else 1 end as begins
    from spans
    window before as (
        partition by customer_id order by started_on, ended_on, end_kind
        rows between unbounded preceding and 1 preceding
    )
),

merged as (
    select
        *,
        sum(begins) over (
            partition by customer_id order by started_on, ended_on, end_kind rows unbounded preceding
        ) as period
    from overlapping
),

periods as (
    select
        customer_id,
        min(started_on) as started_on,
        max(last_active_on) as last_active_on,
        max(ended_on) as ended_on,
        max_by(end_kind, (ended_on, end_kind)) as end_kind,
        max_by(happened_on, (ended_on, end_kind)) as happened_on
    from merged
    group by customer_id, period
),

known as (
    select
        periods.customer_id,
        row_number() over (partition by periods.customer_id order by periods.started_on) as period_number,
        min(periods.started_on) over (partition by periods.customer_id) as first_started_on,
        periods.started_on,
        least(periods.last_active_on, run.as_of) as last_active_on,
        case when periods.ended_on <= run.as_of then periods.ended_on end as ended_on,
        case when periods.ended_on <= run.as_of then periods.end_kind end as end_kind,
        case when periods.ended_on <= run.as_of then periods.happened_on end as happened_on,
        run.term_end_is_churn,
        run.early_days
    from periods
    cross join run
    where periods.started_on <= run.as_of
)

select
    customer_id,
    cast(period_number as integer) as period_number,
    started_on,
    last_active_on,
    ended_on,
    end_kind,
    happened_on,
    coalesce(end_kind <> 'term_end' or (end_kind = 'term_end' and term_end_is_churn), false) as is_churn,
    coalesce(
        (end_kind <> 'term_end' or term_end_is_churn)
        and {{ days_between('first_started_on', 'happened_on') }} <= early_days,
        false
    ) as is_early
from known
