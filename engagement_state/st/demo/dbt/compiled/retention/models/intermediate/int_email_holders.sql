-- Ids whose e-mail address another customer has too. What links have joined is one customer already.
with holders as (
    select
        address.email_hash,
        address.customer_id,
        coalesce(grouped.group_id, address.customer_id) as group_id,
        count(*) over (partition by address.email_hash) as ids
    from "warehouse"."intermediate"."int_customer_emails" as address
    left join "warehouse"."intermediate"."int_identity_groups" as grouped on grouped.customer_id = address.customer_id
    qualify ids > 1
),

described as (
    select
        holders.email_hash,
        holders.customer_id,
        holders.group_id,
        case when (
        position(':' in holders.customer_id) = 0
        or split_part(holders.customer_id, ':', 1) not in (select source from "warehouse"."intermediate"."int_sources" where not is_primary)
    ) then '' else split_part(holders.customer_id, ':', 1) end as source,
        (
        position(':' in holders.group_id) = 0
        or split_part(holders.group_id, ':', 1) not in (select source from "warehouse"."intermediate"."int_sources" where not is_primary)
    ) as group_is_primary
    from holders
),

in_sources as (
    select email_hash, source, count(distinct group_id) as groups
    from described
    group by email_hash, source
),

ambiguous as (
    select distinct email_hash
    from in_sources
    where groups > 1
),

counted as (
    select
        email_hash,
        count(distinct group_id) as groups,
        count(distinct group_id) filter (where group_is_primary) as primary_groups,
        min(group_id) filter (where not group_is_primary) as other_group_id
    from described
    group by email_hash
)

select
    described.customer_id,
    described.group_id,
    described.group_is_primary,
    counted.other_group_id,
    ambiguous.email_hash is not null as is_ambiguous,
    ambiguous.email_hash is null and counted.primary_groups > 1 as is_conflicting
from described
inner join counted on counted.email_hash = described.email_hash and counted.groups > 1
left join ambiguous on ambiguous.email_hash = described.email_hash