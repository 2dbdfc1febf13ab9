"""The features of the churn model, by name and meaning.

The values are computed by `marts.customer_features`; a test holds this list and that mart together. Attributes of the
person (gender, age, birth year, region, disability and the like) are no features.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

from retention_pipeline.errors import RetentionError


@dataclass(frozen=True)
class Feature:
    """A number known about a customer at the end of an observation date.

    Args:
        name: Column of `marts.customer_features`.
        description: What it is, with its unit.
        is_calendar: Whether it says only which part of the year it is.
    """

    name: str
    description: str
    is_calendar: bool = False


FEATURES: tuple[Feature, ...] = (
    Feature("tenure_days", "Days since the customer was first seen."),
    Feature("period_number", "Which active period of the customer this is: 1, or more after a return."),
    Feature("days_in_period", "Days since the running active period began."),
    Feature("days_since_last_activity", "Days since the last activity of any kind."),
    Feature("orders_30d", "Purchase orders of the last 30 days."),
    Feature("orders_90d", "Purchase orders of the last 90 days."),
    Feature("orders_prior_90d", "Purchase orders of the 90 days before the last 90."),
    Feature("orders_365d", "Purchase orders of the last 365 days."),
    Feature("orders_total", "Purchase orders so far."),
    Feature("revenue_30d", "Net revenue of the last 30 days, in business currency."),
    Feature("revenue_90d", "Net revenue of the last 90 days, in business currency."),
    Feature("revenue_365d", "Net revenue of the last 365 days, in business currency."),
    Feature("revenue_total", "Net revenue so far, in business currency."),
    Feature("average_basket", "Purchase value per purchase order, in business currency."),
    Feature("days_since_last_order", "Days since the last purchase order."),
    Feature("mean_order_interval_days", "Mean days between purchase orders; missing below two orders."),
    Feature("overdue_ratio", "Days since the last order over the mean interval: above 1, later than usual."),
    Feature("return_share_365d", "Value returned over value purchased in the last 365 days."),
    Feature("usage_days_7d", "Days with use among the last 7."),
    Feature("usage_days_30d", "Days with use among the last 30."),
    Feature("usage_days_prior_30d", "Days with use among the 30 before the last 30."),
    Feature("usage_events_7d", "Usage events of the last 7 days."),
    Feature("usage_events_30d", "Usage events of the last 30 days."),
    Feature("usage_events_prior_30d", "Usage events of the 30 days before the last 30."),
    Feature("usage_change_30d", "Usage events of the last 30 days over those of the 30 before, minus 1."),
    Feature("days_since_last_usage", "Days since the last use."),
    Feature("usage_features_30d", "Different features used in the last 30 days."),
    Feature("events_30d", "Product events of the last 30 days."),
    Feature("help_views_30d", "Views of help pages in the last 30 days."),
    Feature("cancel_views_30d", "Views of the cancellation page in the last 30 days."),
    Feature("subscriptions_active", "Subscriptions that run."),
    Feature("subscriptions_total", "Subscriptions so far."),
    Feature("days_since_subscription_start", "Days since the newest running subscription started."),
    Feature("days_to_contract_end", "Days until the contract ends."),
    Feature("monthly_price", "Price of the running subscriptions per month, in business currency."),
    Feature("tickets_90d", "Support tickets opened in the last 90 days."),
    Feature("tickets_open", "Support tickets that are open."),
    Feature("last_nps", "Last answer to how likely a recommendation is, 0 to 10."),
    Feature("last_csat", "Last satisfaction score, 1 to 5."),
    Feature("failed_payments_90d", "Payment attempts that failed in the last 90 days."),
    Feature("messages_opened_90d", "Messages opened in the last 90 days."),
    Feature("unsubscribes_180d", "Times the customer unsubscribed in the last 180 days."),
    Feature("points_balance", "Loyalty points that are left."),
    Feature("month_of_year", "Calendar month, 1 to 12.", is_calendar=True),
)
"""Every feature in the order of the mart's columns."""


def wanted_features(excluded: Collection[str]) -> tuple[Feature, ...]:
    """The features without those that the configuration excludes.

    Raises:
        RetentionError: A name that is no feature is excluded, or nothing is left.
    """
    names = [feature.name for feature in FEATURES]
    for name in excluded:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            raise RetentionError(
                f"there is no feature {name!r} to exclude",
                where="churn.excluded_features",
                expected="names of columns of customer_features" + (f", such as {near[0]!r}" if near else ""),
                way_out="correct the name in retention.yaml or take it out",
            )
    wanted = tuple(feature for feature in FEATURES if feature.name not in excluded)
    if not wanted:
        raise RetentionError(
            "every feature is excluded",
            where="churn.excluded_features",
            expected="at least one feature for the model",
            way_out="take some names out of the list",
        )
    return wanted
