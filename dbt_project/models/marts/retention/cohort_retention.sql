{%- set units = cohort_units() %}
{%- set dimensions = {
    'country': "coalesce(country, 'unknown')",
    'acquisition_channel': "coalesce(acquisition_channel, 'unknown')",
    'plan': "coalesce(first_plan, 'none')"
} %}
{%- set keys = 'cohort_kind, cohort_unit, dimension, segment, cohort_start' %}
with run as (
    select
        *,
        has_order_lines or has_usage or has_events as has_activity,
        {{ period_start('day', 'as_of', 'week_starts_on') }} as last_day,
        {{ period_start('week', 'as_of', 'week_starts_on') }} as last_week,
        {{ period_start('month', 'as_of', 'week_starts_on') }} as last_month
    from {{ ref('int_run_context') }}
),

people as (
    select 'first_active' as cohort_kind, customer_id, first_active_on as first_on, country, acquisition_channel, first_plan
    from {{ ref('int_cohort_members') }}
    where first_active_on is not null

    union all

    select 'first_purchase', customer_id, first_purchase_on, country, acquisition_channel, first_plan
    from {{ ref('int_cohort_members') }}
    where first_purchase_on is not null
),

members as (
    {% for unit, limits in units.items() -%}
    {%- set start = period_start(unit, 'people.first_on', 'run.week_starts_on') -%}
    select
        '{{ unit }}' as cohort_unit,
        people.cohort_kind,
        people.customer_id,
        {{ start }} as cohort_start,
        {{ 'people.country' if unit == 'month' else 'cast(null as varchar)' }} as country,
        {{ 'people.acquisition_channel' if unit == 'month' else 'cast(null as varchar)' }} as acquisition_channel,
        {{ 'people.first_plan' if unit == 'month' else 'cast(null as varchar)' }} as first_plan
    from people
    cross join run
    {%- if limits.cohorts %}
    where {{ start }} > {{ add_periods(unit, 'run.last_' ~ unit, -limits.cohorts) }}
    {%- endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- What a customer did in a period: one row per unit, customer and period.
doings as (
    {% for unit, limits in units.items() -%}
    select
        '{{ unit }}' as cohort_unit,
        day.customer_id,
        {{ period_start(unit, 'day.day', 'run.week_starts_on') }} as period_start,
        bool_or(day.is_activity) as is_active,
        bool_or(day.orders > 0) as has_purchased,
        sum(day.revenue) as revenue
    from {{ ref('int_daily_activity') }} as day
    cross join run
    {%- if limits.cohorts %}
    where day.day >= {{ add_periods(unit, 'run.last_' ~ unit, 1 - limits.cohorts) }}
    {%- endif %}
    group by 1, 2, 3
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

aged as (
    select
        members.*,
        {{ age_in_periods('members.cohort_unit', 'members.cohort_start', 'doings.period_start') }} as age,
        case members.cohort_kind when 'first_purchase' then doings.has_purchased else doings.is_active end as is_active,
        doings.revenue
    from members
    inner join doings
        on doings.cohort_unit = members.cohort_unit
        and doings.customer_id = members.customer_id
        and doings.period_start >= members.cohort_start
),

last_seen as (
    select
        cohort_unit, cohort_kind, customer_id, cohort_start, country, acquisition_channel, first_plan,
        max(age) as age
    from aged
    where is_active and age <= case cohort_unit
        {%- for unit, limits in units.items() %} when '{{ unit }}' then {{ limits.window }}{% endfor %} end
    group by all
),

-- Beginnings and ends of active periods; what began before the cohort did stands at age 0.
changes as (
    select members.*, period.started_on as day, 1 as change
    from members
    inner join {{ ref('int_active_periods') }} as period on period.customer_id = members.customer_id

    union all

    select members.*, period.ended_on, -1
    from members
    inner join {{ ref('int_active_periods') }} as period on period.customer_id = members.customer_id
    where period.ended_on is not null
),

facts as (
    select
        cohort_unit, cohort_kind, cohort_start, country, acquisition_channel, first_plan, 0 as age,
        count(*) as customers, 0 as change, 0 as active, 0 as last_active, cast(0 as decimal(18, 4)) as revenue
    from members
    group by all

    union all

    select
        cohort_unit, cohort_kind, cohort_start, country, acquisition_channel, first_plan,
        greatest({{ age_in_periods(
            'cohort_unit', 'cohort_start', period_start_of('cohort_unit', 'day', 'run.week_starts_on')
        ) }}, 0) as age,
        0, sum(change), 0, 0, 0
    from changes
    cross join run
    group by all

    union all

    select
        cohort_unit, cohort_kind, cohort_start, country, acquisition_channel, first_plan, age,
        0, 0, count(*) filter (where is_active), 0, sum(revenue)
    from aged
    group by all

    union all

    select
        cohort_unit, cohort_kind, cohort_start, country, acquisition_channel, first_plan, age, 0, 0, 0, count(*), 0
    from last_seen
    group by all
),

combinations as (
    select
        cohort_unit, cohort_kind, cohort_start, country, acquisition_channel, first_plan, age,
        {%- for column in ['customers', 'change', 'active', 'last_active', 'revenue'] %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from facts
    group by all
),

segmented as (
    {% for dimension, segment in [('all', "'all'")] + dimensions.items() | list -%}
    select
        cohort_kind,
        cohort_unit,
        '{{ dimension }}' as dimension,
        {{ segment }} as segment,
        cohort_start,
        age,
        {%- for column in ['customers', 'change', 'active', 'last_active', 'revenue'] %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from combinations
    cross join run
    {%- if dimension != 'all' %}
    where cohort_unit = 'month'
        and cohort_kind = 'first_active'
        and cohort_start > {{ add_months('run.last_month', -36) }}
    {%- endif %}
    group by 1, 2, 3, 4, 5, 6
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

cohorts as (
    select {{ keys }}, sum(customers) as cohort_size
    from segmented
    group by {{ keys }}
),

-- Every cohort has a cell for every age that the oldest one has reached; those of the future stay empty.
reached as (
    select
        cohort_kind,
        cohort_unit,
        dimension,
        max({{ age_in_periods('cohort_unit', 'cohort_start', 'case cohort_unit'
            ~ " when 'day' then run.last_day when 'week' then run.last_week else run.last_month end") }}) as oldest_age
    from cohorts
    cross join run
    group by cohort_kind, cohort_unit, dimension
),

longest as (
    select coalesce(max(oldest_age), 0) as oldest_age from reached
),

numbers as (
    {{ number_spine('oldest_age', 'longest') }}
),

cells as (
    select
        cohorts.*,
        numbers.number as age,
        {{ period_at('cohorts.cohort_unit', 'cohorts.cohort_start', 'numbers.number') }} as period_start,
        {{ period_at('cohorts.cohort_unit', 'cohorts.cohort_start', 'numbers.number + 1') }} as next_period_start,
        case cohorts.cohort_unit
            {%- for unit, limits in units.items() %}
            when '{{ unit }}' then {{ period_at("'" ~ unit ~ "'", 'cohorts.cohort_start', limits.window + 1) }}
            {%- endfor %}
        end as window_ends_on,
        numbers.number <= case cohorts.cohort_unit
            {%- for unit, limits in units.items() %} when '{{ unit }}' then {{ limits.window }}{% endfor %} end as is_in_window
    from cohorts
    inner join reached
        on reached.cohort_kind = cohorts.cohort_kind
        and reached.cohort_unit = cohorts.cohort_unit
        and reached.dimension = cohorts.dimension
    inner join numbers
        on numbers.number <= least(
            reached.oldest_age,
            case cohorts.cohort_unit
                {%- for unit, limits in units.items() %} when '{{ unit }}' then {{ limits.ages }}{% endfor %}
            end
        )
),

counted as (
    select
        cells.*,
        cells.next_period_start <= {{ add_days('run.as_of', 1) }} as is_over,
        cells.is_in_window and cells.window_ends_on <= {{ add_days('run.as_of', 1) }} as is_window_over,
        sum(coalesce(segmented.change, 0)) over by_age as retained,
        coalesce(segmented.active, 0) as active,
        sum(coalesce(segmented.last_active, 0)) over from_age as active_or_later,
        cast(coalesce(segmented.revenue, 0) as decimal(18, 4)) as revenue,
        first_value(cast(coalesce(segmented.revenue, 0) as decimal(18, 4))) over by_age as first_revenue,
        sum(coalesce(segmented.revenue, 0)) over by_age as cumulative_revenue,
        run.has_activity,
        run.has_order_lines
    from cells
    cross join run
    left join segmented
        on segmented.cohort_kind = cells.cohort_kind
        and segmented.cohort_unit = cells.cohort_unit
        and segmented.dimension = cells.dimension
        and segmented.segment = cells.segment
        and segmented.cohort_start = cells.cohort_start
        and segmented.age = cells.age
    window
        by_age as (
            partition by cells.cohort_kind, cells.cohort_unit, cells.dimension, cells.segment, cells.cohort_start
            order by cells.age rows unbounded preceding
        ),
        from_age as (
            partition by cells.cohort_kind, cells.cohort_unit, cells.dimension, cells.segment, cells.cohort_start
            order by cells.age desc rows unbounded preceding
        )
),

known as (
    select
        cohort_kind,
        cohort_unit,
        dimension,
        segment,
        cohort_start,
        age,
        period_start,
        cast(cohort_size as bigint) as cohort_size,
        case when is_over then cast(retained as bigint) end as retained,
        case when is_over and has_activity then cast(active as bigint) end as active,
        case when is_window_over and has_activity then cast(active_or_later as bigint) end as active_or_later,
        case when is_over and has_order_lines then revenue end as revenue,
        case when is_over and has_order_lines then first_revenue end as first_revenue,
        case when is_over and has_order_lines then cast(cumulative_revenue as decimal(18, 4)) end as cumulative_revenue
    from counted
)

select
    cohort_kind,
    cohort_unit,
    dimension,
    segment,
    cohort_start,
    age,
    period_start,
    cohort_size,
    retained,
    {{ rate_columns('retention_rate', 'retained', 'cohort_size') }},
    {{ rate_columns('classic_retention_rate', 'active', 'cohort_size') }},
    {{ rate_columns('unbounded_retention_rate', 'active_or_later', 'cohort_size') }},
    revenue,
    {{ ratio('revenue', 'first_revenue') }} as revenue_retention,
    revenue as revenue_retention_numerator,
    first_revenue as revenue_retention_denominator,
    cumulative_revenue,
    {{ ratio('cumulative_revenue', 'cohort_size', 4) }} as cumulative_revenue_per_customer
from known
