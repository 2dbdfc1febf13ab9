-- Monthly cohorts of first active days at a few ages: one row per metric, for trends over the months.
with cells as (
    select *
    from {{ ref('cohort_retention') }}
    where cohort_kind = 'first_active' and cohort_unit = 'month' and age in (1, 3, 6, 12)
),

brackets as (
    select *
    from {{ ref('cohort_brackets') }}
    where cohort_kind = 'first_active' and cohort_unit = 'month'
),

figures as (
    {% for name, rate in {
        'cohort_retention_rate': 'retention_rate',
        'cohort_classic_retention_rate': 'classic_retention_rate',
        'cohort_unbounded_retention_rate': 'unbounded_retention_rate'
    }.items() -%}
    select
        cohort_start,
        dimension,
        segment,
        '{{ name }}_month_' || age as metric,
        {{ rate }} as value,
        {{ rate }}_numerator as numerator,
        {{ rate }}_denominator as denominator,
        {{ rate }}_low as low,
        {{ rate }}_high as high
    from cells
    {%- if rate == 'unbounded_retention_rate' %}
    where age < 12
    {%- endif %}

    union all

    {% endfor -%}
    select
        cohort_start,
        dimension,
        segment,
        'cohort_revenue_retention_month_' || age,
        revenue_retention,
        revenue_retention_numerator,
        revenue_retention_denominator,
        null,
        null
    from cells

    union all

    select
        cohort_start,
        dimension,
        segment,
        'cohort_revenue_per_customer_month_' || age,
        cumulative_revenue_per_customer,
        cumulative_revenue,
        cohort_size,
        null,
        null
    from cells

    union all

    select
        cohort_start,
        'all',
        'all',
        'cohort_bracket_retention_rate_day_' || from_day || '_' || to_day,
        bracket_retention_rate,
        bracket_retention_rate_numerator,
        bracket_retention_rate_denominator,
        bracket_retention_rate_low,
        bracket_retention_rate_high
    from brackets
)

select
    cohort_start,
    dimension,
    segment,
    metric,
    value,
    cast(numerator as decimal(18, 4)) as numerator,
    cast(denominator as decimal(18, 4)) as denominator,
    low,
    high
from figures
-- What cannot be observed yet, or is not measured here, has no row.
where numerator is not null
