-- Layers of days over each customer; on a day the first layer that covers it names the state. What changes are the days
-- on which a layer begins or ends, so there is no row per day.
{{ config(
    materialized='incremental', incremental_strategy='delete+insert', unique_key='customer_id', on_schema_change='fail',
    pre_hook="{{ forget(['customer_id'], 'int_changed_snapshots') }}"
) }}
{%- do changes('int_changed_snapshots') %}
{%- set helpers = ['running', 'pause', 'first_days', 'first_days_back', 'silent', 'long_silent', 'notice', 'grace', 'period'] %}
{%- set outside = ['trial', 'pending', 'completed', 'churned', 'trial_not_converted', 'cancelled_before_start', 'prospect'] %}
with run as (
    select * from {{ ref('int_run_context') }}
),

periods as (
    select
        *,
        lead(started_on) over (partition by customer_id order by period_number) as next_started_on
    from {{ ref('int_active_periods') }}
),

subscriptions as (
    select
        period.*,
        greatest(period.started_on, period.registered_on) as begins_on,
        -- Access that a failed payment ended has a grace; any other end is one when it is known.
        case when period.end_kind = 'involuntary' then period.ended_on else period.known_on end as runs_until,
        run.as_of
    from {{ ref('int_subscription_periods') }} as period
    cross join run
),

-- A request to cancel holds until a version takes it back, and no longer than access.
notices as (
    select
        version.customer_id,
        greatest(version.valid_from, period.active_from, version.cancel_requested_on) as starts_on,
        least(version.valid_to, period.runs_until) as ends_on
    from {{ ref('int_subscription_versions') }} as version
    inner join subscriptions as period on period.subscription_id = version.subscription_id
    where version.cancel_requested_on is not null
),

-- Silence is counted from the last sign of life, and anew from the start of a period and the end of a pause.
anchors as (
    select customer_id, first_day, last_day from {{ ref('int_activity_runs') }}
    union all
    select customer_id, started_on, started_on from periods
    union all
    select customer_id, resumed_on, resumed_on from {{ ref('int_pauses') }} where resumed_on is not null
),

silences as (
    select
        customer_id,
        max(last_day) over (
            partition by customer_id order by first_day, last_day rows unbounded preceding
        ) as last_day,
        lead(first_day) over (partition by customer_id order by first_day, last_day) as next_day
    from anchors
),

layers as (
    select customer_id, 'prospect' as layer, first_seen_on as starts_on, cast(null as date) as ends_on
    from {{ ref('int_customers') }}

    union all

    select customer_id, 'period', started_on, ended_on from periods

    union all

    select
        customer_id,
        case when period_number > 1 then 'first_days_back' else 'first_days' end,
        started_on,
        least(ended_on, {{ add_days('started_on', 30) }})
    from periods

    union all

    select customer_id, case when is_churn then 'churned' else 'completed' end, ended_on, next_started_on
    from periods
    where ended_on is not null

    union all

    -- Where neither use nor events are delivered, nothing is known about silence under a contract.
    select
        silence.customer_id,
        'silent',
        {{ add_days('silence.last_day', int_div('run.inactivity_days', 2) ~ ' + 1') }},
        silence.next_day
    from silences as silence
    cross join run
    where run.has_usage or run.has_events or run.kind <> 'subscription'

    union all

    select
        silence.customer_id,
        'long_silent',
        {{ add_days('silence.last_day', int_div('3 * run.inactivity_days', 4) ~ ' + 1') }},
        silence.next_day
    from silences as silence
    cross join run
    where run.has_usage or run.has_events or run.kind <> 'subscription'

    union all

    select customer_id, 'running', active_from, runs_until
    from subscriptions
    where not is_never_active

    union all

    select customer_id, 'grace', runs_until, known_on
    from subscriptions
    where not is_never_active and runs_until < coalesce(known_on, {{ add_days('as_of', 1) }})

    union all

    select customer_id, 'pause', paused_on, resumed_on from {{ ref('int_pauses') }}

    union all

    select customer_id, 'notice', starts_on, ends_on from notices

    union all

    select customer_id, 'pending', registered_on, least(started_on, ended_on)
    from subscriptions
    where started_on > registered_on

    union all

    select customer_id, 'trial', begins_on, least(active_from, ended_on)
    from subscriptions
    where active_from > begins_on

    union all

    select customer_id, end_kind, ended_on, null
    from subscriptions
    where is_never_active
),

changes as (
    select layers.customer_id, layers.layer, layers.starts_on as day, 1 as step
    from layers
    cross join run
    where (layers.ends_on is null or layers.starts_on < layers.ends_on) and layers.starts_on <= run.as_of

    union all

    select layers.customer_id, layers.layer, layers.ends_on, -1
    from layers
    cross join run
    where layers.starts_on < layers.ends_on and layers.ends_on <= run.as_of
),

daily as (
    select
        customer_id,
        day,
        {%- for layer in helpers + outside %}
        coalesce(sum(step) filter (where layer = '{{ layer }}'), 0) as {{ layer }}{{ ',' if not loop.last }}
        {%- endfor %}
    from changes
    {%- if is_increment() %}
    -- Of whom no layer has begun or ended since the last build, and nothing before it is another, the spans are there.
    where customer_id in (
        select customer_id from changes where day > {{ increment()['last_as_of'] }}
        union
        select customer_id from {{ changes('int_changed_snapshots') }}
    )
    {%- endif %}
    group by customer_id, day
),

covered as (
    select
        customer_id,
        day,
        {%- for layer in helpers + outside %}
        sum({{ layer }}) over by_day as {{ layer }}{{ ',' if not loop.last }}
        {%- endfor %}
    from daily
    window by_day as (partition by customer_id order by day rows unbounded preceding)
),

states as (
    select
        covered.customer_id,
        covered.day,
        case
            when period > 0 and running > 0 and pause >= running then 'paused'
            when period > 0 and running = 0 and grace > 0 then 'at_risk'
            when period > 0 and running > 0 and notice >= running then 'at_risk'
            when period > 0 and first_days_back > 0 then 'reactivated'
            when period > 0 and first_days > 0 then 'new'
            when period > 0 and running > 0 and not (run.has_usage or run.has_events) then 'active'
            when period > 0 and long_silent > 0 then 'dormant'
            when period > 0 and silent > 0 then 'at_risk'
            when period > 0 then 'active'
            {%- for layer in outside %}
            when {{ layer }} > 0 then '{{ layer }}'
            {%- endfor %}
        end as state
    from covered
    cross join run
),

-- A day on which the state stays begins no span.
turns as (
    select
        *,
        lag(state) over (partition by customer_id order by day) as previous_state
    from states
)

select
    customer_id,
    cast(row_number() over (partition by customer_id order by day) as integer) as span_number,
    state,
    previous_state,
    day as valid_from,
    lead(day) over (partition by customer_id order by day) as valid_to
from turns
where previous_state is null or previous_state <> state
