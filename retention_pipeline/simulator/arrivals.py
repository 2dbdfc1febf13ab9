"""How customers come: their hidden traits, who they are, and what they agree to."""

from __future__ import annotations

import numpy as np

from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.knobs import Knobs
from retention_pipeline.simulator.market import Market
from retention_pipeline.simulator.state import Array, State
from retention_pipeline.simulator.world import World

_COUNTRY_SHARES = (0.45, 0.08, 0.06, 0.2, 0.15, 0.06)
_FRENCH = (1.0, 0.6, 0.4, 0.02, 0.02, 0.05)
_ACQUISITION_SHARES = (0.35, 0.28, 0.2, 0.0, 0.17)
_REFERRAL = words.ACQUISITION.index("referral")
_EMAIL, _SMS, _PHONE, _PUSH, _, _IN_APP, _ = range(len(words.CHANNELS))


def arrival_days(knobs: Knobs, market: Market, days: int) -> Array:
    """The day on which each customer comes, ascending: `knobs.customers` of them within `knobs.days`.

    The curve goes on after the span, so that more days mean more customers and nothing else.
    """
    weights = np.cumsum(market.arrival_weights(days))
    span = weights[knobs.days - 1]
    count = int(knobs.customers * weights[-1] / span)
    # The places between two arrivals differ a little: a fixed pattern would be no crowd.
    jitter = market.draws.at("arrival", -1).random(count)
    places = (np.arange(count) + jitter) / knobs.customers * span
    return np.minimum(np.searchsorted(weights, places, side="right"), days - 1).astype(np.int32)


def settle(world: World, days: int) -> None:
    """Draw the customers who come within `days` days. Those who are there already stay as they are."""
    signup = arrival_days(world.knobs, world.market, days)
    state, before = world.state, world.state.size
    if len(signup) > before:
        state.grow(len(signup))
        state["signup"][before:] = signup[before:]
        _draw_traits(world, before)


def _draw_traits(world: World, first: int) -> None:
    """Traits of the customers from `first` on; each has a stream of its own, so that more customers shift none."""
    state, size = world.state, world.state.size

    def uniform(purpose: str) -> Array:
        return world.market.draws.uniform(purpose, -1, size)[first:]

    def normal(purpose: str) -> Array:
        return world.market.draws.normal(purpose, -1, size)[first:]

    def choice(purpose: str, shares: tuple[float, ...]) -> Array:
        edges = np.cumsum(shares)[:-1]
        return np.searchsorted(edges, uniform(purpose), side="right").astype(np.int8)

    rows = slice(first, None)
    state["need"][rows] = np.clip(0.55 + 0.22 * normal("need"), 0, 1)
    state["price_sensitivity"][rows] = np.clip(0.5 + 0.22 * normal("price sensitivity"), 0, 1)
    state["engagement"][rows] = np.clip(0.5 + 0.2 * normal("engagement") + 0.3 * (state["need"][rows] - 0.55), 0.03, 1)
    state["satisfaction_base"][rows] = np.clip(0.6 + 0.35 * normal("satisfaction base"), -0.6, 1.4)
    state["satisfaction"][rows] = state["satisfaction_base"][rows]
    state["card_quality"][rows] = np.exp(0.7 * normal("card quality"))
    state["basket"][rows] = np.exp(0.5 * normal("basket"))
    state["country"][rows] = choice("country", _COUNTRY_SHARES)
    country = state["country"][rows]
    state["currency"][rows] = np.array(words.COUNTRY_CURRENCY, dtype=np.int8)[country]
    state["language"][rows] = uniform("language") >= np.array(_FRENCH)[country]
    state["acquisition"][rows] = choice("acquisition", _ACQUISITION_SHARES)
    state["size"][rows] = choice("company size", (0.4, 0.35, 0.18, 0.07))
    state["industry"][rows] = choice("industry", (0.2, 0.25, 0.15, 0.1, 0.12, 0.18))
    state["gender"][rows] = choice("gender", (0.42, 0.42, 0.16))
    state["birth_year"][rows] = np.clip(1985 + 11 * normal("birth year"), 1940, 2006).astype(np.int16)
    state["channel"][rows] = np.array([_EMAIL, _SMS, _PHONE, _IN_APP])[choice("channel", (0.75, 0.1, 0.1, 0.05))]
    state["is_test"][rows] = uniform("test account") < world.knobs.arrivals.test_account_share
    state["is_linked"][rows] = uniform("linked") >= world.knobs.arrivals.unlinked_support_share
    number = np.arange(first, size)
    referred = (uniform("referred") < world.knobs.arrivals.referred_share) & (number > 20)  # the first know nobody
    state["referrer"][rows] = np.where(referred, (uniform("referrer") * number).astype(np.int32), -1)
    state["acquisition"][rows] = np.where(referred, _REFERRAL, state["acquisition"][rows])
    state["card_expires"][rows] = (uniform("card expiry") * 3 * 365).astype(np.int32) + state["signup"][rows] + 20
    state["kind"][rows] = _kinds(state, rows, uniform("kind"))


def _kinds(state: State, rows: slice, chance: Array) -> Array:
    """How each customer answers to campaigns: likelier a sleeping dog who hardly uses what they pay, and so on."""
    scores = np.stack(
        [
            0.3 + 1.2 * state["price_sensitivity"][rows],
            -0.9 + 2.0 * state["satisfaction_base"][rows] + state["need"][rows],
            1.2 - 2.6 * state["need"][rows],
            0.6 - 2.8 * state["engagement"][rows],
        ]
    )
    shares = np.exp(scores)
    edges = np.cumsum(shares, axis=0) / shares.sum(axis=0)
    return (chance[None, :] >= edges[:-1]).sum(axis=0).astype(np.int8)


def come(world: World) -> Array:
    """Let today's customers in: their record, their links and their consents. Returns their numbers."""
    state = world.state
    last = int(np.searchsorted(state["signup"], world.day, side="right"))
    new = np.arange(world.come, last, dtype=np.int64)
    state.numbers["come"] = last
    world.changed = np.zeros(last, dtype=np.bool_)
    if not len(new):
        return new
    export_customers(world, new)
    other = world.knobs.arrivals.other_ids
    at = world.moment(new)
    if other and world.knobs.kind == "saas":
        world.exports.add("identities", customer=new, source=np.zeros(len(new), dtype=np.int8), at=at)
    granted = world.draws.uniform("consent", -1, last)[new] < 0.78  # who ticks the box
    sms = world.draws.uniform("consent sms", -1, last)[new] < 0.3
    state["email_ok"][new] = granted
    for channel, purpose, who in (
        (_EMAIL, 1, new), (_IN_APP, 1, new), (_PHONE, 1, new),
        (_EMAIL, 0, new[granted]), (_SMS, 0, new[sms]), (_PUSH, 0, new[sms]),
    ):  # fmt: skip
        export_consents(world, who, channel, purpose, granted=True)
    state["next_nps"][new] = world.day + 30 + new % 60
    return new


def export_customers(world: World, customers: Array) -> None:
    """The record of customers as the CRM has it today."""
    state = world.state
    names = (
        "country", "language", "birth_year", "gender", "acquisition", "size", "industry", "channel", "referrer",
        "is_test",
    )  # fmt: skip
    columns = {name: state[name][customers] for name in names}
    world.exports.add(
        "customers", customer=customers, at=world.moment(customers, state["signup"][customers]), **columns
    )


def export_consents(world: World, customers: Array, channel: int, purpose: int, *, granted: bool) -> None:
    """A change of consent today; purpose 0 is marketing, 1 is service."""
    count = len(customers)
    world.exports.add(
        "consents",
        customer=customers,
        channel=np.full(count, channel, dtype=np.int8),
        purpose=np.full(count, purpose, dtype=np.int8),
        granted=np.full(count, granted),
        at=world.moment(customers),
    )


def change_minds(world: World) -> None:
    """Rare changes of a record: another way to be contacted, a request to be forgotten."""
    state = world.state
    moved = np.flatnonzero(world.happens("preference", 0.05))
    state["channel"][moved] = (state["channel"][moved] + 1) % 3
    export_customers(world, moved)
    forgotten = np.flatnonzero(world.happens("erasure", 0.004) & ~world.column("erased"))
    state["erased"][forgotten] = True
    world.exports.add("erasure_requests", customer=forgotten, at=world.moment(forgotten))
