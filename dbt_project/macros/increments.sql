{#-
  Incremental builds (docs/decisions/0027-incremental-builds.md). A model that is kept up to date says

      config(materialized='incremental', incremental_strategy='append', on_schema_change='fail',
             pre_hook="{{ forget(['order_id'], 'int_changed_orders') }}")

  and computes only the keys in the table of changes where `is_increment()`: those rows are deleted and inserted anew, in
  one transaction. Without an increment it is built whole, as any table.
-#}

{#- The last build and this one, as the pipeline wrote them; none where everything is built anew. -#}
{% macro increment() -%}
    {%- if not execute or should_full_refresh() -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set found = run_query(
        'select last_as_of, last_ends_at, as_of, ends_at, timezone from ' ~ in_control('increment')
    ).rows -%}
    {%- if found | length != 1 -%}
        {{ exceptions.raise_compiler_error(
            'Nothing says what has changed since the last build: run the pipeline, or dbt with --full-refresh.'
        ) }}
    {%- endif -%}
    {{ return({
        'last_as_of': "date '" ~ found[0][0] ~ "'",
        'last_ends_at': "timestamp '" ~ found[0][1] ~ "'",
        'as_of': "date '" ~ found[0][2] ~ "'",
        'ends_at': "timestamp '" ~ found[0][3] ~ "'",
        'timezone': "'" ~ found[0][4] ~ "'",
    }) }}
{%- endmacro %}

{#- Whether this model is brought up to date. -#}
{% macro is_increment() -%}
    {{ return(
        increment() is not none and (config.get('materialized') != 'incremental' or is_incremental())
    ) }}
{%- endmacro %}

{#- A table that the pipeline writes before an incremental build. -#}
{% macro in_control(table) -%}
    {{ return(target.database ~ '.control.' ~ table) }}
{%- endmacro %}

{#- The model of changes; named to dbt while it parses, so that unit tests of the whole model need not give it. -#}
{% macro changes(model) -%}
    {%- if not execute -%}
        {%- do ref(model) -%}
    {%- endif -%}
    {{ return(target.database ~ '.intermediate.' ~ model) }}
{%- endmacro %}

{#- Deletes what will be computed anew. -#}
{% macro forget(columns, model) -%}
    {%- if is_increment() -%}
        delete from {{ this }} where {{ is_among(columns | join(', '), columns, model) }}
    {%- endif -%}
{%- endmacro %}

{#- Whether `values` are a key in the table of changes. -#}
{% macro is_among(values, columns, model) -%}
    ({{ values }}) in (select {{ '(' if columns | length > 1 }}{{ columns | join(', ') }}{{ ')' if columns | length > 1 }} from {{ changes(model) }})
{%- endmacro %}

{#-
  Rows of a large feed as staged, under the ids of customers: those of the keys that have changed, else all. `where` chooses
  rows of `feed`, a table of `raw`; all rows of the same key are then read with them.
-#}
{% macro resolved_part(feed, where) -%}
    {%- set whole = ref('stg_' ~ feed) -%}
    {%- if is_increment() -%}
        {%- set key = feed_facts(feed)['key'] -%}
        {%- set chosen = 'select ' ~ (key or '*') ~ ' from ' ~ in_raw(feed) ~ ' as feed where ' ~ where -%}
        {%- set rows = 'select * from ' ~ in_raw(feed) ~ ' where ' ~ key ~ ' in (' ~ chosen ~ ')' if key else chosen -%}
        {{ resolved('(' ~ staged_part(feed, '(' ~ rows ~ ')') ~ ')') }}
    {%- else -%}
        {{ resolved(whole) }}
    {%- endif -%}
{%- endmacro %}

{% macro staged_part(feed, rows) -%}
    {{ return(context['staged_' ~ feed](rows)) }}
{%- endmacro %}

{% macro in_raw(feed) -%}
    {{ return(target.database ~ '.raw.' ~ feed) }}
{%- endmacro %}

{#- The business day of a row of a large feed. -#}
{% macro day_of_row(feed, timezone) -%}
    {%- set facts = feed_facts(feed) -%}
    {{ 'feed.' ~ facts['time'] if facts['is_date'] else day_of('feed.' ~ facts['time'], timezone) }}
{%- endmacro %}

{#- Whether a row of a large feed is of a customer and day that have changed; the customer is asked for first. -#}
{% macro is_of_changed_day(feed) -%}
    feed.customer_id in (select customer_id from {{ changes('int_changed_days') }})
        and {{ is_among(
            'feed.customer_id, ' ~ day_of_row(feed, increment()['timezone'] if execute and increment() else "'UTC'"),
            ['customer_id', 'day'], 'int_changed_days'
        ) }}
{%- endmacro %}

{#-
  Rows of a feed in `raw` that came, went, or became known or dated by the day since the last build. Each part reads only
  the row groups that can hold such rows.
-#}
{% macro changed_rows(feed, columns) -%}
    {%- set facts = feed_facts(feed) -%}
    {%- set now = increment() -%}
    {%- set found = run_query(
        "select batch_id from " ~ in_control('changed_batches') ~ " where feed = '" ~ feed ~ "' order by 1"
    ).columns[0].values() -%}
    {%- set ranges = [('_known_on', now['last_as_of'], '>', now['as_of'], '<=')] -%}
    {%- if facts['is_date'] -%}
        {%- do ranges.append((facts['time'], now['last_as_of'], '>', now['as_of'], '<=')) -%}
    {%- else -%}
        {%- do ranges.append((facts['time'], now['last_ends_at'], '>=', now['ends_at'], '<')) -%}
    {%- endif -%}
    {%- for column, low, above, high, below in ranges %}
    select {{ columns }} from {{ in_raw(feed) }} as feed
    where feed.{{ column }} {{ above }} {{ low }} and feed.{{ column }} {{ below }} {{ high }}
    union
    {%- endfor %}
    select {{ columns }} from {{ in_raw(feed) }} as feed
    where feed._batch_id in ({{ found | join(', ') if found else 'null' }})
{%- endmacro %}

{#- Rows that one side has and the other has not: what has changed in a table between two builds. -#}
{% macro differing(before, now) -%}
    (from ({{ before }}) except all from ({{ now }}))
    union all
    (from ({{ now }}) except all from ({{ before }}))
{%- endmacro %}

{#- Whether a day before the month of the last build has changed: what is held against all earlier months is then another. -#}
{% macro has_changed_earlier_month() -%}
    {{ return(run_query(
        'select count(*) from ' ~ changes('int_changed_days')
        ~ ' where day < ' ~ month_start(increment()['last_as_of'])
    ).rows[0][0] > 0) }}
{%- endmacro %}

{#- Deletes the purchases whose limits an increment computes. -#}
{% macro forget_rhythms() -%}
    {%- if is_increment() -%}
        {%- if has_changed_earlier_month() -%}
        delete from {{ this }}
        {%- else -%}
        {{ forget(['customer_id'], 'int_changed_days') }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Whether only some of the periods are computed: without contracts, an end that becomes known is that of a silence. -#}
{% macro is_increment_of_silences() -%}
    {{ return(
        is_increment() and run_query('select kind from ' ~ in_control('run')).rows[0][0] == 'transactional'
    ) }}
{%- endmacro %}

{#- Whether a customer has done something else than at the last build, or has been silent for too long since. -#}
{% macro has_changed_silence(customer) -%}
    {{ customer }} in (
        select customer_id from {{ changes('int_changed_days') }}
        union
        select period.customer_id
        from {{ in_control('before_int_active_periods') }} as period
        cross join {{ in_control('run') }} as run
        where period.ended_on is null
            and {{ add_days('period.last_active_on', 'run.inactivity_days') }} <= run.as_of
    )
{%- endmacro %}

{#- Deletes the periods that an increment computes. -#}
{% macro forget_periods() -%}
    {%- if is_increment() -%}
        delete from {{ this }}
        {%- if is_increment_of_silences() %} where {{ has_changed_silence('customer_id') }}{% endif -%}
    {%- endif -%}
{%- endmacro %}
