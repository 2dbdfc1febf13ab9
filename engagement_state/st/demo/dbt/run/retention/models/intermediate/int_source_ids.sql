
    

    create  table
      "warehouse"."intermediate"."int_source_ids__dbt_tmp"
  
    
    as (
      -- Each id of each source, and how it was joined to ids of other sources. Empty where one system knows all customers.
with ids as (
    select customer_id from "warehouse"."staging"."stg_customer_ids"
    union
    select first_id from "warehouse"."intermediate"."int_identity_links"
    union
    select second_id from "warehouse"."intermediate"."int_identity_links"
),

described as (
    select
        ids.customer_id,
        case when (
        position(':' in ids.customer_id) = 0
        or split_part(ids.customer_id, ':', 1) not in (select source from "warehouse"."intermediate"."int_sources" where not is_primary)
    ) then run.primary_source else split_part(ids.customer_id, ':', 1) end
            as source,
        coalesce(member.group_id, ids.customer_id) as group_id,
        coalesce(member.component_id, ids.customer_id) as component_id,
        coalesce(member.is_conflicting, false) as is_conflicting,
        coalesce(member.has_ambiguous_email, false) as has_ambiguous_email
    from ids
    cross join "warehouse"."control"."run" as run
    left join "warehouse"."intermediate"."int_identity_members" as member on member.customer_id = ids.customer_id
),

compared as (
    select
        *,
        min(source) over in_group <> max(source) over in_group as is_joined_by_key,
        min(source) over in_component <> max(source) over in_component as is_joined
    from described
    window
        in_group as (partition by group_id),
        in_component as (partition by component_id)
)

select
    compared.customer_id,
    compared.source,
    coalesce(identity.canonical_id, compared.customer_id) as canonical_id,
    case
        when compared.is_conflicting then 'conflicting'
        when compared.is_joined_by_key then 'joined_by_key'
        when compared.is_joined then 'joined_by_email'
        when compared.has_ambiguous_email then 'ambiguous_email'
        when address.customer_id is not null or compared.source = 'email' then 'unmatched_email'
        else 'no_email'
    end as outcome
from compared
left join "warehouse"."intermediate"."int_canonical_ids" as identity on identity.customer_id = compared.customer_id
left join "warehouse"."intermediate"."int_customer_emails" as address on address.customer_id = compared.customer_id
    );
    
  