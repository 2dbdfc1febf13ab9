with losses as (
    select {{ month_start('known_on') }} as month_start, cause, count(*) as losses
    from {{ ref('churn_causes') }}
    where period_number is not null
    group by 1, 2
),

months as (
    select month_start, sum(losses) as losses
    from losses
    group by month_start
)

select
    losses.month_start,
    {{ month_end('losses.month_start') }} <= run.as_of as is_complete,
    losses.cause,
    losses.losses as churn_events,
    {{ rate_columns('churn_cause_share', 'losses.losses', 'cast(months.losses as bigint)') }}
from losses
inner join months on months.month_start = losses.month_start
cross join {{ ref('int_run_context') }} as run
