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
group by snapshot.as_of, snapshot.customer_key
