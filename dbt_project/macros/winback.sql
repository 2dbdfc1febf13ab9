{#-
  What contacts of win-back came to, by `keys` (columns of `relation`, with its grouping sets): sums over both arms, over the
  contacts whose window is over. Profit is per head: the margin after the return minus what the contact cost.
-#}
{% macro winback_sums() -%}
    count(*) filter (where arm = 'treatment') as contacted,
    count(*) filter (where arm = 'control') as controls,
    count(*) filter (where not is_final) as pending,
    count(*) filter (where arm = 'treatment' and is_final) as treated,
    count(*) filter (where arm = 'control' and is_final) as untreated,
    count(*) filter (where arm = 'treatment' and is_final and is_won_back) as won_back,
    count(*) filter (where arm = 'control' and is_final and is_won_back) as returned_untreated,
    count(*) filter (where arm = 'treatment' and is_value_final) as valued,
    count(*) filter (where arm = 'control' and is_value_final) as valued_untreated,
    count(*) filter (where arm = 'treatment' and is_value_final and is_won_back) as valued_won_back,
    count(*) filter (where is_value_final and margin_after is null) as unknown_margins,
    count(*) filter (where is_value_final and (contact_cost is null or discount_cost is null)) as unknown_costs,
    sum(contact_cost + discount_cost) filter (where arm = 'treatment' and is_value_final) as cost,
    sum(margin_after - contact_cost) filter (where arm = 'treatment' and is_value_final) as net,
    sum(margin_after) filter (where arm = 'control' and is_value_final) as net_untreated,
    sum({{ cents('margin_after - contact_cost') }} * {{ cents('margin_after - contact_cost') }})
        filter (where arm = 'treatment' and is_value_final) as net_squared,
    sum({{ cents('margin_after') }} * {{ cents('margin_after') }})
        filter (where arm = 'control' and is_value_final) as net_untreated_squared
{%- endmacro %}

{#- Money with two digits: a product of two of them still fits a decimal. -#}
{% macro cents(value) -%}
    cast({{ value }} as decimal(16, 2))
{%- endmacro %}

{#- The rates of both arms of `winback_sums`, with their bounds, and the profit per head with half its interval. -#}
{% macro winback_figures() -%}
    {{ ratio('won_back', 'treated') }} as winback_rate,
    {{ wilson_low('won_back', 'treated') }} as winback_rate_low,
    {{ wilson_high('won_back', 'treated') }} as winback_rate_high,
    {{ ratio('returned_untreated', 'untreated') }} as control_return_rate,
    {{ wilson_low('returned_untreated', 'untreated') }} as control_return_rate_low,
    {{ wilson_high('returned_untreated', 'untreated') }} as control_return_rate_high,
    case when unknown_costs = 0 then cost end as known_cost,
    case
        when unknown_margins = 0 and unknown_costs = 0 and valued > 0 and valued_untreated > 0
            then cast(net as double) / valued - cast(net_untreated as double) / valued_untreated
    end as profit_per_head,
    -- 1.96 standard errors of a difference of two means of unequal variance (Welch).
    case
        when unknown_margins = 0 and unknown_costs = 0 and valued > 1 and valued_untreated > 1
            then 1.959963984540054 * sqrt(
                {{ variance_of_mean('net_squared', 'net', 'valued') }}
                + {{ variance_of_mean('net_untreated_squared', 'net_untreated', 'valued_untreated') }}
            )
    end as profit_margin
{%- endmacro %}

{#- Variance of a mean from exact sums. -#}
{% macro variance_of_mean(squares, total, n) -%}
    greatest(
        cast({{ squares }} as double) - cast({{ total }} as double) * cast({{ total }} as double) / {{ n }}, 0.0
    ) / {{ n }} / ({{ n }} - 1)
{%- endmacro %}
