"""The words of the simulated business: codes in arrays stand for their place in these tuples."""

from __future__ import annotations

CAUSES = (
    "product_dissatisfaction", "service_quality", "price", "competitor", "need_changed", "poor_onboarding",
    "technical_incident", "low_engagement", "low_perceived_value", "payment_failure", "contract_end", "moved_or_closed",
    "administrative_error", "deceased",
)  # fmt: skip
"""Why customers leave: the taxonomy of causes, in the order of the codes."""

CAUSE = {name: code for code, name in enumerate(CAUSES)}

INTENT_CAUSES = (
    "product_dissatisfaction", "service_quality", "price", "competitor", "need_changed", "poor_onboarding",
    "technical_incident", "low_engagement", "low_perceived_value", "moved_or_closed", "deceased",
)  # fmt: skip
"""Causes that ripen from an intention; the others strike at once."""

REASONS = {
    "product_dissatisfaction": "missing_features",
    "service_quality": "customer_service",
    "price": "too_expensive",
    "competitor": "switched_service",
    "need_changed": "no_longer_needed",
    "poor_onboarding": "too_complex",
    "technical_incident": "technical_problems",
    "low_engagement": "unused",
    "low_perceived_value": "low_value",
    "payment_failure": "other",
    "contract_end": "other",
    "moved_or_closed": "business_closed",
    "administrative_error": "administrative_error",
    "deceased": "deceased",
}
"""Cause → the reason that a cancellation form offers for it."""

REASON_CODES = tuple(dict.fromkeys(REASONS.values()))

KINDS = ("persuadable", "sure_thing", "lost_cause", "sleeping_dog")
"""How a customer answers to campaigns."""

PLANS = ("starter", "team", "business")
FEATURES = ("editor", "reports", "automation", "mobile")
CURRENCIES = ("EUR", "USD", "GBP", "CHF")
COUNTRIES = ("FR", "BE", "CH", "GB", "US", "DE")
COUNTRY_CURRENCY = (0, 0, 3, 2, 1, 0)
ACQUISITION = ("organic", "paid_search", "social_ads", "referral", "partner")
COMPANY_SIZES = ("1", "2-9", "10-49", "50-249")
INDUSTRIES = ("retail", "agency", "education", "construction", "health", "software")
GENDERS = ("f", "m", "unknown")
CHANNELS = ("email", "sms", "phone", "push", "post", "in_app", "whatsapp")
DECLINES = (
    "insufficient_funds", "expired_card", "do_not_honor", "lost_card", "processing_error", "authentication_required",
)  # fmt: skip

EVENTS = (
    "login", "help_viewed", "cancel_viewed", "pricing_viewed", "cart_added", "cart_checked_out", "milestone_reached",
    "error_shown", "page_viewed",
)  # fmt: skip
MESSAGE_EVENTS = (
    "sent", "delivered", "opened", "clicked", "bounced", "unsubscribed", "complained", "converted",
)  # fmt: skip
TICKET_KINDS = ("question", "incident", "complaint", "billing")
PRIORITIES = ("low", "normal", "high")
SURVEYS = ("nps", "csat", "ces", "exit")
LINE_KINDS = ("purchase", "return", "cancellation", "fee", "adjustment")
POINT_REASONS = ("purchase", "subscription", "referral", "redeemed", "expired")

NONE, PENDING, TRIAL, PAID, PAUSED, ENDED = range(6)
"""States of a customer's subscription. A shop's customer is PAID as long as they go on buying, else ENDED."""

END_KINDS = ("cancelled", "term_end", "involuntary", "trial_not_converted", "cancelled_before_start", "inactivity")
CANCELLED, TERM_END, INVOLUNTARY, TRIAL_END, BEFORE_START, INACTIVITY = range(6)

MOVEMENTS = ("new", "expansion", "contraction", "churned", "reactivation", "paused", "resumed", "fx")
