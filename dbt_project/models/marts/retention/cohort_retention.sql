{%- set units = cohort_units() %}
{%- set dimensions = {
    'country': "coalesce(country, 'unknown')",
    'acquisition_channel': "coalesce(acquisition_channel, 'unknown')",
    'plan': "coalesce(first_plan, 'none')"
} %}
{%- set parts = 'cohort_unit, cohort_kind, cohort_start, country, acquisition_channel, plan' %}
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
    select 'first_active' as cohort_kind, first_active_on as first_on, *
    from {{ ref('int_cohort_members') }}
    where first_active_on is not null

    union all

    select 'first_purchase', first_purchase_on, *
    from {{ ref('int_cohort_members') }}
    where first_purchase_on is not null
),

-- The segments are those of months; days and weeks have none.
members as (
    {% for unit, limits in units.items() -%}
    {%- set start = period_start(unit, 'people.first_on', 'run.week_starts_on') -%}
    select
        '{{ unit }}' as cohort_unit,
        people.cohort_kind,
        people.customer_id,
        {{ start }} as cohort_start,
        {%- for dimension, segment in dimensions.items() %}
        {{ segment if unit == 'month' else "''" }} as {{ dimension }}{{ ',' if not loop.last }}
        {%- endfor %}
    from people
    cross join run
    where {{ start }} > {{ add_periods(unit, 'run.last_' ~ unit, -limits.cohorts) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- What customers have in common has a number: millions of rows carry it instead of its texts.
groups as (
    select
        {{ parts }},
        count(*) as customers,
        case cohort_unit
            {%- for unit, limits in units.items() %}
            when '{{ unit }}' then {{ period_at("'" ~ unit ~ "'", 'cohort_start', limits.window + 1) }}
            {%- endfor %}
        end as window_ends_on,
        row_number() over (order by {{ parts }}) as group_id
    from members
    group by {{ parts }}
),

numbered as (
    select members.customer_id, groups.*
    from members
    inner join groups using ({{ parts }})
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
    where day.day >= {{ add_periods(unit, 'run.last_' ~ unit, 1 - limits.cohorts) }}
    group by 1, 2, 3
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- The last active day within the window.
last_seen as (
    select numbered.group_id, numbered.customer_id, max(day.day) as day
    from {{ ref('int_daily_activity') }} as day
    inner join numbered
        on numbered.customer_id = day.customer_id
        and day.day >= numbered.cohort_start
        and day.day < numbered.window_ends_on
    where case numbered.cohort_kind when 'first_purchase' then day.orders > 0 else day.is_activity end
    group by numbered.group_id, numbered.customer_id
),

-- Beginnings and ends of active periods.
changes as (
    select numbered.group_id, period.started_on as day, 1 as change
    from numbered
    inner join {{ ref('int_active_periods') }} as period on period.customer_id = numbered.customer_id

    union all

    select numbered.group_id, period.ended_on, -1
    from numbered
    inner join {{ ref('int_active_periods') }} as period on period.customer_id = numbered.customer_id
    where period.ended_on is not null
),

dated as (
    select group_id, day, sum(change) as change, 0 as last_active
    from changes
    group by group_id, day

    union all

    select group_id, day, 0, count(*)
    from last_seen
    group by group_id, day
),

facts as (
    select group_id, 0 as age, customers, 0 as change, 0 as active, 0 as last_active, 0 as revenue
    from groups

    union all

    -- What began before the cohort did stands at age 0.
    select
        groups.group_id,
        greatest({{ age_in_periods(
            'groups.cohort_unit',
            'groups.cohort_start',
            period_start_of('groups.cohort_unit', 'dated.day', 'run.week_starts_on')
        ) }}, 0),
        0, dated.change, 0, dated.last_active, 0
    from dated
    cross join run
    inner join groups on groups.group_id = dated.group_id

    union all

    select
        numbered.group_id,
        {{ age_in_periods('numbered.cohort_unit', 'numbered.cohort_start', 'doings.period_start') }} as age,
        0,
        0,
        count(*) filter (
            where case numbered.cohort_kind when 'first_purchase' then doings.has_purchased else doings.is_active end
        ),
        0,
        sum(doings.revenue)
    from doings
    inner join numbered
        on numbered.cohort_unit = doings.cohort_unit
        and numbered.customer_id = doings.customer_id
        and numbered.cohort_start <= doings.period_start
    group by 1, 2
),

combinations as (
    select
        group_id, age,
        {%- for column in ['customers', 'change', 'active', 'last_active', 'revenue'] %}
        sum({{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from facts
    group by group_id, age
),

segmented as (
    {% for dimension in ['all'] + dimensions.keys() | list -%}
    select
        groups.cohort_kind,
        groups.cohort_unit,
        '{{ dimension }}' as dimension,
        {{ "'all'" if dimension == 'all' else 'groups.' ~ dimension }} as segment,
        groups.cohort_start,
        combinations.age,
        {%- for column in ['customers', 'change', 'active', 'last_active', 'revenue'] %}
        sum(combinations.{{ column }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from combinations
    inner join groups on groups.group_id = combinations.group_id
    cross join run
    {%- if dimension != 'all' %}
    where groups.cohort_unit = 'month'
        and groups.cohort_kind = 'first_active'
        and groups.cohort_start > {{ add_months('run.last_month', -36) }}
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
    {{ numbers_up_to('oldest_age', 'longest') }}
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
