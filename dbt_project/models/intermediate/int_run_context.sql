with feeds as (
    select
        {% for feed in [
            'customers', 'order_lines', 'subscriptions', 'invoices', 'payment_attempts', 'usage', 'events', 'tickets',
            'survey_responses', 'messages', 'loyalty', 'marketing_costs', 'consents', 'suppressions', 'reviews'
        ] -%}
        coalesce(bool_or(configured) filter (where feed = '{{ feed }}'), false) as has_{{ feed }}{{ ',' if not loop.last }}
        {% endfor %}
    from {{ source('control', 'feeds') }}
)

select
    run.as_of,
    {{ begin_of_day(add_days('run.as_of', 1), 'run.timezone') }} as ends_at,
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
    run.dunning_grace_days,
    run.week_starts_on,
    run.rhythm_percentile,
    run.rhythm_min_intervals,
    cast(run.gross_margin as decimal(9, 6)) as gross_margin,
    run.nps_window_days,
    run.cause_window_days,
    run.machine_open_seconds,
    run.response_days,
    run.collection_days,
    run.cart_days,
    run.winback_days,
    run.winback_value_days,
    run.winback_campaigns,
    feeds.*
from {{ source('control', 'run') }} as run
cross join feeds
