{#- Recurring revenue: values of subscriptions and sums in which one unknown value leaves the whole unknown. -#}

{#- Monthly recurring revenue of a span in business currency at the rate of `fx`; null without a rate, never parity. -#}
{% macro mrr_of(span, rate) -%}
    (
        {{ monthly_value(span ~ '.interval_price', rate, span ~ '.months_numerator', span ~ '.months_denominator') }}
        - {{ monthly_value(span ~ '.interval_discount', rate, span ~ '.months_numerator', span ~ '.months_denominator') }}
    )
{%- endmacro %}

{#- The rate at which a span is valued: 1 in business currency. -#}
{% macro rate_of(span, fx) -%}
    case when {{ span }}.currency = run.currency then 1 else {{ fx }}.rate_to_business end
{%- endmacro %}

{#- The sum where every value is known, else null. -#}
{% macro known_sum(value) -%}
    case when count({{ value }}) = count(*) then sum({{ value }}) end
{%- endmacro %}

{#-
  Weights of a bootstrap over customers: each of 200 samples gives each of 500 buckets of customers a weight that is
  distributed as Poisson(1), from SHA-256, so that the same data always gives the same interval. Rows with weight 0 are left
  out. A bucket is a random part of the customers (`bootstrap_bucket`), so buckets are drawn in place of customers.

  B. Efron (1979), Bootstrap methods; Poisson weights: J. Chamandy et al. (2012), Estimating uncertainty for massive data
  streams.
-#}
{% macro bootstrap_weights() -%}
    {#- 16 numbers of 16 bits each from one digest. -#}
    select bucket, sample, weight
    from (
        select
            digests.bucket,
            digests.block * 16 + places.place as sample,
            {{ hex_number("substr(digests.digest, 1 + 4 * places.place, 4)") }} as draw
        from (
            select
                buckets.number as bucket,
                blocks.number as block,
                {{ sha256_hex("'bootstrap:' || buckets.number || ':' || blocks.number") }} as digest
            from ({{ first_numbers(500) }}) as buckets
            cross join ({{ first_numbers(13) }}) as blocks
        ) as digests
        cross join (select number as place from ({{ first_numbers(16) }}) as numbers) as places
    ) as draws
    inner join (
        {#- Poisson(1): e^-1 = 0.367879 of all draws give 0, and so on; bounds in 65536ths. -#}
        {%- for low, high in [(24109, 48218), (48218, 60273), (60273, 64291), (64291, 65296), (65296, 65497), (65497, 65536)] %}
        {{ 'union all ' if not loop.first }}select {{ low }} as low, {{ high }} as high, {{ loop.index }} as weight
        {%- endfor %}
    ) as poisson on draws.draw >= poisson.low and draws.draw < poisson.high
    where sample < 200
{%- endmacro %}

{#- The bucket of a customer, by the pseudonymous key. -#}
{% macro bootstrap_bucket(customer_key) -%}
    ({{ hex_number('left(' ~ customer_key ~ ', 8)') }} % 500)
{%- endmacro %}

{#- The five columns of a ratio of money; its bounds are there already. -#}
{% macro money_rate_columns(name, numerator, denominator) -%}
    {{ ratio(numerator, denominator) }} as {{ name }},
    {{ numerator }} as {{ name }}_numerator,
    {{ denominator }} as {{ name }}_denominator,
    {%- for bound in ['low', 'high'] %}
    case when {{ denominator }} <> 0 and {{ numerator }} is not null then {{ name }}_{{ bound }} end
        as {{ name }}_{{ bound }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The rates of a month's recurring revenue, of all customers or of a segment. -#}
{% macro revenue_rates(paying_customers) -%}
    {%- set lost = 'cast(mrr_churned + mrr_contraction as decimal(18, 4))' -%}
    {%- set lost_net = 'cast(mrr_churned + mrr_contraction - mrr_expansion - mrr_reactivation as decimal(18, 4))' -%}
    {{ money_rate_columns('gross_revenue_churn_rate', lost, 'mrr_opening') }},
    {{ money_rate_columns('net_mrr_churn_rate', lost_net, 'mrr_opening') }},
    {{ money_rate_columns('net_revenue_retention', 'cast(retained as decimal(18, 4))', 'mrr_opening') }},
    {{ money_rate_columns('gross_revenue_retention', 'cast(kept as decimal(18, 4))', 'mrr_opening') }},
    {{ money_rate_columns(
        'quick_ratio', 'cast(mrr_new + mrr_expansion + mrr_reactivation as decimal(18, 4))', lost
    ) }},
    {{ money_rate_columns('arpa', 'mrr_closing', paying_customers) }}
{%- endmacro %}
