{#- The features of the churn model, in the order of the marts that show them. -#}
{% macro feature_columns() -%}
    {{ return([
        'tenure_days', 'period_number', 'days_in_period', 'days_since_last_activity', 'orders_30d', 'orders_90d',
        'orders_prior_90d', 'orders_365d', 'orders_total', 'revenue_30d', 'revenue_90d', 'revenue_365d',
        'revenue_total', 'average_basket', 'days_since_last_order', 'mean_order_interval_days', 'overdue_ratio',
        'return_share_365d', 'usage_days_7d', 'usage_days_30d', 'usage_days_prior_30d', 'usage_events_7d',
        'usage_events_30d', 'usage_events_prior_30d', 'usage_change_30d', 'days_since_last_usage',
        'usage_features_30d', 'events_30d', 'help_views_30d', 'cancel_views_30d', 'subscriptions_active',
        'subscriptions_total', 'days_since_subscription_start', 'days_to_contract_end', 'monthly_price',
        'tickets_90d', 'tickets_open', 'last_nps', 'last_csat', 'failed_payments_90d', 'messages_opened_90d',
        'unsubscribes_180d', 'points_balance', 'month_of_year',
    ]) }}
{%- endmacro %}
