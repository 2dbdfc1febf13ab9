select
    source,
    cast(count(*) as integer) as ids,
    cast(count(distinct canonical_id) as integer) as customers,
    cast(count(*) filter (where outcome = 'joined_by_key') as integer) as ids_joined_by_key,
    cast(count(*) filter (where outcome = 'joined_by_email') as integer) as ids_joined_by_address,
    cast(count(*) filter (where outcome = 'conflicting') as integer) as ids_conflicting,
    cast(count(*) filter (where outcome = 'ambiguous_email') as integer) as ids_ambiguous,
    cast(count(*) filter (where outcome = 'unmatched_email') as integer) as ids_unmatched,
    cast(count(*) filter (where outcome = 'no_email') as integer) as ids_without_address
from "warehouse"."intermediate"."int_source_ids"
group by source