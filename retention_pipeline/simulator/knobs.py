"""Everything about the simulated business that can be turned, in one described configuration.

A knobs file (YAML) holds any of these keys; the whole configuration is written beside the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from retention_pipeline.errors import RetentionError
from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.simulator.vocabulary import CAUSES

Share = Annotated[float, Field(ge=0, le=1)]
Effect = Annotated[float, Field(ge=-1, le=1)]
Rate = Annotated[float, Field(ge=0)]
Cadence = Literal["day", "week", "month"]


def _known(given: Iterable[str], names: Sequence[str]) -> None:
    """A name that nothing answers to would silently change nothing."""
    unknown = sorted(set(given) - set(names))
    if unknown:
        raise ValueError(f"{unknown[0]} is none of {', '.join(names)}")


class Section(BaseModel):
    """Base of every section: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Arrivals(Section):
    """How customers come."""

    growth_per_year: float = Field(
        0.6, description="Growth of the daily rate of new customers over a year; 0.6 is 60 %."
    )
    seasonality: Share = Field(0.25, description="Amplitude of the yearly wave of new customers, highest in January.")
    trial_share: Share = Field(0.5, description="Share of new customers who begin with a trial.")
    trial_days: int = Field(14, ge=1, description="Length of a trial in days.")
    trial_conversion: Share = Field(0.55, description="Share of trials that become paid, for the average customer.")
    later_start_share: Share = Field(0.04, description="Share who buy now and begin 7 to 30 days later.")
    cancel_before_start_share: Share = Field(0.2, description="Share of those who cancel before they begin.")
    yearly_share: Share = Field(0.25, description="Share of customers who choose a contract of a year.")
    discount_share: Share = Field(0.2, description="Share of customers with 20 % off in their first three months.")
    referred_share: Share = Field(0.08, description="Share of customers who were recommended by another one.")
    test_account_share: Share = Field(0.004, description="Share of accounts that belong to the business itself.")
    other_ids: bool = Field(True, description="Whether billing and support know customers by ids of their own.")
    unlinked_support_share: Share = Field(0.02, description="Share of support ids that no link explains.")


class Leaving(Section):
    """Why and how customers leave. Rates are per customer and year, for a customer with average traits."""

    rates: dict[str, Rate] = Field(
        {
            "product_dissatisfaction": 0.10,
            "service_quality": 0.06,
            "price": 0.10,
            "competitor": 0.05,
            "need_changed": 0.10,
            "poor_onboarding": 0.35,
            "technical_incident": 0.03,
            "low_engagement": 0.14,
            "low_perceived_value": 0.06,
            "moved_or_closed": 0.015,
            "deceased": 0.002,
            "administrative_error": 0.006,
        },
        description="Cause → intentions to leave a year; `administrative_error` ends a subscription at once.",
    )
    lead_days: tuple[int, int] = Field(
        (12, 45), description="An intention ripens so many days before the request to cancel: shortest and longest."
    )
    fades_share: Share = Field(0.3, description="Share of intentions that fade without anybody's help.")
    withdraws_share: Share = Field(0.05, description="Share of requests to cancel that are taken back.")
    downgrade_share: Share = Field(0.3, description="Share of intentions for price that end in a smaller plan instead.")
    pause_share: Share = Field(0.25, description="Share of intentions for a changed need that end in a pause instead.")
    pause_days: tuple[int, int] = Field((30, 90), description="Shortest and longest pause in days.")
    cancel_in_pause_share: Share = Field(0.3, description="Share of pauses that end in a cancellation.")
    silent_non_renewal_share: Share = Field(
        0.35, description="Share of yearly contracts with an intention that run out without any request to cancel."
    )
    return_rate: Rate = Field(
        0.25, description="Returns a year of a lost customer, soon after the loss; halves in a year."
    )
    expansion_rate: Rate = Field(0.25, description="Upgrades and added seats a year, for an engaged customer.")
    contraction_rate: Rate = Field(0.08, description="Seats given up a year.")

    @field_validator("rates")
    @classmethod
    def _names_causes(cls, rates: dict[str, float]) -> dict[str, float]:
        _known(rates, CAUSES)
        return rates


class Signals(Section):
    """What an intention to leave shows before it becomes a request; all but the decoys precede churn."""

    usage_left: Share = Field(0.25, description="Use on the last day before the request, as a share of the usual use.")
    cancel_view_per_day: Share = Field(0.16, description="Chance a day of viewing the cancellation page, last 10 days.")
    pricing_view_per_day: Share = Field(0.05, description="Chance a day of viewing prices, last 20 days.")
    ticket_factor: Rate = Field(4.0, description="Factor on tickets while an intention by quality or service is open.")
    unsubscribe_factor: Rate = Field(4.0, description="Factor on unsubscriptions while an intention is open.")
    nps_fall: Rate = Field(2.5, description="Points of NPS lost while an intention is open.")
    help_view_per_day: Share = Field(0.012, description="Decoy: chance a day of viewing help, the same for everybody.")
    holiday_rate: Rate = Field(0.8, description="Decoy: silent holidays of two weeks a year; nobody leaves for them.")


class Payments(Section):
    """Cards and how they fail."""

    failure_share: Share = Field(0.045, description="Share of first attempts that fail, for the average card.")
    retry_days: tuple[int, ...] = Field((3, 7, 14), description="Days after the invoice on which is tried again.")
    retry_success: Share = Field(0.35, description="Chance that a retry succeeds, for a failure that can pass.")
    update_per_day: Share = Field(
        0.03, description="Chance a day that a customer whose payment failed changes the card."
    )
    renew_card_share: Share = Field(0.85, description="Share of cards that are renewed before they expire.")


class Incidents(Section):
    """What happens to all customers at once; days are shares of the simulated span."""

    outage_at: Share | None = Field(0.35, description="When the service is down for a day; null for never.")
    price_change_at: Share | None = Field(0.55, description="When prices rise; null for never.")
    price_change: float = Field(0.12, description="Rise of prices, 0.12 is 12 %; existing contracts follow at renewal.")
    bad_release_at: Share | None = Field(
        0.75, description="When a bad release begins to spoil `reports`; null for never."
    )
    bad_release_days: int = Field(45, ge=0, description="Days until the bad release is mended.")
    usage_seasonality: Share = Field(0.15, description="Amplitude of the yearly wave of use and orders.")
    fx_volatility: Rate = Field(0.004, description="Standard deviation of a working day's change of a currency.")


PLAY_EFFECTS: dict[str, tuple[float, float, float, float]] = {
    "onboarding": (0.40, 0.0, 0.0, -0.02),
    "proactive_engagement": (0.12, 0.0, 0.0, -0.06),
    "cart_recovery": (0.15, 0.0, 0.0, 0.0),
    "loyalty_vip": (0.10, 0.0, 0.0, -0.01),
    "weak_signal": (0.25, 0.0, 0.02, -0.08),
    "save": (0.45, 0.0, 0.03, -0.05),
    "dunning": (0.35, 0.20, 0.05, -0.01),
    "service_recovery": (0.40, 0.0, 0.05, 0.0),
    "renewal": (0.25, 0.0, 0.0, -0.15),
    "exit": (0.02, 0.0, 0.0, 0.0),
    "winback": (0.15, 0.05, 0.0, -0.02),
    "long_lost_newsletter": (0.03, 0.01, 0.0, 0.0),
}


class Campaigns(Section):
    """What campaigns truly do. Columns: persuadable, sure thing, lost cause, sleeping dog."""

    effects: dict[str, tuple[Effect, Effect, Effect, Effect]] = Field(
        PLAY_EFFECTS,
        description=(
            "Play → chance that a contact keeps who means to leave (brings back who has left, mends a card, completes "
            "a cart), by kind of customer; for a month as many fewer intentions arise. Below zero: chance that it "
            "wakes an intention to leave in who had none."
        ),
    )
    other_effect: tuple[Effect, Effect, Effect, Effect] = Field(
        (0.1, 0.0, 0.0, -0.02), description="The same for plays that `effects` does not name."
    )
    discounts: dict[str, Share] = Field(
        {"price_cut": 0.2, "renewal_discount": 0.15, "reactivation_offer": 0.25, "small_discount": 0.05},
        description="Offer → discount that everybody who is contacted with it takes for three months.",
    )
    newsletter: bool = Field(True, description="Whether a monthly newsletter goes out; it changes nobody's mind.")
    open_share: Share = Field(0.35, description="Share of e-mails that the average customer opens.")
    unsubscribe_share: Share = Field(
        0.003, description="Share of e-mails that the average customer answers by leaving."
    )


class Exports(Section):
    """How the exports are written."""

    cadence: dict[str, Cadence] = Field(
        {}, description="Feed → how often a file is delivered; feeds with many rows come by the month by default."
    )
    late_share: Share = Field(0.01, description="Share of rows of activity feeds that come with the next file.")
    duplicate_share: Share = Field(
        0.005, description="Share of rows of activity feeds that come again with the next file."
    )

    @field_validator("cadence")
    @classmethod
    def _names_feeds(cls, cadence: dict[str, Cadence]) -> dict[str, Cadence]:
        _known(cadence, tuple(CONTRACTS))
        return cadence


class Truth(Section):
    """What is written of the truth."""

    hazards_every_days: int | None = Field(
        None, ge=1, description="Days between two records of each customer's hazards; by default as few as stay small."
    )
    activity: bool = Field(
        False, description="Whether every fact is also told as it happened, and where each subscription stood each day."
    )
    twins: int = Field(0, ge=0, description="Futures that are simulated to tell expected lifetime values; 0 for none.")
    twin_days: int = Field(365, ge=1, description="Length of these futures in days.")


class Knobs(Section):
    """The whole configuration of a simulated business."""

    kind: Literal["saas", "shop"] = Field("saas", description="A subscription business with add-on orders, or a shop.")
    customers: int = Field(2000, ge=10, description="Customers who come within the span.")
    days: int = Field(548, ge=30, description="Days of the span; the curve of arrivals goes on beyond it.")
    seed: int = Field(1, ge=0, description="Seed of everything random.")
    first_day: date = Field(date(2024, 1, 1), description="The first day.")
    gross_margin: Share = Field(0.8, description="Share of subscription revenue left after the cost of serving.")
    arrivals: Arrivals = Field(Arrivals(), description="How customers come.")
    leaving: Leaving = Field(Leaving(), description="Why and how customers leave.")
    signals: Signals = Field(Signals(), description="What precedes a loss, and what only looks like it.")
    payments: Payments = Field(Payments(), description="Cards and how they fail.")
    incidents: Incidents = Field(Incidents(), description="What happens to all customers at once.")
    campaigns: Campaigns = Field(Campaigns(), description="What campaigns truly do.")
    exports: Exports = Field(Exports(), description="How the exports are written.")
    truth: Truth = Field(Truth(), description="What is written of the truth.")


def read_knobs(path: Path | None, **given: object) -> Knobs:
    """The knobs of a file, with those `given` (not None) on top.

    Raises:
        RetentionError: The file cannot be read, or a value is not allowed.
    """
    where = path.name if path else "the command line"
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8")) if path else {}
        if not isinstance(data, dict | None):
            raise RetentionError(
                "the knobs are no mapping", where=where, expected="keys and values", way_out="see docs/simulator.md"
            )
        return Knobs.model_validate(
            {**(data or {}), **{key: value for key, value in given.items() if value is not None}}
        )
    except (OSError, yaml.YAMLError) as error:
        raise RetentionError(
            f"the knobs cannot be read: {type(error).__name__}",
            where=where,
            expected="a YAML file",
            way_out="name an existing file with --config",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        raise RetentionError(
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            where=where,
            expected="a knob as docs/simulator.md describes it",
            way_out="mend or remove the key",
        ) from error
