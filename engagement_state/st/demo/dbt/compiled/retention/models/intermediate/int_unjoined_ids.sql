select
    left(sha256(run.salt || ':' || id.customer_id), 24) as id_key,
    id.source,
    id.outcome as reason,
    customer.customer_key
from "warehouse"."intermediate"."int_source_ids" as id
cross join "warehouse"."control"."run" as run
left join "warehouse"."intermediate"."int_customers" as customer on customer.customer_id = id.canonical_id
where id.outcome not in ('joined_by_key', 'joined_by_email')