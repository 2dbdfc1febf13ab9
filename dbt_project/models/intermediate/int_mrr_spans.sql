-- Which days a restart, a grace and a pause cover is decided here; docs/decisions 0013 and 0014 say why.
with run as (
    select * from {{ ref('int_run_context') }}
),

-- The first paid day of another subscription that goes on where one ended: a plan change, not a loss and a return.
restarts as (
    select period.subscription_id, min(other.active_from) as restarts_on
    from {{ ref('int_subscription_periods') }} as period
    inner join {{ ref('int_subscription_periods') }} as other
        on other.customer_id = period.customer_id
        and other.subscription_id <> period.subscription_id
        and other.active_from >= period.ended_on
        and (
            period.known_on is null
            or other.active_from <= greatest(period.known_on, {{ add_days('period.ended_on', 1) }})
        )
    where not period.is_never_active and not other.is_never_active
    group by period.subscription_id
),

stated as (
    select
        version.*,
        min(version.started_on) over so_far as begins_on,
        min(case when version.ended_on is null or version.ended_on > version.valid_from then version.valid_from end)
            over afterwards as restored_on
    from {{ ref('int_subscription_versions') }} as version
    window
        so_far as (partition by subscription_id order by valid_from rows unbounded preceding),
        afterwards as (
            partition by subscription_id order by valid_from rows between 1 following and unbounded following
        )
),

-- Until which day a version counts at most: beyond the end of access where that is a plan change, or not known yet.
versions as (
    select
        stated.*,
        run.as_of,
        case
            when stated.ended_on is null then null
            when stated.restored_on is null then coalesce(restarts.restarts_on, period.known_on)
            when stated.restored_on <= {{ add_days('stated.ended_on', 1) }} then stated.restored_on
            -- Restored under the same id after nobody had asked to end it: as after a failed payment.
            when stated.cancel_requested_on is null and stated.contract_ends_on is null
                then least(stated.restored_on, {{ add_days('stated.ended_on', 'run.dunning_grace_days') }})
            else stated.ended_on
        end as counts_until
    from stated
    inner join {{ ref('int_subscription_periods') }} as period on period.subscription_id = stated.subscription_id
    left join restarts on restarts.subscription_id = stated.subscription_id
    cross join run
),

points as (
    select distinct subscription_id, version_from, point
    from (
        {%- for day in [
            'valid_from', 'begins_on', 'trial_ends_on', 'paused_on', 'resumes_on', 'cancel_requested_on',
            'discount_ends_on', 'counts_until'
        ] %}
        {{ 'union all' if not loop.first }}
        select subscription_id, valid_from as version_from, {{ day }} as point
        from versions
        where {{ day }} >= valid_from and {{ day }} <= as_of and (valid_to is null or {{ day }} < valid_to)
        {%- endfor %}
    ) as days
),

pieces as (
    select
        version.subscription_id,
        version.customer_id,
        points.point as valid_from,
        lead(points.point) over (partition by version.subscription_id order by points.point) as valid_to,
        case
            when version.counts_until <= points.point then 'ended'
            when points.point < version.begins_on then 'pending'
            when points.point < version.trial_ends_on then 'trial'
            when version.paused_on <= points.point and (version.resumes_on is null or version.resumes_on > points.point)
                then 'paused'
            else 'paid'
        end as state,
        coalesce(
            version.cancel_requested_on <= points.point
            and (version.ended_on is null or version.ended_on > points.point),
            false
        ) as is_scheduled_to_cancel,
        version.plan,
        version.currency,
        version.interval_price,
        case
            when version.discount_ends_on <= points.point then cast(0 as decimal(18, 4))
            else version.interval_discount
        end as interval_discount,
        version.months_numerator,
        version.months_denominator
    from points
    inner join versions as version
        on version.subscription_id = points.subscription_id
        and version.valid_from = points.version_from
),

{%- set what = [
    'state', 'is_scheduled_to_cancel', 'plan', 'currency', 'interval_price', 'interval_discount', 'months_numerator',
    'months_denominator'
] %}

marked as (
    select
        *,
        case
            when {% for column in what -%}
            {{ column }} is not distinct from lag({{ column }}) over by_day and {% endfor -%}
            lag(valid_from) over by_day is not null
                then 0
            else 1
        end as begins
    from pieces
    window by_day as (partition by subscription_id order by valid_from)
),

numbered as (
    select *, sum(begins) over (partition by subscription_id order by valid_from rows unbounded preceding) as span
    from marked
)

select
    subscription_id,
    customer_id,
    min(valid_from) as valid_from,
    case when count(valid_to) = count(*) then max(valid_to) end as valid_to,
    {{ what | join(',\n    ') }}
from numbered
where state not in ('ended', 'pending')
group by subscription_id, customer_id, span, {{ what | join(', ') }}
