with spells as (
    {% for dimension, segment in {
        'all': "'all'",
        'country': "coalesce(country, 'unknown')",
        'acquisition_channel': "coalesce(acquisition_channel, 'unknown')",
        'plan': "coalesce(first_plan, 'none')",
        'began_with': 'began_with'
    }.items() -%}
    select
        '{{ dimension }}' as dimension,
        {{ segment }} as segment,
        entry_days,
        exit_days,
        cause,
        count(*) as customers
    from {{ ref('int_lifetimes') }}
    where period_number = 1
    group by all

    union all

    {% endfor -%}
    select
        'period_number' as dimension,
        case when period_number >= 3 then '3+' else cast(period_number as varchar) end as segment,
        entry_days,
        exit_days,
        cause,
        count(*) as customers
    from {{ ref('int_lifetimes') }}
    group by all
),

life as (
    {{ life_table('spells', ['dimension', 'segment']) }}
),

estimates as (
    {{ kaplan_meier('life', ['dimension', 'segment']) }}
)

select * from estimates
