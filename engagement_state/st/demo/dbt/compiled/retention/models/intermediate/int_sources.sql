-- The configured ones, and those that only links name.
with named as (
    select source, priority
    from "warehouse"."control"."sources"

    union all

    select distinct source, 1000 as priority
    from "warehouse"."staging"."stg_identities"
)

select
    named.source,
    min(named.priority) as priority,
    coalesce(named.source = max(run.primary_source), false) as is_primary
from named
cross join "warehouse"."control"."run" as run
group by named.source