{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ forget(['customer_key'], 'int_changed_snapshots') }}"
) }}
{%- do changes('int_changed_snapshots') %}
with churns as (
    select customer_id, ended_on
    from {{ ref('int_active_periods') }}
    where is_churn
)

select
    snapshot.as_of,
    snapshot.customer_key,
    coalesce(bool_or(churns.customer_id is not null), false) as has_churned
from {{ ref('int_customer_snapshots') }} as snapshot
cross join {{ ref('int_run_context') }} as run
left join churns
    on churns.customer_id = snapshot.customer_id
    and churns.ended_on > snapshot.as_of
    and churns.ended_on <= {{ add_days('snapshot.as_of', 'run.horizon_days') }}
where snapshot.is_active
    and not snapshot.has_given_notice
    and {{ add_days('snapshot.as_of', 'run.horizon_days') }} <= run.as_of
    {%- if is_increment() %}
    -- What is known since the last build, and all of whom something earlier is another.
    and (
        {{ add_days('snapshot.as_of', 'run.horizon_days') }} > {{ increment()['last_as_of'] }}
        or {{ is_among('snapshot.customer_key', ['customer_key'], 'int_changed_snapshots') }}
    )
    {%- endif %}
group by snapshot.as_of, snapshot.customer_key
