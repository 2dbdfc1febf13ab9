{#- Numbers and functions of mathematics that engines spell differently. -#}

{#- One row per whole number from 0, `last` included, which is a scalar expression over `source`, a relation of one row. -#}
{% macro numbers_up_to(last, source) -%}
    {{ return(adapter.dispatch('numbers_up_to')(last, source)) }}
{%- endmacro %}
{% macro default__numbers_up_to(last, source) -%}
    select cast(unnest(range(0, cast({{ last }} as bigint) + 1)) as integer) as number from {{ source }}
{%- endmacro %}

{#- The natural logarithm of the gamma function. -#}
{% macro log_gamma(value) -%}
    {{ return(adapter.dispatch('log_gamma')(value)) }}
{%- endmacro %}
{% macro default__log_gamma(value) -%}
    lgamma({{ value }})
{%- endmacro %}
