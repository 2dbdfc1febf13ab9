{#- Monthly price of a version on a day: its discount no longer counts from the day on which it ends. -#}
{% macro price_on(version, day) -%}
    case
        when {{ version }}.discount_ends_on <= {{ day }} then {{ version }}.monthly_list_price
        else {{ version }}.monthly_list_price - {{ version }}.monthly_discount
    end
{%- endmacro %}

{#- An amount of a version in business currency, at the rate of `fx`; null without a rate, never parity. -#}
{% macro in_business_currency(amount, version) -%}
    case
        when {{ version }}.currency = run.currency then {{ amount }}
        else cast(round(({{ amount }}) * fx.rate_to_business, 4) as decimal(18, 4))
    end
{%- endmacro %}

{#- The value where its feed is configured, else null: what is not delivered is unknown, not zero. -#}
{% macro if_fed(feed, value) -%}
    case when run.has_{{ feed }} then {{ value }} end
{%- endmacro %}

{#- Whether `day` is one of the `days` days that end with `last`. -#}
{% macro in_last(day, last, days) -%}
    {{ day }} > {{ add_days(last, -days) }} and {{ day }} <= {{ last }}
{%- endmacro %}

{#- Whether a subscription that has begun still runs at the end of `as_of`. -#}
{% macro is_running(period) -%}
    ({{ period }}.ended_on is null or {{ period }}.ended_on > {{ period }}.as_of)
{%- endmacro %}

{#- Whether a subscription has no end by the end of `day`. -#}
{% macro is_open(period, day) -%}
    ({{ period }}.ended_on is null or {{ period }}.ended_on > {{ day }})
{%- endmacro %}

{#- Fifth in which a value stands among all rows, 1 to 5; equal values stand together. -#}
{% macro quintile(order_by) -%}
    {{ int_div('5 * (rank() over (order by ' ~ order_by ~ ') - 1)', 'count(*) over ()') }} + 1
{%- endmacro %}

{#- The last day of `int_daily_activity` that meets a condition, up to the date of each snapshot. -#}
{% macro last_day_by_snapshot(condition) -%}
    {%- if is_increment() -%}
    select population.snapshot_id, max(day.day) as last_day
    from {{ ref('int_daily_activity') }} as day
    inner join population
        on population.customer_id = day.customer_id
        and day.day <= population.as_of
    where {{ condition }}
    group by population.snapshot_id
    {%- else -%}
    select population.snapshot_id, day.day as last_day
    from population
    inner join (
        select customer_id, day, lead(day) over (partition by customer_id order by day) as next_day
        from {{ ref('int_daily_activity') }}
        where {{ condition }}
    ) as day
        on day.customer_id = population.customer_id
        and day.day <= population.as_of
        and (day.next_day is null or day.next_day > population.as_of)
    {%- endif -%}
{%- endmacro %}

{#- Whether an increment computes a snapshot: of the last as-of day or later, or of a customer who is another since then. -#}
{% macro is_changed_snapshot(as_of, customer, column) -%}
    {%- set changed = changes('int_changed_snapshots') -%}
    (
        {{ as_of }} >= {{ increment()['last_as_of'] }}
        {%- if run_query('select count(*) from ' ~ changed).rows[0][0] %}
        or exists (
            select 1
            from {{ changed }} as changed
            where changed.{{ column }} = {{ customer }} and changed.from_day <= {{ as_of }}
        )
        {%- endif %}
    )
{%- endmacro %}

{#- Deletes the snapshots that an increment computes; `column` is by what the table tells customers apart. -#}
{% macro forget_snapshots(column) -%}
    {%- if is_increment() -%}
        delete from {{ this }} as snapshot
        where {{ is_changed_snapshot('snapshot.as_of', 'snapshot.' ~ column, column) }}
    {%- endif -%}
{%- endmacro %}

{#- Whether use can be of the days before one of the snapshots that an increment computes. -#}
{% macro is_use_before_snapshot(days) -%}
    {%- if execute and is_increment() -%}
    (
        feed.used_on > {{ increment()['last_as_of'] }} - {{ days }}
        or feed.customer_id in (
            select customer_id from {{ changes('int_changed_snapshots') }}
            union
            select identity.customer_id
            from {{ ref('int_canonical_ids') }} as identity
            inner join {{ changes('int_changed_snapshots') }} as changed
                on changed.customer_id = identity.canonical_id
        )
    )
    {%- endif -%}
{%- endmacro %}
