"""The words of this package: causes, themes, sentiments and languages."""

from __future__ import annotations

from typing import Literal, get_args

Cause = Literal[
    "product_dissatisfaction", "service_quality", "price", "competitor", "need_changed", "poor_onboarding",
    "technical_incident", "low_engagement", "low_perceived_value", "payment_failure", "contract_end", "moved_or_closed",
    "administrative_error", "deceased",
]  # fmt: skip
"""Why a customer leaves, or is unhappy."""

CAUSES: tuple[str, ...] = get_args(Cause)

UNKNOWN = "unknown"
"""No cause that anything tells."""

PRAISE, QUESTION, OTHER = "praise", "question", "other"
THEMES: tuple[str, ...] = (*CAUSES, PRAISE, QUESTION, OTHER)
"""What a text may be about: a cause, or one of three that are no reason to leave."""

NEGATIVE, NEUTRAL, POSITIVE = "negative", "neutral", "positive"
SENTIMENTS = (NEGATIVE, NEUTRAL, POSITIVE)

FRENCH, ENGLISH, OTHER_LANGUAGE = "fr", "en", "other"
LANGUAGES = (FRENCH, ENGLISH, OTHER_LANGUAGE)
