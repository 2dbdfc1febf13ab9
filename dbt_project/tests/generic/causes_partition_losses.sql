{#- Every loss has exactly one cause, and the months have all of them. One row per figure that differs. -#}
{% test causes_partition_losses(model) %}
with events as (
    select event_id, {{ month_start('known_on') }} as month_start, period_number is not null as is_loss
    from {{ ref('fct_churn_events') }}
),

by_month as (
    select month_start, count(*) filter (where is_loss) as losses
    from events
    group by month_start
),

caused as (
    select month_start, sum(churn_events) as losses
    from {{ ref('churn_causes_monthly') }}
    group by month_start
)

select 'every event has one cause' as figure
from events
full join {{ model }} as cause on cause.event_id = events.event_id
where events.event_id is null or cause.event_id is null

union all

select 'the causes of a month are its losses'
from by_month
full join caused on caused.month_start = by_month.month_start
where coalesce(by_month.losses, 0) <> coalesce(caused.losses, 0)
{% endtest %}
