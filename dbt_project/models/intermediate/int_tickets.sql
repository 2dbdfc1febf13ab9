select
    ticket.ticket_id,
    ticket.customer_id,
    {{ day_of('ticket.opened_at', 'run.timezone') }} as opened_on,
    {{ day_of('ticket.solved_at', 'run.timezone') }} as solved_on
from {{ resolved(ref('stg_tickets')) }} as ticket
cross join {{ ref('int_run_context') }} as run
