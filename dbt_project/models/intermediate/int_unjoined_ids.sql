select
    {{ pseudonym('id.customer_id') }} as id_key,
    id.source,
    id.outcome as reason,
    customer.customer_key
from {{ ref('int_source_ids') }} as id
cross join {{ source('control', 'run') }} as run
left join {{ ref('int_customers') }} as customer on customer.customer_id = id.canonical_id
where id.outcome not in ('joined_by_key', 'joined_by_email')
