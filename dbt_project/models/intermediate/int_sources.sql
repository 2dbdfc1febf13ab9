-- The configured ones, and those that only links name.
with named as (
    select source, priority
    from {{ source('control', 'sources') }}

    union all

    select distinct source, 1000 as priority
    from {{ ref('stg_identities') }}
)

select
    named.source,
    min(named.priority) as priority,
    coalesce(named.source = max(run.primary_source), false) as is_primary
from named
cross join {{ source('control', 'run') }} as run
group by named.source
