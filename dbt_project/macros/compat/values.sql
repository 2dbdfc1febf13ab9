{#- Text and numbers that engines spell differently. -#}

{#- The distinct values, sorted, in one text. -#}
{% macro sorted_list(value, separator='|') -%}
    {{ return(adapter.dispatch('sorted_list')(value, separator)) }}
{%- endmacro %}
{% macro default__sorted_list(value, separator) -%}
    string_agg(distinct {{ value }}, '{{ separator }}' order by {{ value }})
{%- endmacro %}

{#- SHA-256 as 64 hexadecimal digits. -#}
{% macro sha256_hex(text) -%}
    {{ return(adapter.dispatch('sha256_hex')(text)) }}
{%- endmacro %}
{% macro default__sha256_hex(text) -%}
    sha256({{ text }})
{%- endmacro %}

{#- Integer division towards zero. -#}
{% macro int_div(numerator, denominator) -%}
    {{ return(adapter.dispatch('int_div')(numerator, denominator)) }}
{%- endmacro %}
{% macro default__int_div(numerator, denominator) -%}
    (({{ numerator }}) // ({{ denominator }}))
{%- endmacro %}

{#- All columns of a relation, one of them replaced. -#}
{% macro replacing(relation, column, value) -%}
    {{ return(adapter.dispatch('replacing')(relation, column, value)) }}
{%- endmacro %}
{% macro default__replacing(relation, column, value) -%}
    {{ relation }}.* replace ({{ value }} as {{ column }})
{%- endmacro %}

{#- The digits of a text. -#}
{% macro only_digits(text) -%}
    {{ return(adapter.dispatch('only_digits')(text)) }}
{%- endmacro %}
{% macro default__only_digits(text) -%}
    regexp_replace({{ text }}, '[^0-9]', '', 'g')
{%- endmacro %}

{#-
  An amount of a billing interval as a month's value in business currency, DECIMAL(18,4): round(amount × rate / months, 4),
  half up, in whole numbers. `months` is numerator / denominator; null without a rate.
-#}
{% macro monthly_value(amount, rate, numerator, denominator) -%}
    {{ return(adapter.dispatch('monthly_value')(amount, rate, numerator, denominator)) }}
{%- endmacro %}
{% macro default__monthly_value(amount, rate, numerator, denominator) -%}
    cast(
        cast(
            (
                cast(cast({{ amount }} as decimal(38, 4)) * 10000 as hugeint)
                * cast(cast({{ rate }} as decimal(38, 8)) * 100000000 as hugeint) * {{ denominator }} * 2
                + {{ numerator }} * 100000000
            ) // ({{ numerator }} * 200000000)
            as decimal(18, 0)
        ) * cast(0.0001 as decimal(5, 4)) as decimal(18, 4)
    )
{%- endmacro %}

{#- The number that up to eight hexadecimal digits write. -#}
{% macro hex_number(digits) -%}
    {{ return(adapter.dispatch('hex_number')(digits)) }}
{%- endmacro %}
{% macro default__hex_number(digits) -%}
    cast('0x' || {{ digits }} as bigint)
{%- endmacro %}

{#- The numbers from 0 to `count` − 1. -#}
{% macro number_spine(count) -%}
    {{ return(adapter.dispatch('number_spine')(count)) }}
{%- endmacro %}
{% macro default__number_spine(count) -%}
    select cast(unnest(range({{ count }})) as integer) as number
{%- endmacro %}
