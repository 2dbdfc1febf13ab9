{#- Rates and their intervals. An empty denominator gives null, never zero. -#}

{% macro ratio(numerator, denominator, digits=6) -%}
    round(cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0), {{ digits }})
{%- endmacro %}

{#-
  Bounds of the Wilson score interval of a share x / n at 95 %, z = 1.959964:
      (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)
  E. B. Wilson (1927), Probable Inference, the Law of Succession, and Statistical Inference.
-#}
{% macro wilson_low(numerator, denominator) -%}
    {{ _wilson(numerator, denominator, '-') }}
{%- endmacro %}

{% macro wilson_high(numerator, denominator) -%}
    {{ _wilson(numerator, denominator, '+') }}
{%- endmacro %}

{% macro _wilson(numerator, denominator, sign) -%}
    {%- set z = '1.959963984540054' -%}
    {%- set x = 'cast(' ~ numerator ~ ' as double)' -%}
    {%- set n = 'cast(' ~ denominator ~ ' as double)' -%}
    -- least() and greatest() skip nulls, so an empty denominator is told apart first.
    case
        when {{ denominator }} > 0 and {{ numerator }} is not null then round(
            least(greatest(
                (
                    {{ x }} + {{ z }} * {{ z }} / 2
                    {{ sign }} {{ z }} * sqrt({{ x }} * ({{ n }} - {{ x }}) / {{ n }} + {{ z }} * {{ z }} / 4)
                ) / ({{ n }} + {{ z }} * {{ z }}),
            0.0), 1.0), 6)
    end
{%- endmacro %}

{#- The five columns of a rate: the rate, its two parts and its interval. -#}
{% macro rate_columns(name, numerator, denominator) -%}
    {{ ratio(numerator, denominator) }} as {{ name }},
    {{ numerator }} as {{ name }}_numerator,
    {{ denominator }} as {{ name }}_denominator,
    {{ wilson_low(numerator, denominator) }} as {{ name }}_low,
    {{ wilson_high(numerator, denominator) }} as {{ name }}_high
{%- endmacro %}

{#- A percentile of the values that are known, linear between two of them, rounded. -#}
{% macro percentile(value, share, digits=6) -%}
    round(percentile_cont({{ share }}) within group (order by {{ value }}), {{ digits }})
{%- endmacro %}
