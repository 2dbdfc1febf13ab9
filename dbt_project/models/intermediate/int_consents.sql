-- What was said last under each id of a customer holds, and the strictest of it counts.
select
    consent.customer_id,
    consent.channel,
    consent.purpose,
    consent.status,
    consent.changed_on
from {{ resolved(ref('int_stated_consents')) }} as consent
qualify row_number() over (
    partition by consent.customer_id, consent.channel, consent.purpose
    order by consent.status desc, consent.changed_on desc
) = 1
