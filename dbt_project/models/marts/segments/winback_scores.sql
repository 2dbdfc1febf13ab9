{%- set criteria = winback_criteria() -%}
with run as (
    select * from {{ ref('int_run_context') }}
),

setting as (
    {{ component_settings('winback', criteria) }}
),

asked as (
    select
        max(case when name = 'opens_after' then level end) as opens_after,
        max(case when name = 'best_from' then level end) as best_from,
        max(case when name = 'best_until' then level end) as best_until,
        max(case when name = 'closes_after' then level end) as closes_after
    from {{ ref('int_score_settings') }}
    where setting = 'winback_window'
),

causes as (
    select name as cause, level
    from {{ ref('int_score_settings') }}
    where setting = 'winback_cause'
),

last_period as (
    select *
    from {{ ref('int_active_periods') }}
    qualify row_number() over (partition by customer_id order by period_number desc) = 1
),

-- Customers with a subscription to come, or on trial, are on their way back already.
on_the_way_back as (
    select period.customer_id
    from {{ ref('int_subscription_periods') }} as period
    cross join run
    where not period.is_never_active and {{ is_open('period', 'run.as_of') }} and period.active_from > run.as_of
    group by period.customer_id
),

former as (
    select
        snapshot.*,
        last_period.period_number as lost_period_number,
        last_period.started_on,
        last_period.happened_on,
        last_period.ended_on,
        -- Where nothing tells the cause, how the period ended says something of it.
        coalesce(nullif(reason.cause, 'unknown'), last_period.end_kind) as cause
    from {{ ref('int_customer_snapshots') }} as snapshot
    inner join run on run.as_of = snapshot.as_of
    inner join last_period on last_period.customer_id = snapshot.customer_id and last_period.is_churn
    left join {{ ref('churn_causes') }} as reason
        on reason.customer_key = snapshot.customer_key
        and reason.period_number = last_period.period_number
    where not snapshot.is_active
        and snapshot.customer_id not in (select customer_id from on_the_way_back)
),

worth as (
    select
        former.customer_id,
        case
            when run.has_order_lines or run.has_subscriptions
                then cast(round(
                    coalesce(segment.margin_before_loss_365d, 0)
                    + run.gross_margin * 12 * coalesce(loss.mrr_lost, 0), 2
                ) as decimal(18, 2))
        end as annual_margin_before_loss
    from former
    cross join run
    left join {{ ref('customer_segments') }} as segment on segment.customer_key = former.customer_key
    left join {{ ref('fct_churn_events') }} as loss
        on loss.customer_key = former.customer_key
        and loss.period_number = former.lost_period_number
),

ranked as (
    select
        customer_id,
        annual_margin_before_loss,
        case
            when annual_margin_before_loss <= 0 then 0
            else cast(rank() over (order by annual_margin_before_loss) - 1 as double) / count(*) over ()
        end as profitability
    from worth
    where annual_margin_before_loss is not null
),

refused as (
    select customer_id, channel from {{ ref('int_suppressions') }} group by customer_id, channel
),

reachable as (
    select consent.customer_id
    from {{ ref('int_consents') }} as consent
    left join refused
        on refused.customer_id = consent.customer_id
        and (refused.channel is null or refused.channel = consent.channel)
    where consent.purpose = 'marketing' and consent.status = 'granted' and refused.customer_id is null
    group by consent.customer_id
),

measures as (
    select
        former.customer_key,
        former.as_of,
        former.ended_on,
        former.cause as cause_of_loss,
        ranked.annual_margin_before_loss,
        ranked.profitability,
        causes.level as cause,
        case
            when {{ days_between('former.ended_on', 'former.as_of') }} <= asked.best_until then
                ({{ days_between('former.ended_on', 'former.as_of') }} - asked.opens_after)
                / (asked.best_from - asked.opens_after)
            else
                (asked.closes_after - {{ days_between('former.ended_on', 'former.as_of') }})
                / (asked.closes_after - asked.best_until)
        end as recency,
        {{ days_between('former.started_on', 'former.happened_on') }} as relationship,
        {{ satisfaction('former') }} as satisfaction,
        case
            when run.has_consents then case when reachable.customer_id is null then 0 else 1 end
            when run.has_suppressions or run.has_messages
                then case when former.customer_id in (select customer_id from refused) then 0 else 1 end
        end as reachability
    from former
    cross join run
    cross join asked
    left join ranked on ranked.customer_id = former.customer_id
    left join causes on causes.cause = former.cause
    left join reachable on reachable.customer_id = former.customer_id
),

parts as (
    select
        measures.customer_key,
        measures.as_of,
        measures.ended_on,
        measures.cause_of_loss,
        measures.annual_margin_before_loss,
        {%- for name in criteria %}
        {{ component(name) }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from measures
    cross join setting
)

select
    parts.customer_key,
    parts.as_of,
    parts.ended_on,
    parts.cause_of_loss,
    parts.annual_margin_before_loss,
    {{ weighted_score(criteria) }} as winback_score,
    {%- for name in criteria %}
    parts.{{ name }} as winback_{{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from parts
cross join setting
