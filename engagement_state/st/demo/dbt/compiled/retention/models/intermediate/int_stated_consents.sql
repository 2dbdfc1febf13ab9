-- Of two changes at the same moment the withdrawal counts: 'withdrawn' sorts after 'granted'.
select
    consent.customer_id,
    consent.channel,
    consent.purpose,
    consent.status,
    cast(consent.changed_at at time zone 'UTC' at time zone run.timezone as date) as changed_on
from "warehouse"."staging"."stg_consents" as consent
cross join "warehouse"."intermediate"."int_run_context" as run
qualify row_number() over (
    partition by consent.customer_id, consent.channel, consent.purpose
    order by consent.changed_at desc, consent.status desc
) = 1