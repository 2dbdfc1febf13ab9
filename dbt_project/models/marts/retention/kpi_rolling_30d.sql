with periods as (
    select
        customer_id,
        period_number,
        started_on,
        ended_on,
        is_churn,
        {{ decided_by('end_kind') }} as decided_by,
        lead(started_on) over (partition by customer_id order by period_number) as next_started_on
    from {{ ref('int_active_periods') }}
),

-- The days on which a customer is gone by the end of a period (`ended`), having been active 30 days before in that one or,
-- where it was short, in one before it (`opening`).
gone as (
    select
        ended.is_churn,
        ended.decided_by,
        greatest(ended.ended_on, {{ add_days('opening.started_on', 30) }}) as from_day,
        least(ended.next_started_on, {{ add_days('opening.ended_on', 30) }}) as to_day
    from periods as ended
    inner join periods as opening
        on opening.customer_id = ended.customer_id
        and opening.period_number <= ended.period_number
        and {{ add_days('opening.ended_on', 30) }} > ended.ended_on
    where ended.ended_on is not null
),

steps as (
    select
        day,
        sum(step) filter (where is_churn) as churned,
        {%- for by in ['voluntary', 'involuntary', 'unknown'] %}
        sum(step) filter (where is_churn and decided_by = '{{ by }}') as {{ by }},
        {%- endfor %}
        sum(step) filter (where not is_churn) as completed
    from (
        select is_churn, decided_by, from_day as day, 1 as step from gone where from_day < to_day
        union all
        select is_churn, decided_by, to_day, -1 from gone where from_day < to_day
    )
    group by day
),

days as (
    select
        kpi.day,
        coalesce(opening.customers_active, 0) as customers_opening,
        kpi.customers_active as customers_closing,
        {%- for movement in ['new', 'reactivated', 'lost', 'completed'] %}
        cast(sum(kpi.customers_{{ movement }}) over (
            order by kpi.day range between interval 29 days preceding and current row
        ) as bigint) as customers_{{ movement }},
        {%- endfor %}
        {%- for part in ['churned', 'voluntary', 'involuntary', 'unknown', 'completed'] %}
        cast(sum(coalesce(steps.{{ part }}, 0)) over (
            order by kpi.day rows unbounded preceding
        ) as bigint) as {{ part }}_of_opening{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('kpi_daily') }} as kpi
    left join {{ ref('kpi_daily') }} as opening on opening.day = {{ add_days('kpi.day', -30) }}
    left join steps on steps.day = kpi.day
),

counted as (
    select
        *,
        customers_opening - churned_of_opening - completed_of_opening as customers_retained,
        customers_opening + customers_new + customers_reactivated as customers_opening_and_joined
    from days
)

select
    day,
    customers_opening,
    customers_new,
    customers_reactivated,
    customers_lost,
    customers_completed,
    customers_closing,
    customers_retained,
    churned_of_opening as customers_churned_of_opening,
    completed_of_opening as customers_completed_of_opening,
    {{ rate_columns('customer_churn_rate', 'churned_of_opening', 'customers_opening') }},
    {{ rate_columns('customer_retention_rate', 'customers_retained', 'customers_opening') }},
    {{ rate_columns('voluntary_churn_rate', 'voluntary_of_opening', 'customers_opening') }},
    {{ rate_columns('involuntary_churn_rate', 'involuntary_of_opening', 'customers_opening') }},
    {{ rate_columns('unknown_churn_rate', 'unknown_of_opening', 'customers_opening') }},
    {{ rate_columns('logo_churn_rate_stripe', 'customers_lost', 'customers_opening_and_joined') }}
from counted
