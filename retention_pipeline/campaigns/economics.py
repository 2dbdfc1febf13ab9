"""What contacting a customer with an offer is expected to earn, as SQL expressions in exact decimals.

With `p` the probability that the customer is lost without the play, `e` the effect of the offer, `V` the value:

    uplift         = e * p                      customers who are kept or brought back, per customer contacted
    stays          = 1 - p + uplift             probability of staying, or returning, when contacted
    cost           = stays * redemption * discount_share * V + fixed_cost + contact_cost
    profit         = uplift * V - cost

For a `retain` play `p` is the churn probability, for a `win_back` play `1 - return_probability`. The effect acts on
those who would be lost, so nobody who is sure to stay makes a profit, and a probability never passes 1. The discount is
also given to those who would have stayed anyway: that is what makes it dear among the loyal.

Probabilities have six digits, money two, half away from zero. `value` is in business currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from retention_pipeline.workspace.schema import Offer, Play, ValueSettings

PROBABILITY = "DECIMAL(9,6)"
MONEY = "DECIMAL(18,2)"
_WIDE = "DECIMAL(20,2)"
"""Money as a factor: a product of decimals of at most 18 digits is cut to 18 digits, and overflows."""
_SIX_DIGITS = Decimal("0.000001")
_YEAR = 365


@dataclass(frozen=True)
class OfferTerms:
    """What an offer does and costs, per contacted customer.

    Args:
        place: Its place in the play, from 1.
        effect: Share of those who would be lost that it keeps or brings back.
        giveaway: Share of the value at stake that who stays or returns takes as discount, on average.
        contact: What a contact costs with this offer, in business currency.
    """

    place: int
    effect: Decimal
    giveaway: Decimal
    contact: Decimal


def offer_terms(play: Play) -> tuple[OfferTerms, ...]:
    """The offers of a play as numbers, in its order."""
    return tuple(
        OfferTerms(
            place,
            exact(offer.effect),
            (exact(offer.redemption) * exact(offer.discount_share)).quantize(_SIX_DIGITS),
            (offer.fixed_cost + play.contact_cost).quantize(_SIX_DIGITS),
        )
        for place, offer in enumerate(play.offers, start=1)
    )


def offer_at(play: Play, place: int) -> Offer:
    """The offer at `place`, from 1."""
    return play.offers[place - 1]


def exact(share: float) -> Decimal:
    """A share as it is written in the configuration, with six digits."""
    return Decimal(str(share)).quantize(_SIX_DIGITS)


def loss_probability(play: Play) -> str:
    """SQL: the probability that the customer is lost without the play; NULL where it is unknown.

    Who has given notice is as good as lost. Who has no score (no model yet, or not active yet) gets the prior of the
    play where it states one.
    """
    if play.goal == "win_back":
        return f"CAST({1 - exact(play.return_probability)} AS {PROBABILITY})"
    prior = "NULL" if play.churn_prior is None else str(exact(play.churn_prior))
    return f"CAST(coalesce(churn_probability, CASE WHEN has_given_notice THEN 1 ELSE {prior} END) AS {PROBABILITY})"


def value_at_stake(play: Play, value: ValueSettings) -> str:
    """SQL: what is lost with the customer over `value.horizon_days`; NULL where nothing tells.

    A fixed value holds for everyone. Else it is the margin of the orders of the last year and of the running
    subscriptions over a year; for `win_back`, of the year before the loss and of the subscriptions that ended. What is
    not fed adds nothing, a negative margin counts as nothing.
    """
    if value.fixed_value is not None:
        return f"CAST({value.fixed_value:f} AS {MONEY})"
    lost = play.goal == "win_back"
    orders, price = (
        ("margin_before_loss_365d", "monthly_price_before_loss") if lost else ("margin_365d", "monthly_price")
    )
    year = (
        f"CASE WHEN {orders} IS NOT NULL OR {price} IS NOT NULL THEN coalesce({orders}, 0)"
        f" + {exact(value.gross_margin)} * 12 * CAST(coalesce({price}, 0) AS DECIMAL(24,4)) END"
    )
    horizon = "" if value.horizon_days == _YEAR else f" * {value.horizon_days} / {_YEAR}"
    # greatest(x, 0) would make a missing value 0
    return f"CAST(round(CASE WHEN ({year}) < 0 THEN 0 ELSE ({year}) END{horizon}, 2) AS {MONEY})"


UPLIFT = f"CAST(round(effect * p, 6) AS {PROBABILITY})"
"""SQL over `effect` and `p`."""

STAYS = f"CAST(1 - p + uplift AS {PROBABILITY})"
"""SQL over `p` and `uplift`."""

COST = f"CAST(round(stays * giveaway * CAST(coalesce(value, 0) AS {_WIDE}) + contact, 2) AS {MONEY})"
"""SQL over `stays`, `giveaway`, `value` and `contact`."""

PROFIT = f"CAST(round(uplift * CAST(coalesce(value, 0) AS {_WIDE}), 2) - cost AS {MONEY})"
"""SQL over `uplift`, `value` and `cost`."""

_BEST_FIRST = "profit DESC NULLS LAST, cost NULLS LAST, place"


def best_offers(play: Play, source: str) -> str:
    """SQL: the rows of `source`, which has `customer_key`, `p` and `value`, each with the offer that pays best.

    Of offers that pay equally, the cheapest, then the first named. Adds `place`, `uplift`, `stays`, `cost`, `profit`.
    """
    terms = ", ".join(
        f"({term.place}, CAST({term.effect} AS {PROBABILITY}), CAST({term.giveaway} AS {PROBABILITY}),"
        f" CAST({term.contact} AS DECIMAL(18,6)))"
        for term in offer_terms(play)
    )
    return (
        f"SELECT {source}.*, place, {UPLIFT} AS uplift, {STAYS} AS stays, {COST} AS cost, {PROFIT} AS profit"
        f" FROM {source} CROSS JOIN (VALUES {terms}) AS terms (place, effect, giveaway, contact)"
        f" QUALIFY row_number() OVER (PARTITION BY customer_key ORDER BY {_BEST_FIRST}) = 1"
    )
