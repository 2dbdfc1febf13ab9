"""The columns that a condition of a play may use, with their types.

Declared here so that a condition can be checked without a warehouse; a test holds this list and the contract of
`marts.customer_360` together.
"""

from __future__ import annotations

from collections.abc import Mapping

_TEXT, _FLAG, _DAY = "VARCHAR", "BOOLEAN", "DATE"
_SCORE = "DECIMAL(5,1)"
_COUNT, _RATIO, _MARGIN, _MONEY = "INTEGER", "DOUBLE", "DECIMAL(18,2)", "DECIMAL(18,4)"

CUSTOMER_360: Mapping[str, str] = {
    "customer_key": _TEXT,
    "as_of": _DAY,
    "lifecycle_stage": _TEXT,
    "is_active": _FLAG,
    "is_at_risk": _FLAG,
    "has_given_notice": _FLAG,
    "active_since": _DAY,
    "last_active_on": _DAY,
    "ended_on": _DAY,
    "end_kind": _TEXT,
    "days_since_end": _COUNT,
    "first_order_on": _DAY,
    "last_order_on": _DAY,
    "next_start_on": _DAY,
    "started_on": _DAY,
    "country": _TEXT,
    "region": _TEXT,
    "language": _TEXT,
    "acquisition_channel": _TEXT,
    "preferred_channel": _TEXT,
    "plans": _TEXT,
    "rfm_recency": _COUNT,
    "rfm_frequency": _COUNT,
    "rfm_monetary": _COUNT,
    "rfm_segment": _TEXT,
    "value_tier": _TEXT,
    "loyalty_tier": _TEXT,
    "loyalty_points_expiring_30d": "BIGINT",
    "health_score": _SCORE,
    "health_band": _TEXT,
    "winback_score": _SCORE,
    "margin_365d": _MARGIN,
    "margin_before_loss_365d": _MARGIN,
    "monthly_price_before_loss": _MONEY,
    "clv_historic": _MARGIN,
    "last_sentiment": _TEXT,
    "last_stated_cause": _TEXT,
    "negative_texts_90d": _COUNT,
    "unhappy_tickets_open": _COUNT,
    "complaints_90d": _COUNT,
    "unpaid_invoices": _COUNT,
    "days_since_first_failure": _COUNT,
    "card_expires_in_days": _COUNT,
    "abandoned_cart_on": _DAY,
    "milestones_missing": _COUNT,
    "tenure_days": _COUNT,
    "period_number": _COUNT,
    "days_in_period": _COUNT,
    "days_since_last_activity": _COUNT,
    "orders_30d": _COUNT,
    "orders_90d": _COUNT,
    "orders_prior_90d": _COUNT,
    "orders_365d": _COUNT,
    "orders_total": _COUNT,
    "revenue_30d": _MONEY,
    "revenue_90d": _MONEY,
    "revenue_365d": _MONEY,
    "revenue_total": _MONEY,
    "average_basket": _RATIO,
    "days_since_last_order": _COUNT,
    "mean_order_interval_days": _RATIO,
    "overdue_ratio": _RATIO,
    "return_share_365d": _RATIO,
    "usage_days_7d": _COUNT,
    "usage_days_30d": _COUNT,
    "usage_days_prior_30d": _COUNT,
    "usage_events_7d": _COUNT,
    "usage_events_30d": _COUNT,
    "usage_events_prior_30d": _COUNT,
    "usage_change_30d": _RATIO,
    "days_since_last_usage": _COUNT,
    "usage_features_30d": _COUNT,
    "events_30d": _COUNT,
    "help_views_30d": _COUNT,
    "cancel_views_30d": _COUNT,
    "subscriptions_active": _COUNT,
    "subscriptions_total": _COUNT,
    "days_since_subscription_start": _COUNT,
    "days_to_contract_end": _COUNT,
    "monthly_price": _MONEY,
    "tickets_90d": _COUNT,
    "tickets_open": _COUNT,
    "last_nps": _RATIO,
    "last_csat": _RATIO,
    "failed_payments_90d": _COUNT,
    "messages_opened_90d": _COUNT,
    "unsubscribes_180d": _COUNT,
    "points_balance": "BIGINT",
    "month_of_year": _COUNT,
}
"""Column of `marts.customer_360` → its type."""

SCORE_COLUMNS: Mapping[str, str] = {"churn_probability": _RATIO, "risk_band": _TEXT, "risk_rank": _COUNT}
"""Column of `decisions.churn_scores` → its type; missing for who is not scored."""

CUSTOMER_COLUMNS: Mapping[str, str] = {**CUSTOMER_360, **SCORE_COLUMNS}
"""Everything that a condition may name."""
