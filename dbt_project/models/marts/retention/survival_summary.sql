{%- set horizons = [30, 90, 180, 365] %}
{#- Whether a row holds the figures of a day that is observed. -#}
{%- set stands_at = 'last_tenure_days >= {0} and tenure_days <= {0}'
    ~ ' and (next_tenure_days is null or next_tenure_days > {0})' %}
with run as (
    select as_of from {{ ref('int_run_context') }}
),

life as (
    select
        *,
        lead(tenure_days) over (partition by dimension, segment order by tenure_days) as next_tenure_days,
        max(tenure_days) over (partition by dimension, segment) as last_tenure_days
    from {{ ref('int_life_table') }}
),

segments as (
    select
        dimension,
        segment,
        cast(sum(entered) as bigint) as customers,
        cast(coalesce(sum(entered) filter (where tenure_days > 0), 0) as bigint) as customers_entered_late,
        cast(sum(ended) as bigint) as customers_ended,
        {%- for cause in end_causes() %}
        cast(sum(ended_{{ cause }}) as bigint) as ended_{{ cause }},
        {%- endfor %}
        cast(sum(censored) as bigint) as customers_censored,
        cast(sum(present * coalesce(next_tenure_days - tenure_days, 0)) as bigint) as days_at_risk,
        -- The first day on which half or fewer are left; the bounds are those of the curve's own bounds.
        min(tenure_days) filter (where survival <= 0.5) as median_lifetime_days,
        min(tenure_days) filter (where coalesce(survival_low, survival) <= 0.5) as median_lifetime_days_low,
        min(tenure_days) filter (where coalesce(survival_high, survival) <= 0.5) as median_lifetime_days_high
        {%- for days in horizons %}
        {%- for bound in ['', '_low', '_high'] %},
        max(survival{{ bound }}) filter (where {{ stands_at.format(days) }}) as survival_{{ days }}d{{ bound }}
        {%- endfor %}
        {%- endfor %}
        {%- for cause in end_causes() %},
        max(incidence_{{ cause }}) filter (where {{ stands_at.format(365) }}) as incidence_{{ cause }}_365d
        {%- endfor %}
    from life
    group by dimension, segment
),

-- Groups of fewer than 10 say too little for the test, and it is not made for the numbers of lifetimes: second ones are
-- those of the same customers.
tested as (
    select life.*
    from life
    inner join (
        select
            dimension,
            segment,
            count(*) over (partition by dimension) as segments,
            row_number() over (partition by dimension order by customers desc, segment) as place
        from segments
        where dimension not in ('all', 'period_number') and customers >= 10
    ) as compared
        on compared.dimension = life.dimension and compared.segment = life.segment and compared.place <= 40
    where compared.segments > 1
),

tests as (
    {{ log_rank('tested', 'dimension') }}
),

results as (
    {{ with_chi_square_tail('tests') }}
)

select
    run.as_of,
    segments.*,
    {{ ratio('30 * segments.customers_ended', 'segments.days_at_risk') }} as hazard,
    segments.customers_ended as hazard_numerator,
    segments.days_at_risk as hazard_denominator,
    round(30 * {{ poisson_low('segments.customers_ended') }} / nullif(segments.days_at_risk, 0), 6) as hazard_low,
    round(30 * {{ poisson_high('segments.customers_ended') }} / nullif(segments.days_at_risk, 0), 6) as hazard_high,
    results.expected as logrank_expected,
    results.chi2 as logrank_chi2,
    cast(results.df as integer) as logrank_df,
    results.p as logrank_p
from segments
cross join run
left join results on results.dimension = segments.dimension and results.segment = segments.segment
