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

{#- After a star: all columns but these. -#}
{% macro leaving_out(columns) -%}
    {{ return(adapter.dispatch('leaving_out')(columns)) }}
{%- endmacro %}
{% macro default__leaving_out(columns) -%}
    exclude ({{ columns | join(', ') }})
{%- endmacro %}
