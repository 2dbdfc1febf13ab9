"""The section `segments` of `retention.yaml`: tiers, scores and micro-segments, each with defaults for any business."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator

from retention_pipeline.workspace.section import Days, Name, Section, Share

HealthComponent = Literal[
    "recency", "usage_trend", "breadth", "orders_trend", "payments", "support", "satisfaction", "engagement", "tenure",
    "contract",
]  # fmt: skip
WinbackCriterion = Literal["profitability", "cause", "recency", "relationship", "satisfaction", "reachability"]
Behaviour = Literal[
    "silence", "orders", "basket", "returns", "use", "use_trend", "breadth", "events", "price", "tickets", "opened",
    "tenure",
]  # fmt: skip


class Component(Section):
    """A part of a score: how much it counts, and at which levels of its measure it is worth nothing or all."""

    weight: float = Field(ge=0, description="How much it counts beside the others; 0 shows it without counting it.")
    at_zero: float = Field(description="Level of the measure at which the component is 0.")
    at_full: float = Field(
        description="Level at which it is 100; linear in between. Below `at_zero` where less is better."
    )

    @model_validator(mode="after")
    def _has_a_range(self) -> Component:
        if self.at_zero == self.at_full:
            raise ValueError("at_zero and at_full are the same")
        return self


HEALTH: Mapping[HealthComponent, Component] = {
    "recency": Component(weight=3, at_zero=1, at_full=0.1),
    "usage_trend": Component(weight=2, at_zero=-0.5, at_full=0),
    "breadth": Component(weight=1, at_zero=0, at_full=3),
    "orders_trend": Component(weight=2, at_zero=-0.5, at_full=0),
    "payments": Component(weight=2, at_zero=2, at_full=0),
    "support": Component(weight=1, at_zero=3, at_full=0),
    "satisfaction": Component(weight=2, at_zero=0.5, at_full=0.9),
    "engagement": Component(weight=1, at_zero=0, at_full=3),
    "tenure": Component(weight=1, at_zero=0, at_full=365),
    "contract": Component(weight=1, at_zero=0, at_full=90),
}

WINBACK: Mapping[WinbackCriterion, Component] = {
    "profitability": Component(weight=3, at_zero=0, at_full=0.9),
    "cause": Component(weight=2, at_zero=0, at_full=1),
    "recency": Component(weight=2, at_zero=0, at_full=1),
    "relationship": Component(weight=1, at_zero=0, at_full=365),
    "satisfaction": Component(weight=1, at_zero=0.2, at_full=0.9),
    "reachability": Component(weight=1, at_zero=0, at_full=1),
}

CAUSES: Mapping[str, float] = {
    # How an active period ended, where no cause is known.
    "inactivity": 0.6,
    "cancelled": 0.5,
    "term_end": 0.6,
    "involuntary": 0.8,
    # Causes.
    "payment_failure": 0.9,
    "administrative_error": 0.9,
    "contract_end": 0.7,
    "price": 0.7,
    "low_engagement": 0.6,
    "poor_onboarding": 0.6,
    "technical_incident": 0.6,
    "service_quality": 0.5,
    "low_perceived_value": 0.4,
    "product_dissatisfaction": 0.4,
    "competitor": 0.4,
    "need_changed": 0.1,
    "moved_or_closed": 0,
    "deceased": 0,
}


def _over(defaults: Mapping[Any, Any]) -> BeforeValidator:
    """What is written replaces the default of the same name, key by key; the others stay."""

    def merge(raw: object) -> object:
        if not isinstance(raw, dict):
            return raw
        merged: dict[object, object] = dict(defaults)
        for name, value in raw.items():
            default = defaults.get(name)
            if isinstance(value, dict) and isinstance(default, BaseModel):
                merged[name] = {**default.model_dump(), **value}
            else:
                merged[name] = value
        return merged

    return BeforeValidator(merge)


def _some_weight(components: dict[Any, Component]) -> dict[Any, Component]:
    if not any(component.weight for component in components.values()):
        raise ValueError("at least one component needs a weight above 0")
    return components


def _shares_add_up(tiers: dict[str, float]) -> dict[str, float]:
    if not tiers or abs(sum(tiers.values()) - 1) > 1e-6:
        raise ValueError("the shares of the tiers add up to 1, the best tier first")
    return tiers


class HealthSettings(Section):
    """How healthy the relation to an active customer is, 0 to 100."""

    components: Annotated[
        dict[HealthComponent, Component], _over(HEALTH), AfterValidator(_some_weight)
    ] = Field(
        dict(HEALTH),
        description=(
            "Component → weight and levels; those that are not named here keep their defaults. The measures: recency, "
            "days of silence over `churn.inactivity_days`; usage_trend, use of the last 30 days over that of the 30 "
            "before, minus 1; breadth, features used in 30 days; orders_trend, orders of 90 days over those of the 90 "
            "before, minus 1; payments, failed payments in 90 days; support, open tickets, unhappy ones twice; "
            "satisfaction, mean of the last nps / 10 and (csat - 1) / 4; engagement, messages opened in 90 days; "
            "tenure, days as a customer; contract, days to its end, 0 after notice."
        ),
    )  # fmt: skip
    green_from: float = Field(70, ge=0, le=100, description="Scores from here on are green.")
    amber_from: float = Field(40, ge=0, le=100, description="Scores from here on, below green, are amber; less is red.")

    @model_validator(mode="after")
    def _bands_in_order(self) -> HealthSettings:
        if self.amber_from > self.green_from:
            raise ValueError("amber_from lies above green_from")
        return self


class WinbackWindow(Section):
    """When after its end a lost customer is best asked to return: neither too soon nor too late."""

    opens_after: int = Field(14, ge=0, description="Up to so many days after the end the recency is 0.")
    best_from: int = Field(45, ge=0, description="From so many days on it is 1 ...")
    best_until: int = Field(180, ge=0, description="... until so many days;")
    closes_after: int = Field(720, ge=0, description="from so many days on it is 0 again. Linear in between.")

    @model_validator(mode="after")
    def _in_order(self) -> WinbackWindow:
        if not self.opens_after < self.best_from <= self.best_until < self.closes_after:
            raise ValueError("opens_after < best_from <= best_until < closes_after does not hold")
        return self


class WinbackSettings(Section):
    """How promising it is to ask a former customer to return, 0 to 100."""

    criteria: Annotated[dict[WinbackCriterion, Component], _over(WINBACK), AfterValidator(_some_weight)] = Field(
        dict(WINBACK),
        description=(
            "Criterion → weight and levels; those that are not named here keep their defaults. The measures: "
            "profitability, share of former customers who were worth less a year; cause, see `causes`; recency, see "
            "`window`; relationship, days that the lost period lasted; satisfaction, mean of the last nps / 10 and "
            "(csat - 1) / 4; reachability, 1 where marketing is allowed on some channel, else 0."
        ),
    )
    causes: Annotated[dict[Name, Share], _over(CAUSES)] = Field(
        dict(CAUSES),
        description=(
            "Cause of the loss → how well it can be mended, 0 to 1; without a cause, the kind of the end. Those that "
            "are not named here keep their defaults."
        ),
    )
    window: WinbackWindow = Field(WinbackWindow(), description="How recency counts.")


class LoyaltyLevel(Section):
    """What a loyalty tier asks for."""

    points: int = Field(0, ge=0, description="Points balance, where the business has a loyalty feed.")
    tenure_days: int = Field(0, ge=0, description="Without that feed: days as a customer ...")
    orders: int = Field(0, ge=0, description="... and purchase orders so far, where the business has orders.")


LOYALTY: Mapping[str, LoyaltyLevel] = {
    "bronze": LoyaltyLevel(),
    "silver": LoyaltyLevel(points=500, tenure_days=180, orders=3),
    "gold": LoyaltyLevel(points=1500, tenure_days=365, orders=6),
    "platinum": LoyaltyLevel(points=5000, tenure_days=730, orders=12),
}


def _levels_rise(levels: dict[str, LoyaltyLevel]) -> dict[str, LoyaltyLevel]:
    ordered = list(levels.values())
    if not ordered or ordered[0] != LoyaltyLevel():
        raise ValueError("the first level is the one that asks for nothing")
    for lower, higher in pairwise(ordered):
        asked = ("points", "tenure_days", "orders")
        if any(getattr(higher, name) < getattr(lower, name) for name in asked) or higher == lower:
            raise ValueError("levels stand in rising order, each asking for more than the one before")
    return levels


class RiskSettings(Section):
    """Bands of the churn score, by the odds of leaving against those of the average customer."""

    high_odds: float = Field(2.0, gt=0, description="High risk: odds of leaving at least so many times the average.")
    low_odds: float = Field(0.5, gt=0, description="Low risk: odds of at most so many times the average.")

    @model_validator(mode="after")
    def _in_order(self) -> RiskSettings:
        if self.low_odds >= self.high_odds:
            raise ValueError("low_odds lies below high_odds")
        return self


class MicroSegmentSettings(Section):
    """Groups of active customers who behave alike, found by clustering and kept over time."""

    fewest: int = Field(3, ge=2, le=20, description="Fewest segments to try.")
    most: int = Field(8, ge=2, le=20, description="Most segments to try.")
    min_stability: Share = Field(
        0.75,
        description=(
            "The most segments of which each is found again in resampled customers with at least this mean Jaccard "
            "similarity are taken (Hennig 2007)."
        ),
    )
    min_share: Share = Field(0.02, description="A segment holds at least this share of the customers.")
    sample_size: int = Field(50_000, ge=500, description="Customers that are looked at to find segments, at most.")
    margin: Share = Field(
        0.15, description="A customer moves only to a segment whose centre is nearer by at least this share."
    )
    refit_days: Days = Field(180, description="Segments are found anew after so many days ...")
    max_shift: float = Field(
        0.25, gt=0, description="... or when their sizes have shifted: population stability index above this."
    )
    max_silhouette_drop: Share = Field(
        0.25, description="... or when they fit worse: the silhouette fell by this share of what it was."
    )
    excluded: tuple[Behaviour, ...] = Field((), description="Behaviours that are not looked at.")
    seed: int = Field(20260101, ge=0, description="Seed of everything random in finding segments.")

    @model_validator(mode="after")
    def _range(self) -> MicroSegmentSettings:
        if self.fewest > self.most:
            raise ValueError("fewest lies above most")
        return self


class SegmentSettings(Section):
    """Segments and scores of customers."""

    value_tiers: Annotated[dict[Name, Share], AfterValidator(_shares_add_up)] = Field(
        {"top": 0.05, "high": 0.15, "medium": 0.3, "low": 0.5},
        description=(
            "Value tier → share of the active customers, the most valuable first. Customers of equal value stand "
            "together; who is worth nothing is in the last."
        ),
    )
    loyalty_tiers: Annotated[dict[Name, LoyaltyLevel], AfterValidator(_levels_rise)] = Field(
        dict(LOYALTY), description="Loyalty tier → what it asks for, the lowest first."
    )
    risk: RiskSettings = Field(RiskSettings(), description="Bands of the churn score.")
    health: HealthSettings = Field(HealthSettings(), description="Health score of active customers.")
    winback: WinbackSettings = Field(WinbackSettings(), description="Win-back score of former customers.")
    micro: MicroSegmentSettings = Field(MicroSegmentSettings(), description="Micro-segments by behaviour.")
