
    

    create  table
      "warehouse"."intermediate"."int_identity_links__dbt_tmp"
  
    
    as (
      with statements as (
    select
        link.customer_id,
        link.source = 'email' as is_email,
        case
            when link.source = run.primary_source then link.source_id
            else link.source || ':' || link.source_id
        end as linked_id,
        link.merged_into,
        coalesce(link.linked_at, cast(link.known_on as timestamp) at time zone run.timezone at time zone 'UTC') as stated_at
    from "warehouse"."staging"."stg_identities" as link
    cross join "warehouse"."control"."run" as run
),

-- An id belongs to one customer: a later link to another one replaces the earlier one. Several customers may have one e-mail
-- address, though: links to its hash are no keys, they are compared as the addresses of records are.
links as (
    select customer_id, linked_id
    from statements
    where not is_email
    qualify row_number() over (
        partition by linked_id order by stated_at desc nulls last, customer_id
    ) = 1
),

-- What was said last of a customer and an id tells whether the customer was merged; a later row without takes it back.
merges as (
    select customer_id, merged_into
    from (
        select customer_id, merged_into
        from statements
        qualify row_number() over (
            partition by customer_id, linked_id order by stated_at desc nulls last, merged_into nulls last
        ) = 1
    )
    where merged_into is not null
),

-- A link between two ids of one source is a merge too: the customer is the one that stays.
joined as (
    select linked_id as first_id, customer_id as second_id, case when (
        position(':' in linked_id) = 0
        or split_part(linked_id, ':', 1) not in (select source from "warehouse"."intermediate"."int_sources" where not is_primary)
    ) then '' else split_part(linked_id, ':', 1) end = case when (
        position(':' in customer_id) = 0
        or split_part(customer_id, ':', 1) not in (select source from "warehouse"."intermediate"."int_sources" where not is_primary)
    ) then '' else split_part(customer_id, ':', 1) end
        as is_merge
    from links

    union all

    select customer_id, merged_into, true
    from merges
)

select
    first_id,
    (
        position(':' in first_id) = 0
        or split_part(first_id, ':', 1) not in (select source from "warehouse"."intermediate"."int_sources" where not is_primary)
    ) as first_is_primary,
    second_id,
    (
        position(':' in second_id) = 0
        or split_part(second_id, ':', 1) not in (select source from "warehouse"."intermediate"."int_sources" where not is_primary)
    ) as second_is_primary,
    bool_or(is_merge) as is_merge
from joined
where first_id <> second_id
group by first_id, second_id
    );
    
  