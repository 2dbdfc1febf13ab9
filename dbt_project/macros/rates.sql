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

{#-
  Half width of the 95 % interval of a ratio Σy / Σx over n pairs, from their sums of squares and products:
      z √(n / (n − 1) · Σ(y − R x)²) / Σx
  W. G. Cochran (1977), Sampling Techniques, 3rd edition, 6.4.
-#}
{% macro ratio_of_sums_margin(n, x, y, xx, xy, yy) -%}
    case
        when {{ n }} > 1 and {{ x }} > 0
            then 1.959963984540054 * sqrt(
                greatest(
                    cast({{ yy }} as double)
                    - 2 * cast({{ y }} as double) / cast({{ x }} as double) * cast({{ xy }} as double)
                    + power(cast({{ y }} as double) / cast({{ x }} as double), 2) * cast({{ xx }} as double),
                    0.0
                ) * {{ n }} / ({{ n }} - 1)
            ) / cast({{ x }} as double)
    end
{%- endmacro %}

{#-
  Difference of two shares, first minus second, with its interval from their Wilson bounds; null where one is missing:
      d − √((p1 − l1)² + (u2 − p2)²) … d + √((u1 − p1)² + (p2 − l2)²)
  R. G. Newcombe (1998), Interval estimation for the difference between independent proportions, method 10.
-#}
{% macro share_difference(first, second) -%}
    round({{ first }} - {{ second }}, 6)
{%- endmacro %}

{% macro share_difference_low(first, second) -%}
    round(
        {{ first }} - {{ second }}
        - sqrt(power({{ first }} - {{ first }}_low, 2) + power({{ second }}_high - {{ second }}, 2)), 6)
{%- endmacro %}

{% macro share_difference_high(first, second) -%}
    round(
        {{ first }} - {{ second }}
        + sqrt(power({{ first }}_high - {{ first }}, 2) + power({{ second }} - {{ second }}_low, 2)), 6)
{%- endmacro %}
