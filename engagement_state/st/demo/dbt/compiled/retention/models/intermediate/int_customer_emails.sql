-- From the customer's record, else from a link that names the hash. Where a source knows people by that hash alone, so that
-- its ids are `email:<hash>`, such an id is one more holder of the address.
with records as (
    select customer_id, sha256(lower(trim(email))) as email_hash
    from "warehouse"."staging"."stg_customers"
    where trim(email) <> ''
),

links as (
    select customer_id, lower(source_id) as email_hash
    from "warehouse"."staging"."stg_identities"
    where source = 'email' and customer_id not in (select customer_id from records)
    qualify row_number() over (
        partition by customer_id order by linked_at desc nulls last, known_on desc nulls last, source_id
    ) = 1
),

held as (
    select customer_id, email_hash from records
    union all
    select customer_id, email_hash from links
)

select customer_id, email_hash from held

union

select 'email:' || held.email_hash, held.email_hash
from held
inner join "warehouse"."intermediate"."int_sources" as source on source.source = 'email'
where 'email:' || held.email_hash not in (select customer_id from held)