with feeds as (
    select
        coalesce(bool_or(configured) filter (where feed = 'customers'), false) as has_customers,
        coalesce(bool_or(configured) filter (where feed = 'order_lines'), false) as has_order_lines,
        coalesce(bool_or(configured) filter (where feed = 'subscriptions'), false) as has_subscriptions,
        coalesce(bool_or(configured) filter (where feed = 'invoices'), false) as has_invoices,
        coalesce(bool_or(configured) filter (where feed = 'payment_attempts'), false) as has_payment_attempts,
        coalesce(bool_or(configured) filter (where feed = 'usage'), false) as has_usage,
        coalesce(bool_or(configured) filter (where feed = 'events'), false) as has_events,
        coalesce(bool_or(configured) filter (where feed = 'tickets'), false) as has_tickets,
        coalesce(bool_or(configured) filter (where feed = 'survey_responses'), false) as has_survey_responses,
        coalesce(bool_or(configured) filter (where feed = 'messages'), false) as has_messages,
        coalesce(bool_or(configured) filter (where feed = 'loyalty'), false) as has_loyalty,
        coalesce(bool_or(configured) filter (where feed = 'marketing_costs'), false) as has_marketing_costs
        
    from "warehouse"."control"."feeds"
)

select
    run.as_of,
    cast((run.as_of + cast(1 as integer)) as timestamp) at time zone run.timezone at time zone 'UTC' as ends_at,
    run.kind,
    run.timezone,
    run.currency,
    run.first_day,
    run.inactivity_days,
    run.horizon_days,
    run.early_days,
    run.history_days,
    run.term_end_is_churn,
    run.involuntary_reasons,
    cast(run.gross_margin as decimal(9, 6)) as gross_margin,
    run.machine_open_seconds,
    run.response_days,
    run.collection_days,
    run.cart_days,
    run.winback_days,
    run.winback_value_days,
    run.winback_campaigns,
    feeds.*
from "warehouse"."control"."run" as run
cross join feeds