{%- set dimensions = ['country', 'plan', 'acquisition_channel', 'company_size', 'industry', 'cohort_year', 'cohort_quarter'] %}
{%- set counts = [
    'customers_new', 'customers_reactivated', 'customers_lost', 'customers_completed', 'customers_joined',
    'customers_joined_and_left', 'customers_churned_of_opening', 'voluntary_of_opening', 'involuntary_of_opening',
    'unknown_of_opening', 'customers_completed_of_opening'
] %}
with months as (
    select month_start, month_end, max(day) as last_day
    from {{ ref('int_calendar') }}
    group by month_start, month_end
),

-- A plan runs with its subscription; of several that run, that of the one which was paid for first is the customer's.
versions as (
    select
        period.customer_id,
        period.subscription_id,
        period.active_from,
        version.plan,
        greatest(version.valid_from, period.active_from) as valid_from,
        least(version.valid_to, period.known_on) as valid_to
    from {{ ref('int_subscription_versions') }} as version
    inner join {{ ref('int_subscription_periods') }} as period on period.subscription_id = version.subscription_id
    where not period.is_never_active
),

turns as (
    select customer_id, valid_from as day from versions
    union
    select customer_id, valid_to from versions where valid_to is not null
),

plans as (
    select turns.customer_id, turns.day, min_by(versions.plan, (versions.active_from, versions.subscription_id)) as plan
    from turns
    inner join versions
        on versions.customer_id = turns.customer_id
        and versions.valid_from <= turns.day
        and (versions.valid_to is null or versions.valid_to > turns.day)
    group by turns.customer_id, turns.day
),

-- The plan within an active period: that of the last turn; unknown before the first one.
planned as (
    select customer_id, period_number, ended_on, day, max(plan) as plan
    from (
        select period.customer_id, period.period_number, period.ended_on, plans.day, plans.plan
        from {{ ref('int_active_periods') }} as period
        inner join plans
            on plans.customer_id = period.customer_id
            and plans.day >= period.started_on
            and (period.ended_on is null or plans.day < period.ended_on)

        union all

        select customer_id, period_number, ended_on, started_on, null
        from {{ ref('int_active_periods') }}
    )
    group by customer_id, period_number, ended_on, day
),

spans as (
    select
        customer_id,
        plan,
        day as valid_from,
        coalesce(lead(day) over (partition by customer_id, period_number order by day), ended_on) as valid_to
    from planned
),

members as (
    select
        customer.customer_id,
        coalesce(customer.country, '(unknown)') as country,
        coalesce(customer.acquisition_channel, '(unknown)') as acquisition_channel,
        coalesce(customer.company_size, '(unknown)') as company_size,
        coalesce(customer.industry, '(unknown)') as industry,
        cast(cast(extract(year from period.started_on) as integer) as varchar) as cohort_year,
        cast(cast(extract(year from period.started_on) as integer) as varchar)
        || '-Q' || cast(cast(extract(quarter from period.started_on) as integer) as varchar) as cohort_quarter
    from {{ ref('int_active_periods') }} as period
    inner join {{ ref('int_customers') }} as customer on customer.customer_id = period.customer_id
    where period.period_number = 1
),

-- Who stands in a segment: one more from the first day of a span, one less from its end.
steps as (
    select month_start, customer_id, coalesce(plan, '(unknown)') as plan, sum(step) as step
    from (
        select customer_id, plan, {{ month_start('valid_from') }} as month_start, 1 as step
        from spans

        union all

        select customer_id, plan, {{ month_start('valid_to') }}, -1
        from spans
        where valid_to is not null
    )
    group by 1, 2, 3
    having sum(step) <> 0
),

changes as (
    {{ changes_by_month(ref('int_active_periods')) }}
),

-- A customer counts for the plan at the start of the month; who joins in it, for the first one.
planned_changes as (
    select changes.*, coalesce(spans.plan, '(unknown)') as plan
    from changes
    inner join spans
        on spans.customer_id = changes.customer_id
        and spans.valid_from <= case
            when changes.is_opening then {{ add_days('changes.month_start', -1) }} else changes.first_started_on
        end
        and (
            spans.valid_to is null
            or spans.valid_to > case
                when changes.is_opening then {{ add_days('changes.month_start', -1) }} else changes.first_started_on
            end
        )
),
{% for name, source, sums in [('stocks', 'steps', 'sum(step) as step'), ('flows', 'planned_changes', sums_of_changes())] %}
{{ name }} as (
    select
        month_start,
        case
            {%- for dimension in dimensions %}
            when grouping({{ dimension }}) = 0 then '{{ dimension }}'
            {%- endfor %}
            else 'all'
        end as dimension,
        coalesce({{ dimensions | join(', ') }}, 'all') as segment,
        {{ sums }}
    from {{ source }}
    inner join members using (customer_id)
    group by grouping sets (
        (month_start){% for dimension in dimensions %}, (month_start, {{ dimension }}){% endfor %}
    )
),
{% endfor %}
-- From the month in which somebody first comes into it, a segment has a row each month. A dimension of which nothing is
-- known has none.
segments as (
    select dimension, segment, min(month_start) as first_month
    from stocks
    group by dimension, segment
    qualify bool_or(segment <> '(unknown)') over (partition by dimension)
),

cells as (
    select
        segments.dimension,
        segments.segment,
        months.month_start,
        months.last_day = months.month_end as is_complete,
        cast(coalesce(sum(stocks.step) over (
            partition by segments.dimension, segments.segment
            order by months.month_start rows between unbounded preceding and 1 preceding
        ), 0) as bigint) as customers_opening,
        {%- for count in counts %}
        cast(coalesce(flows.{{ count }}, 0) as bigint) as {{ count }}{{ ',' if not loop.last }}
        {%- endfor %}
    from segments
    inner join months on months.month_start >= segments.first_month
    left join stocks
        on stocks.dimension = segments.dimension
        and stocks.segment = segments.segment
        and stocks.month_start = months.month_start
    left join flows
        on flows.dimension = segments.dimension
        and flows.segment = segments.segment
        and flows.month_start = months.month_start
),

counted as (
    select
        *,
        customers_opening - customers_churned_of_opening - customers_completed_of_opening as customers_retained
    from cells
)

select
    dimension,
    segment,
    month_start,
    is_complete,
    customers_opening,
    customers_new,
    customers_reactivated,
    customers_lost,
    customers_completed,
    customers_opening + customers_new + customers_reactivated - customers_lost - customers_completed
        as customers_closing,
    customers_retained,
    customers_joined,
    customers_joined_and_left,
    customers_churned_of_opening,
    customers_completed_of_opening,
    {{ rate_columns('customer_churn_rate', 'customers_churned_of_opening', 'customers_opening') }},
    {{ rate_columns('customer_retention_rate', 'customers_retained', 'customers_opening') }},
    {{ rate_columns('voluntary_churn_rate', 'voluntary_of_opening', 'customers_opening') }},
    {{ rate_columns('involuntary_churn_rate', 'involuntary_of_opening', 'customers_opening') }},
    {{ rate_columns('unknown_churn_rate', 'unknown_of_opening', 'customers_opening') }}
from counted
