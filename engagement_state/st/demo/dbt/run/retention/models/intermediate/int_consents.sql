
    

    create  table
      "warehouse"."intermediate"."int_consents__dbt_tmp"
  
    
    as (
      -- What was said last under each id of a customer holds, and the strictest of it counts.
select
    consent.customer_id,
    consent.channel,
    consent.purpose,
    consent.status,
    consent.changed_on
from (
        select feed.* replace (coalesce(identity.canonical_id, feed.customer_id) as customer_id)
        from "warehouse"."intermediate"."int_stated_consents" as feed
        left join "warehouse"."intermediate"."int_canonical_ids" as identity on identity.customer_id = feed.customer_id
    ) as consent
qualify row_number() over (
    partition by consent.customer_id, consent.channel, consent.purpose
    order by consent.status desc, consent.changed_on desc
) = 1
    );
    
  