{#-
  Lifetimes: life tables, Kaplan–Meier, Aalen–Johansen, and the log-rank test (docs/decisions/0020-survival.md).

  Times are whole days since the first active day. Somebody is at risk at time t who entered before t, or at 0, and has
  neither ended nor been lost sight of before t: of ends and censorings at one time the ends come first.
-#}

{#- The ways in which a lifetime ends; they exclude each other. -#}
{% macro end_causes() -%}
    {{ return(['voluntary', 'involuntary', 'inactivity', 'completed']) }}
{%- endmacro %}

{#- The normal deviate of a two-sided interval of 95 %. -#}
{% macro z_95() -%}
    1.959963984540054
{%- endmacro %}

{#-
  What happens to a group at every time at which something does: rows (`by`…, tenure_days, entered, ended, one column
  `ended_<cause>` for each cause, censored, at_risk, present) of `spells`, which has the columns of `by`, entry_days,
  exit_days, cause (missing where censored) and customers, how many are alike. `at_risk` counts before the ends of that
  time, `present` after the time.
-#}
{% macro life_table(spells, by) -%}
    {%- set group = by | join(', ') %}
    {%- set counts = ['entered', 'ended'] %}
    {%- for cause in end_causes() %}{% do counts.append('ended_' ~ cause) %}{% endfor %}
    {%- do counts.append('censored') %}
    with changes as (
        select {{ group }}, entry_days as tenure_days, customers as entered, 0 as ended,
            {% for cause in end_causes() %}0 as ended_{{ cause }}, {% endfor %}0 as censored
        from {{ spells }}

        union all

        select {{ group }}, exit_days, 0, case when cause is not null then customers else 0 end,
            {% for cause in end_causes() %}case when cause = '{{ cause }}' then customers else 0 end, {% endfor %}
            case when cause is null then customers else 0 end
        from {{ spells }}
    ),

    times as (
        select
            {{ group }},
            tenure_days
            {%- for count in counts %},
            cast(sum({{ count }}) as bigint) as {{ count }}
            {%- endfor %}
        from changes
        group by {{ group }}, tenure_days
    )

    select
        *,
        cast(
            coalesce(sum(entered - ended - censored) over before, 0)
            + case when tenure_days = 0 then entered else 0 end as bigint
        ) as at_risk,
        cast(sum(entered - ended - censored) over by_time as bigint) as present
    from times
    window
        before as (partition by {{ group }} order by tenure_days rows between unbounded preceding and 1 preceding),
        by_time as (partition by {{ group }} order by tenure_days rows unbounded preceding)
{%- endmacro %}

{#-
  The life table `table` with survival (Kaplan and Meier 1958, product-limit), its 95 % interval (log-log, with the
  variance of Greenwood), and the cumulative incidence of each cause (Aalen and Johansen 1978). Where all at risk end
  at once, survival is 0 from then on.
-#}
{% macro kaplan_meier(table, by) -%}
    {%- set group = by | join(', ') %}
    with sums as (
        select
            *,
            sum(case
                when ended > 0 and ended < at_risk then ln(1 - cast(ended as double) / at_risk) else 0
            end) over by_time as log_survival,
            max(case when ended > 0 and ended = at_risk then 1 else 0 end) over by_time as is_extinct,
            sum(case
                when ended > 0 and ended < at_risk
                    then cast(ended as double) / (cast(at_risk as double) * (at_risk - ended))
                else 0
            end) over by_time as greenwood
        from {{ table }}
        window by_time as (partition by {{ group }} order by tenure_days rows unbounded preceding)
    ),

    estimated as (
        select
            *,
            case when is_extinct = 1 then 0.0 else exp(log_survival) end as estimate,
            sqrt(greenwood) / nullif(-log_survival, 0) as spread
        from sums
    ),

    weighted as (
        select
            *,
            coalesce(lag(estimate) over (partition by {{ group }} order by tenure_days), 1.0)
                / nullif(at_risk, 0) as weight
        from estimated
    )

    select
        * {{ leaving_out(['log_survival', 'is_extinct', 'greenwood', 'estimate', 'spread', 'weight']) }},
        round(estimate, 10) as survival,
        case when is_extinct = 0 then round(power(estimate, exp({{ z_95() }} * spread)), 10) end as survival_low,
        case when is_extinct = 0 then round(power(estimate, exp(-{{ z_95() }} * spread)), 10) end as survival_high
        {%- for cause in end_causes() %},
        round(sum(coalesce(weight * ended_{{ cause }}, 0)) over by_time, 10) as incidence_{{ cause }}
        {%- endfor %}
    from weighted
    window by_time as (partition by {{ group }} order by tenure_days rows unbounded preceding)
{%- endmacro %}

{#-
  The log-rank test of k groups (Mantel 1966; Peto and Peto 1972): rows (`test`, chi2, df) and the expected ends of each
  group, of `table`, a life table by (`test`, `segment`). chi2 = u' V⁻¹ u, where u is observed − expected ends of all
  groups but the last, and V their hypergeometric covariance.

  To solve for it, V is bordered by u and eliminated row by row; what is left in the corner is −u' V⁻¹ u. A group
  that is never at risk beside another has a pivot of 0: it is passed over, and takes no degree of freedom.
-#}
{% macro log_rank(table, test) -%}
    with recursive members as (
        select {{ test }}, segment, row_number() over (partition by {{ test }} order by segment) as place
        from {{ table }}
        group by {{ test }}, segment
    ),

    times as (
        select {{ test }}, tenure_days from {{ table }} group by {{ test }}, tenure_days
    ),

    -- How many of each group are at risk at every time of the test, also where nothing happens to the group itself.
    group_times as (
        select
            times.{{ test }},
            members.place,
            times.tenure_days,
            coalesce(life.ended, 0) as ended,
            coalesce(
                life.at_risk,
                sum(coalesce(life.entered - life.ended - life.censored, 0)) over (
                    partition by times.{{ test }}, members.place order by times.tenure_days
                    rows between unbounded preceding and 1 preceding
                ),
                0
            ) as at_risk
        from times
        inner join members on members.{{ test }} = times.{{ test }}
        left join {{ table }} as life
            on life.{{ test }} = times.{{ test }}
            and life.tenure_days = times.tenure_days
            and life.segment = members.segment
    ),

    event_times as (
        select
            {{ test }},
            tenure_days,
            cast(sum(ended) as double) as ended,
            cast(sum(at_risk) as double) as at_risk
        from group_times
        group by {{ test }}, tenure_days
        having sum(ended) > 0
    ),

    shares as (
        select
            group_times.{{ test }},
            group_times.place,
            group_times.tenure_days,
            group_times.ended,
            group_times.at_risk / event_times.at_risk as share,
            event_times.ended as all_ended,
            event_times.ended * (event_times.at_risk - event_times.ended)
            / nullif(event_times.at_risk - 1, 0) as factor
        from group_times
        inner join event_times
            on event_times.{{ test }} = group_times.{{ test }}
            and event_times.tenure_days = group_times.tenure_days
        where group_times.at_risk > 0
    ),

    expectations as (
        select {{ test }}, place, sum(share * all_ended) as expected, sum(ended) - sum(share * all_ended) as excess
        from shares
        group by {{ test }}, place
    ),

    covariances as (
        select
            one.{{ test }},
            one.place as i,
            other.place as j,
            sum(one.factor * one.share * (case when one.place = other.place then 1.0 else 0.0 end - other.share)) as value
        from shares as one
        inner join shares as other
            on other.{{ test }} = one.{{ test }}
            and other.tenure_days = one.tenure_days
        group by one.{{ test }}, one.place, other.place
    ),

    sizes as (
        select {{ test }}, max(place) as size from members group by {{ test }}
    ),

    bordered as (
        select sizes.{{ test }}, one.place as i, other.place as j,
            case
                when one.place < sizes.size and other.place < sizes.size then coalesce(covariances.value, 0.0)
                when one.place = other.place then 0.0
                else coalesce(expectations.excess, 0.0)
            end as value
        from sizes
        inner join members as one on one.{{ test }} = sizes.{{ test }}
        inner join members as other on other.{{ test }} = sizes.{{ test }}
        left join covariances
            on covariances.{{ test }} = sizes.{{ test }} and covariances.i = one.place and covariances.j = other.place
        left join expectations
            on expectations.{{ test }} = sizes.{{ test }} and expectations.place = least(one.place, other.place)
    ),

    eliminated({{ test }}, step, df, i, j, value) as (
        select {{ test }}, cast(0 as bigint), cast(0 as bigint), i, j, value from bordered

        union all

        select
            rest.{{ test }},
            rest.step + 1,
            rest.df + case when diagonal.value > 1e-9 then 1 else 0 end,
            rest.i,
            rest.j,
            rest.value - case when diagonal.value > 1e-9 then below.value * beside.value / diagonal.value else 0.0 end
        from eliminated as rest
        inner join eliminated as diagonal
            on diagonal.{{ test }} = rest.{{ test }} and diagonal.i = rest.step + 1 and diagonal.j = rest.step + 1
        inner join eliminated as below
            on below.{{ test }} = rest.{{ test }} and below.i = rest.i and below.j = rest.step + 1
        inner join eliminated as beside
            on beside.{{ test }} = rest.{{ test }} and beside.i = rest.step + 1 and beside.j = rest.j
        where rest.i > rest.step + 1 and rest.j > rest.step + 1
    )

    select
        members.{{ test }},
        members.segment,
        round(coalesce(expectations.expected, 0), 6) as expected,
        round(greatest(-eliminated.value, 0), 9) as chi2,
        eliminated.df
    from members
    inner join sizes on sizes.{{ test }} = members.{{ test }}
    left join expectations
        on expectations.{{ test }} = members.{{ test }} and expectations.place = members.place
    left join eliminated
        on eliminated.{{ test }} = members.{{ test }}
        and eliminated.step = sizes.size - 1
        and eliminated.i = sizes.size
        and eliminated.j = sizes.size
{%- endmacro %}

{#-
  The upper tail of the chi-square distribution with whole degrees of freedom, Q(df / 2, x) with x = chi2 / 2
  (Abramowitz and Stegun 26.4.4 and 26.4.5): the finite sum Σ e⁻ˣ xᵃ / Γ(a + 1) over a = df / 2 − 1, df / 2 − 2, …,
  and for odd df also erfc(√x). Rows (the columns of `table`, p) of `table` with columns chi2 and df.
-#}
{% macro with_chi_square_tail(table) -%}
    with halves as (
        select *, chi2 / 2 as x from {{ table }}
    ),

    bounds as (
        select coalesce(max(df), 0) as most from {{ table }}
    ),

    numbers as (
        {{ numbers_up_to('most', 'bounds') }}
    ),

    sums as (
        select
            halves.df,
            halves.x,
            sum(exp(
                (numbers.number - halves.df % 2 / 2.0) * ln(halves.x)
                - halves.x
                - {{ log_gamma('numbers.number + 1 - halves.df % 2 / 2.0') }}
            )) as tail
        from (select df, x from halves where x > 0 group by df, x) as halves
        inner join numbers
            on numbers.number >= halves.df % 2
            and numbers.number - halves.df % 2 / 2.0 <= halves.df / 2.0 - 1
        group by halves.df, halves.x
    )

    select
        halves.* {{ leaving_out(['x']) }},
        case
            when halves.df = 0 then null
            when halves.x = 0 then 1.0
            else round(least(
                case when halves.df % 2 = 1 then {{ erfc_of_root('halves.x') }} else 0.0 end + coalesce(sums.tail, 0.0),
            1.0), 10)
        end as p
    from halves
    left join sums on sums.df = halves.df and sums.x = halves.x
{%- endmacro %}

{#-
  erfc(√x) = Q(1/2, x): the series of the lower function below 2 (Abramowitz and Stegun 6.5.29), the continued fraction
  of the upper one from there (6.5.31, in its even form).
-#}
{% macro erfc_of_root(x) -%}
    {%- set state = namespace(series='1.0', fraction=x ~ ' + 160.5') -%}
    {%- for n in range(40, 0, -1) -%}
        {%- set state.series = '1.0 + ' ~ x ~ ' / ' ~ (n + 0.5) ~ ' * (' ~ state.series ~ ')' -%}
    {%- endfor -%}
    {%- for n in range(80, 0, -1) -%}
        {%- set state.fraction = x ~ ' + ' ~ (2 * n - 1.5) ~ ' - ' ~ (n * (n - 0.5)) ~ ' / (' ~ state.fraction ~ ')' -%}
    {%- endfor -%}
    case
        when {{ x }} < 2 then 1 - 1.1283791670955126 * sqrt({{ x }}) * exp(-{{ x }}) * ({{ state.series }})
        else 0.5641895835477563 * sqrt({{ x }}) * exp(-{{ x }}) / ({{ state.fraction }})
    end
{%- endmacro %}

{#-
  Bounds of a 95 % interval of a count of independent events, by Byar's approximation of the Poisson distribution
  (Breslow and Day 1987, Statistical Methods in Cancer Research II, 2.2).
-#}
{% macro poisson_low(events) -%}
    case when {{ events }} = 0 then 0.0 else
        {{ events }} * power(1 - 1 / (9.0 * {{ events }}) - {{ z_95() }} / (3 * sqrt({{ events }})), 3)
    end
{%- endmacro %}

{% macro poisson_high(events) -%}
    ({{ events }} + 1) * power(1 - 1 / (9.0 * ({{ events }} + 1)) + {{ z_95() }} / (3 * sqrt({{ events }} + 1)), 3)
{%- endmacro %}
