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
                + cast({{ numerator }} as hugeint) * 100000000
            ) // (cast({{ numerator }} as hugeint) * 200000000)
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
{% macro first_numbers(count) -%}
    {{ return(adapter.dispatch('first_numbers')(count)) }}
{%- endmacro %}
{% macro default__first_numbers(count) -%}
    select cast(unnest(range({{ count }})) as integer) as number
{%- endmacro %}

{#- All values of a group that are not missing, in no order: only for what does not depend on one. -#}
{% macro collected(value) -%}
    {{ return(adapter.dispatch('collected')(value)) }}
{%- endmacro %}
{% macro default__collected(value) -%}
    list({{ value }})
{%- endmacro %}

{#- The greatest of collected values that is not above `limit`; null where there is none. -#}
{% macro greatest_until(values, limit) -%}
    {{ return(adapter.dispatch('greatest_until')(values, limit)) }}
{%- endmacro %}
{% macro default__greatest_until(values, limit) -%}
    list_max(list_filter({{ values }}, lambda x: x <= {{ limit }}))
{%- endmacro %}

{#- A short code out of a JSON object: letters, digits and underscores; null where it is anything else. -#}
{% macro code_in(json, key) -%}
    {{ return(adapter.dispatch('code_in')(json, key)) }}
{%- endmacro %}
{% macro default__code_in(json, key) -%}
    nullif(regexp_extract(json_extract_string({{ json }}, '$.{{ key }}'), '^[A-Za-z0-9_-]{1,40}$'), '')
{%- endmacro %}

{#- Whether a text holds one of several texts, whatever the case. -#}
{% macro contains_any(text, parts) -%}
    {{ return(adapter.dispatch('contains_any')(text, parts)) }}
{%- endmacro %}
{% macro default__contains_any(text, parts) -%}
    (len(list_filter({{ parts }}, lambda x: contains(lower({{ text }}), x))) > 0)
{%- endmacro %}

{#-
  The smallest of the values so far of which at least a share are no larger; `share` is a literal. Missing values do not
  count.
-#}
{% macro running_percentile(value, share, partition_by, order_by) -%}
    {{ return(adapter.dispatch('running_percentile')(value, share, partition_by, order_by)) }}
{%- endmacro %}
{% macro default__running_percentile(value, share, partition_by, order_by) -%}
    quantile_disc({{ value }}, {{ share }}) over (
        partition by {{ partition_by }} order by {{ order_by }} rows unbounded preceding
    )
{%- endmacro %}

{#- After a star: all columns but these. -#}
{% macro leaving_out(columns) -%}
    {{ return(adapter.dispatch('leaving_out')(columns)) }}
{%- endmacro %}
{% macro default__leaving_out(columns) -%}
    exclude ({{ columns | join(', ') }})
{%- endmacro %}
