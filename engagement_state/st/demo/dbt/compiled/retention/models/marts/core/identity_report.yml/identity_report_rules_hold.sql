
select
    concat_ws(', ', case when not (ids = ids_joined_by_key + ids_joined_by_address + ids_conflicting + ids_ambiguous + ids_unmatched + ids_without_address) then 'every id has one outcome' end, case when not (customers <= ids) then 'a customer has at least one id' end)
        as broken_rules
from "warehouse"."marts"."identity_report"
where not (ids = ids_joined_by_key + ids_joined_by_address + ids_conflicting + ids_ambiguous + ids_unmatched + ids_without_address)
or not (customers <= ids)

