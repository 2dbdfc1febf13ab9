{#- Scores of 0 to 100 from weighted components, as configured. -#}

{#- The weight and the two levels of each component of a score, in one row: `<component>_weight`, `_at_zero`, `_at_full`. -#}
{% macro component_settings(score, components) -%}
    select
        {%- for name in components %}
        max(case when name = '{{ name }}' then weight end) as {{ name }}_weight,
        max(case when name = '{{ name }}' then at_zero end) as {{ name }}_at_zero,
        max(case when name = '{{ name }}' then at_full end) as {{ name }}_at_full{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_score_settings') }}
    where setting = '{{ score }}'
{%- endmacro %}

{#-
  A component, 0 to 100: linear between its two levels, level beyond them; null where its measure is.
  The measures are columns of `measures`, the settings those of `setting`. Rounded, so that a score is made of what is shown.
-#}
{% macro component(name) -%}
    case
        when measures.{{ name }} is not null then cast(round(
            100 * least(greatest(
                (cast(measures.{{ name }} as double) - setting.{{ name }}_at_zero)
                / (setting.{{ name }}_at_full - setting.{{ name }}_at_zero),
            0.0), 1.0), 1) as decimal(5, 1))
    end
{%- endmacro %}

{#- The mean of the components by weight, over those that are there; null where none is. -#}
{% macro weighted_score(components) -%}
    cast(round(
        (
            {%- for name in components %}
            coalesce(setting.{{ name }}_weight * cast(parts.{{ name }} as double), 0){{ ' +' if not loop.last }}
            {%- endfor %}
        ) / nullif(
            {%- for name in components %}
            case when parts.{{ name }} is null then 0 else setting.{{ name }}_weight end{{ ' +' if not loop.last }}
            {%- endfor %},
        0),
    1) as decimal(5, 1))
{%- endmacro %}

{#- The last satisfaction that a customer stated, 0 to 1: mean of nps / 10 and (csat - 1) / 4, of what was answered. -#}
{% macro satisfaction(row) -%}
    case
        when {{ row }}.last_nps is null then ({{ row }}.last_csat - 1) / 4.0
        when {{ row }}.last_csat is null then {{ row }}.last_nps / 10.0
        else ({{ row }}.last_nps / 10.0 + ({{ row }}.last_csat - 1) / 4.0) / 2
    end
{%- endmacro %}

{#- Change of a count against that of the period before, -1 or more; null where both are zero. -#}
{% macro change(now, before) -%}
    case
        when {{ before }} > 0 then cast({{ now }} as double) / {{ before }} - 1
        when {{ now }} > 0 then 1.0
    end
{%- endmacro %}

{% macro health_components() -%}
    {{ return([
        'recency', 'usage_trend', 'breadth', 'orders_trend', 'payments', 'support', 'satisfaction', 'engagement',
        'tenure', 'contract',
    ]) }}
{%- endmacro %}

{% macro winback_criteria() -%}
    {{ return(['profitability', 'cause', 'recency', 'relationship', 'satisfaction', 'reachability']) }}
{%- endmacro %}
