-- Every day of the first three months of tenure and every 30th day from there; the curve is exact at each of them.
{%- set counts = ['entered', 'ended', 'censored'] %}
with run as (
    select as_of from {{ ref('int_run_context') }}
),

life as (
    select
        *,
        lead(tenure_days) over by_time as next_tenure_days
        {%- for count in counts %},
        sum({{ count }}) over (by_time rows unbounded preceding) as {{ count }}_so_far
        {%- endfor %}
    from {{ ref('int_life_table') }}
    window by_time as (partition by dimension, segment order by tenure_days)
),

exposed as (
    select
        *,
        -- Customer-days at risk before the time of the row.
        coalesce(
            sum(present * (next_tenure_days - tenure_days)) over (
                partition by dimension, segment order by tenure_days rows between unbounded preceding and 1 preceding
            ), 0
        ) as days_before
    from life
),

spans as (
    select dimension, segment, max(tenure_days) as last_tenure_days
    from life
    group by dimension, segment
),

longest as (
    select coalesce(max(last_tenure_days), 0) as last_day from spans
),

numbers as (
    {{ numbers_up_to('last_day', 'longest') }}
),

points as (
    select spans.dimension, spans.segment, numbers.number as tenure_days
    from spans
    inner join numbers
        on numbers.number <= spans.last_tenure_days
        and (numbers.number <= 90 or numbers.number % 30 = 0 or numbers.number = spans.last_tenure_days)
),

-- Nobody may have entered at 0: the curve begins where somebody has.
read as (
    select
        points.dimension,
        points.segment,
        points.tenure_days,
        case when exposed.tenure_days = points.tenure_days then exposed.at_risk else exposed.present end as at_risk,
        exposed.entered_so_far,
        exposed.ended_so_far,
        exposed.censored_so_far,
        exposed.days_before + exposed.present * (points.tenure_days - exposed.tenure_days) as days_so_far,
        exposed.survival,
        exposed.survival_low,
        exposed.survival_high
        {%- for cause in end_causes() %},
        exposed.incidence_{{ cause }}
        {%- endfor %}
    from points
    inner join exposed
        on exposed.dimension = points.dimension
        and exposed.segment = points.segment
        and exposed.tenure_days <= points.tenure_days
        and (exposed.next_tenure_days is null or exposed.next_tenure_days > points.tenure_days)
),

months as (
    select
        point.dimension,
        point.segment,
        point.tenure_days,
        cast(point.ended_so_far - coalesce(before.ended_so_far, 0) as bigint) as ended,
        cast(point.days_so_far - coalesce(before.days_so_far, 0) as bigint) as days_at_risk
    from read as point
    left join read as before
        on before.dimension = point.dimension
        and before.segment = point.segment
        and before.tenure_days = point.tenure_days - 30
    where point.tenure_days > 0 and point.tenure_days % 30 = 0
)

select
    run.as_of,
    read.dimension,
    read.segment,
    read.tenure_days,
    cast(read.at_risk as bigint) as customers_at_risk
    {%- for count in counts %},
    cast(read.{{ count }}_so_far - coalesce(lag(read.{{ count }}_so_far) over by_time, 0) as bigint) as customers_{{ count }}
    {%- endfor %},
    read.survival,
    read.survival_low,
    read.survival_high
    {%- for cause in end_causes() %},
    read.incidence_{{ cause }}
    {%- endfor %},
    {{ ratio('30 * months.ended', 'months.days_at_risk') }} as hazard,
    months.ended as hazard_numerator,
    months.days_at_risk as hazard_denominator,
    round(30 * {{ poisson_low('months.ended') }} / nullif(months.days_at_risk, 0), 6) as hazard_low,
    round(30 * {{ poisson_high('months.ended') }} / nullif(months.days_at_risk, 0), 6) as hazard_high
from read
cross join run
left join months
    on months.dimension = read.dimension
    and months.segment = read.segment
    and months.tenure_days = read.tenure_days
window by_time as (partition by read.dimension, read.segment order by read.tenure_days)
