select
    ticket.ticket_id,
    ticket.customer_id,
    {{ day_of('ticket.opened_at', 'run.timezone') }} as opened_on,
    {{ day_of('ticket.first_response_at', 'run.timezone') }} as responded_on,
    {{ day_of('ticket.solved_at', 'run.timezone') }} as solved_on,
    lower(trim(ticket.kind)) as kind,
    lower(trim(ticket.channel)) as channel,
    lower(trim(ticket.priority)) as priority,
    {{ hours_between('ticket.opened_at', 'ticket.first_response_at') }} as first_response_hours,
    {{ hours_between('ticket.opened_at', 'ticket.solved_at') }} as resolution_hours,
    ticket.reopened_count,
    {{ is_satisfied('ticket.satisfaction') }} as is_satisfied,
    {{ text_hash(ticket_text('ticket')) }} as text_hash,
    {{ text_hash('ticket.kind') }} as kind_hash
from {{ resolved(ref('stg_tickets')) }} as ticket
cross join {{ ref('int_run_context') }} as run
where ticket.customer_id not in (select customer_id from {{ ref('int_test_accounts') }})
