{#- Durations that engines spell differently. -#}

{#- Hours from the first timestamp to the second, to the ten-thousandth; null where the second comes first. -#}
{% macro hours_between(first, second) -%}
    case
        when {{ second }} >= {{ first }} then round({{ seconds_from(first, second) }} / 3600.0, 4)
    end
{%- endmacro %}

{% macro seconds_from(first, second) -%}
    {{ return(adapter.dispatch('seconds_from')(first, second)) }}
{%- endmacro %}
{% macro default__seconds_from(first, second) -%}
    date_diff('second', {{ first }}, {{ second }})
{%- endmacro %}
