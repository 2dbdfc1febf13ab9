-- Of two changes at the same moment the withdrawal counts: 'withdrawn' sorts after 'granted'.
select
    consent.customer_id,
    consent.channel,
    consent.purpose,
    consent.status,
    {{ day_of('consent.changed_at', 'run.timezone') }} as changed_on
from {{ ref('stg_consents') }} as consent
cross join {{ ref('int_run_context') }} as run
qualify row_number() over (
    partition by consent.customer_id, consent.channel, consent.purpose
    order by consent.changed_at desc, consent.status desc
) = 1
