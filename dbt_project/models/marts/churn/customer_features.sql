{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ forget_snapshots('customer_key') }}"
) }}
select
    as_of,
    customer_key,
    {%- for name in feature_columns() %}
    {{ name }},
    {%- endfor %}
    has_given_notice
from {{ ref('int_customer_snapshots') }} as snapshot
where is_active
    {%- if is_increment() %}
    and {{ is_changed_snapshot('snapshot.as_of', 'snapshot.customer_key', 'customer_key') }}
    {%- endif %}
{%- do changes('int_changed_snapshots') %}
