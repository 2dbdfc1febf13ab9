{#- The hash by which a text is known, as `retention_pipeline.voice.tables` makes it; null where there is no text. -#}
{% macro text_hash(text) -%}
    {{ sha256_hex("nullif(trim(" ~ text ~ "), '')") }}
{%- endmacro %}

{#- What a customer wrote in a ticket: subject and body. -#}
{% macro ticket_text(ticket) -%}
    concat_ws(chr(10), {{ ticket }}.subject, {{ ticket }}.body)
{%- endmacro %}

{#- Whether a customer was content with the help in a ticket: a word of the source, or 4 and 5 of 5 stars. -#}
{% macro is_satisfied(satisfaction) -%}
    {%- set said = 'lower(trim(' ~ satisfaction ~ '))' -%}
    case
        when {{ said }} like 'good%' or {{ said }} in ('satisfied', 'very satisfied', 'positive', 'happy', 'great', 'amazing', 'satisfait')
            then true
        when {{ said }} like 'bad%' or {{ said }} in (
            'unsatisfied', 'dissatisfied', 'very dissatisfied', 'negative', 'unhappy', 'neutral', 'terrible', 'insatisfait'
        ) then false
        when try_cast({{ satisfaction }} as double) between 1 and 5 then try_cast({{ satisfaction }} as double) >= 4
    end
{%- endmacro %}

{#- Asked and answered by month, of a survey: by the month in which the days for an answer ended. -#}
{% macro survey_asks(survey) -%}
asks as (
    select
        {{ month_start('closes_on') }} as month_start,
        count(*) as asked,
        count(*) filter (where is_answered) as answered
    from {{ ref('int_survey_asks') }}
    where survey = '{{ survey }}'
    group by 1
)
{%- endmacro %}

{#-
  NPS and its bounds in points, from promoters, detractors and answers: 100 (p − d), ± 1.96 √((p + d − (p − d)²) / n).
  The variance is that of a variable which is 1 for a promoter, 0 for a passive and −1 for a detractor.
-#}
{% macro nps_columns(name, promoters, detractors, answers) -%}
    round(100.0 * ({{ promoters }} - {{ detractors }}) / nullif({{ answers }}, 0), 4) as {{ name }},
    {{ promoters }} - {{ detractors }} as {{ name }}_numerator,
    {{ answers }} as {{ name }}_denominator,
    {{ _nps_bound(promoters, detractors, answers, '-') }} as {{ name }}_low,
    {{ _nps_bound(promoters, detractors, answers, '+') }} as {{ name }}_high
{%- endmacro %}

{% macro _nps_bound(promoters, detractors, answers, sign) -%}
    {%- set p = 'cast(' ~ promoters ~ ' as double)' -%}
    {%- set d = 'cast(' ~ detractors ~ ' as double)' -%}
    {%- set n = 'cast(' ~ answers ~ ' as double)' -%}
    case
        when {{ answers }} > 0 then round(
            least(greatest(
                100 * (
                    ({{ p }} - {{ d }}) / {{ n }}
                    {{ sign }} 1.959963984540054
                    * sqrt(greatest(({{ p }} + {{ d }} - ({{ p }} - {{ d }}) * ({{ p }} - {{ d }}) / {{ n }}), 0.0)) / {{ n }}
                ),
            -100.0), 100.0), 4)
    end
{%- endmacro %}

{#-
  A rate of events per customer, with the score interval of a Poisson count: (x + z²/2 ± z √(x + z²/4)) / n. One customer
  may have several, so that Wilson's interval of a share does not apply.
-#}
{% macro event_rate_columns(name, events, exposed) -%}
    {{ ratio(events, exposed) }} as {{ name }},
    {{ events }} as {{ name }}_numerator,
    {{ exposed }} as {{ name }}_denominator,
    {{ _poisson(events, exposed, '-') }} as {{ name }}_low,
    {{ _poisson(events, exposed, '+') }} as {{ name }}_high
{%- endmacro %}

{% macro _poisson(events, exposed, sign) -%}
    {%- set x = 'cast(' ~ events ~ ' as double)' -%}
    case
        when {{ exposed }} > 0 and {{ events }} is not null then round(
            ({{ x }} + 1.920729410347062 {{ sign }} 1.959963984540054 * sqrt({{ x }} + 0.960364705173531))
            / cast({{ exposed }} as double), 6)
    end
{%- endmacro %}
