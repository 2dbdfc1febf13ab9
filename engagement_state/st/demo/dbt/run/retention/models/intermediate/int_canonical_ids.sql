
    

    create  table
      "warehouse"."intermediate"."int_canonical_ids__dbt_tmp"
  
    
    as (
      -- A customer goes by an id of the primary source that was not merged away, else by the one whose record is the
-- oldest.
with several as (
    select component_id
    from "warehouse"."intermediate"."int_identity_members"
    group by component_id
    having count(*) > 1
),

merged_away as (
    select distinct first_id as customer_id
    from "warehouse"."intermediate"."int_identity_links"
    where is_merge
),

candidates as (
    select
        member.customer_id,
        member.component_id,
        merged_away.customer_id is not null as is_merged_away,
        row_number() over (
            partition by member.component_id
            order by
                (
        position(':' in member.customer_id) = 0
        or split_part(member.customer_id, ':', 1) not in (select source from "warehouse"."intermediate"."int_sources" where not is_primary)
    ) desc,
                merged_away.customer_id is not null,
                record.customer_id is null,
                record.created_at nulls last,
                record.known_on nulls last,
                member.customer_id
        ) as rank
    from "warehouse"."intermediate"."int_identity_members" as member
    inner join several on several.component_id = member.component_id
    left join merged_away on merged_away.customer_id = member.customer_id
    left join "warehouse"."staging"."stg_customers" as record on record.customer_id = member.customer_id
)

select
    candidate.customer_id,
    chosen.customer_id as canonical_id,
    candidate.is_merged_away
from candidates as candidate
inner join candidates as chosen on chosen.component_id = candidate.component_id and chosen.rank = 1
    );
    
  