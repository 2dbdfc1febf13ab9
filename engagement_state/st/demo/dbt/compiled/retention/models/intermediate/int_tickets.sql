select
    ticket.ticket_id,
    ticket.customer_id,
    cast(ticket.opened_at at time zone 'UTC' at time zone run.timezone as date) as opened_on,
    cast(ticket.solved_at at time zone 'UTC' at time zone run.timezone as date) as solved_on
from (
        select feed.* replace (coalesce(identity.canonical_id, feed.customer_id) as customer_id)
        from "warehouse"."staging"."stg_tickets" as feed
        left join "warehouse"."intermediate"."int_canonical_ids" as identity on identity.customer_id = feed.customer_id
    ) as ticket
cross join "warehouse"."intermediate"."int_run_context" as run