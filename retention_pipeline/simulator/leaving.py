"""Intentions to leave: how likely each cause is for each customer on a day, and what becomes of an intention."""

from __future__ import annotations

import numpy as np

from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.state import NO_DAY, Array
from retention_pipeline.simulator.world import YEAR, World, where

_ONBOARDING_DAYS = 75
_MILESTONES = 3
_OUTAGE_MEMORY = 14
_QUICK = (words.CAUSE["moved_or_closed"], words.CAUSE["deceased"])
_PRICE, _NEED = words.CAUSE["price"], words.CAUSE["need_changed"]


def change_moods(world: World) -> None:
    """Satisfaction drifts back to each customer's own level; incidents and higher prices push it down."""
    satisfaction, market, day = world.column("satisfaction"), world.market, world.day
    noise = (world.uniform("satisfaction") - np.float32(0.5)) * np.float32(0.12)
    satisfaction += np.float32(0.03) * (world.column("satisfaction_base") - satisfaction) + noise
    if market.is_outage(day):
        satisfaction -= np.float32(0.7) * world.column("engagement")
    if market.is_bad_release(day):
        satisfaction -= np.float32(0.02) * world.column("engagement")
    world.column("price_shock")[:] *= np.float32(0.98)


def hazards(world: World, customers: Array) -> Array:
    """Intentions a year by cause: a row for each of `words.INTENT_CAUSES`, a column for each customer."""
    state, day, rates = world.state, world.day, world.knobs.leaving.rates
    dissatisfied = np.exp(1.5 * (0.6 - state["satisfaction"][customers]))
    need = state["need"][customers] - np.float32(0.55)
    sensitive = state["price_sensitivity"][customers] - np.float32(0.5)
    tenure = day - state["first_paid"][customers]
    missed = np.maximum(_MILESTONES - state["milestones"][customers], 0) / np.float32(_MILESTONES)
    incident = (
        1.0 + 20.0 * (0 <= day - world.market.outage_day < _OUTAGE_MEMORY) + 6.0 * world.market.is_bad_release(day)
    )
    factors = {
        "product_dissatisfaction": dissatisfied,
        "service_quality": dissatisfied * (1 + 2 * (state["open_ticket"][customers] >= 0)),
        "price": np.exp(2 * sensitive + 1.5 * state["price_shock"][customers]),
        "competitor": np.ones(len(customers), dtype=np.float32),
        "need_changed": np.exp(-2.5 * need),
        "poor_onboarding": np.where(tenure < _ONBOARDING_DAYS, 2 * missed, 0),
        "technical_incident": incident * dissatisfied,
        "low_engagement": np.exp(4 * (0.5 - state["engagement"][customers])),
        "low_perceived_value": np.exp(1.5 * sensitive - need),
        "moved_or_closed": np.ones(len(customers), dtype=np.float32),
        "deceased": np.ones(len(customers), dtype=np.float32),
    }
    return np.stack([np.float32(rates.get(cause, 0.0)) * factors[cause] for cause in words.INTENT_CAUSES]).astype(
        np.float32
    )


def form_intentions(world: World) -> None:
    """Let intentions arise in customers who pay and have none; tell the truth about the hazards."""
    free = where(
        (world.column("status") == words.PAID) & (world.column("intent") < 0) & (world.column("requested_on") == NO_DAY)
        & (world.column("ends_on") == NO_DAY)
    )  # fmt: skip
    if not len(free):
        return
    shielded = np.where(world.state["shield_until"][free] >= world.day, world.state["shield"][free], 0)
    rates = hazards(world, free) * (1 - shielded)
    total = rates.sum(axis=0)
    _tell_hazards(world, free, rates)
    chance = world.uniform("intention")[free]
    arises = chance < -np.expm1(-total / YEAR)
    if not arises.any():
        return
    rates, customers = rates[:, arises], free[arises]
    edges = np.cumsum(rates, axis=0) / rates.sum(axis=0)
    picked = (world.uniform("cause")[customers][None, :] >= edges[:-1]).sum(axis=0)
    codes = np.array([words.CAUSE[cause] for cause in words.INTENT_CAUSES], dtype=np.int8)[picked]
    begin_intention(world, customers, codes, "lead")


def begin_intention(world: World, customers: Array, causes: Array, purpose: str) -> None:
    """An intention with a cause begins today; it ripens within the configured lead."""
    state, knobs = world.state, world.knobs.leaving
    shortest, longest = knobs.lead_days
    lead = shortest + (world.uniform(purpose)[customers] * (longest - shortest + 1)).astype(np.int32)
    quick = np.isin(causes, _QUICK)
    state["intent"][customers] = causes
    state["intent_on"][customers] = world.day
    state["decides_on"][customers] = world.day + np.where(quick, 5, lead)
    state["will_fade"][customers] = (world.uniform(f"{purpose} fades")[customers] < knobs.fades_share) & ~quick
    world.tell(
        "intentions", customer=customers, day=np.full(len(customers), world.day), cause=causes,
        decides_on=state["decides_on"][customers], will_fade=state["will_fade"][customers],
    )  # fmt: skip


def end_intention(world: World, customers: Array) -> None:
    """Nothing is left of an intention."""
    for name in ("intent", "intent_on", "decides_on"):
        world.state[name][customers] = -1


def decide(world: World) -> None:
    """What becomes of the intentions that are ripe today."""
    state, knobs, day = world.state, world.knobs.leaving, world.day
    ripe = where(
        (world.column("intent") >= 0) & (world.column("decides_on") <= day) & (world.column("status") == words.PAID)
    )
    if not len(ripe):
        return
    chance = world.uniform("decision")[ripe]
    cause, yearly = state["intent"][ripe], state["months"][ripe] == 12  # months of a year
    fades = state["will_fade"][ripe]
    can_shrink = (state["plan"][ripe] > 0) | (state["seats"][ripe] > 1)
    shrinks = ~fades & (cause == _PRICE) & can_shrink & (chance < knobs.downgrade_share)
    pauses = ~fades & (cause == _NEED) & ~yearly & (chance < knobs.pause_share)
    silent = ~fades & ~shrinks & yearly & (chance < knobs.silent_non_renewal_share) & ~np.isin(cause, _QUICK)
    asks = ~fades & ~shrinks & ~pauses & ~silent
    _downgrade(world, ripe[shrinks])
    _pause(world, ripe[pauses])
    state["cause"][ripe[silent]] = cause[silent]
    state["ends_on"][ripe[silent]] = state["contract_ends"][ripe[silent]]
    _ask_to_cancel(world, ripe[asks], cause[asks])
    end_intention(world, ripe)


def _ask_to_cancel(world: World, customers: Array, causes: Array) -> None:
    state, day = world.state, world.day
    honest = np.array([words.REASON_CODES.index(words.REASONS[cause]) for cause in words.CAUSES], dtype=np.int8)
    other = (world.uniform("other reason")[customers] * 8).astype(np.int8)
    # One in five gives another reason than their own: forms are filled in a hurry.
    tells = (world.uniform("honesty")[customers] < 0.8) | np.isin(causes, _QUICK)
    state["reason"][customers] = np.where(tells, honest[causes], other)
    state["cause"][customers] = causes
    state["requested_on"][customers] = day
    paid_until = np.maximum(state["next_bill"][customers], day)
    state["ends_on"][customers] = np.where(np.isin(causes, _QUICK), np.minimum(paid_until, day + 3), paid_until)
    world.changed[customers] = True


def _downgrade(world: World, customers: Array) -> None:
    state = world.state
    smaller = state["plan"][customers] > 0
    state["plan"][customers] -= smaller.astype(np.int8)
    fewer = np.maximum(state["seats"][customers] // 2, 1)
    state["seats"][customers] = np.where(smaller, state["seats"][customers], fewer)
    state["price"][customers] = world.market.price(
        state["plan"][customers], state["months"][customers], state["price_level"][customers]
    )
    _cap_discount(world, customers)
    world.changed[customers] = True


def _cap_discount(world: World, customers: Array) -> None:
    """A discount is never more than what is paid."""
    state = world.state
    state["discount"][customers] = np.minimum(
        state["discount"][customers], state["price"][customers] * state["seats"][customers] // 2
    )


def _pause(world: World, customers: Array) -> None:
    state = world.state
    shortest, longest = world.knobs.leaving.pause_days
    length = shortest + (world.uniform("pause")[customers] * (longest - shortest)).astype(np.int32)
    state["status"][customers] = words.PAUSED
    state["paused_on"][customers] = world.day
    state["resumes_on"][customers] = world.day + length
    world.changed[customers] = True


def take_back(world: World) -> None:
    """Some take their request back before access ends, spread evenly over a notice of about two weeks."""
    share = world.knobs.leaving.withdraws_share
    open_request = (
        (world.column("requested_on") != NO_DAY) & (world.column("requested_on") < world.day)
        & (world.column("status") == words.PAID)
    )  # fmt: skip
    who = where(open_request & (world.uniform("take back") < share / 15) & (world.column("ends_on") > world.day))
    keep(world, who)


def keep(world: World, customers: Array) -> None:
    """A subscription goes on as if nothing had been asked."""
    for name in ("requested_on", "reason", "ends_on", "cause"):
        world.state[name][customers] = -1
    end_intention(world, customers)
    world.changed[customers] = True


def _tell_hazards(world: World, customers: Array, rates: Array) -> None:
    """Sums by cause every day; each customer's own as often as the knobs say."""
    known = ~world.state["is_test"][customers]
    daily = -np.expm1(-rates[:, known] / YEAR)
    sums = {
        cause: np.array([value])
        for cause, value in zip(words.INTENT_CAUSES, daily.sum(axis=1, dtype=np.float64), strict=True)
    }
    world.tell("hazards_by_day", day=np.array([world.day]), at_risk=np.array([int(known.sum())]), **sums)
    every = world.knobs.truth.hazards_every_days
    if every is None:
        every = max(1, round(world.knobs.customers * world.knobs.days / 5_000_000))
    if world.day % every == 0:
        own = {cause: daily[row] for row, cause in enumerate(words.INTENT_CAUSES)}
        world.tell(
            "hazards", customer=customers[known], day=np.full(int(known.sum()), world.day, dtype=np.int32), **own
        )
