"""Daily use and what people look at. Both fade while an intention to leave ripens; some silences mean nothing."""

from __future__ import annotations

import numpy as np

from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.state import NO_DAY, Array
from retention_pipeline.simulator.world import World, where

_HOLIDAY = 14
_MILESTONES = 3
_ONBOARDING = 60
_CANCEL_DAYS, _PRICING_DAYS = 10, 20
_FEATURE_SHARES = (1.0, 0.4, 0.25, 0.35)
_EVENT = {name: code for code, name in enumerate(words.EVENTS)}
_REPORTS = words.FEATURES.index("reports")


def use(world: World) -> None:
    """Today's use of each feature, the events that go with it, and the views that tell or do not tell."""
    state, day = world.state, world.day
    can = np.isin(world.column("status"), (words.TRIAL, words.PAID))
    leaves = where(can & world.happens("holiday", world.knobs.signals.holiday_rate))
    state["away_until"][leaves] = np.maximum(state["away_until"][leaves], day + _HOLIDAY)
    share = world.column("engagement") * np.float32(1.1 * world.market.use_factor(day)) * fading(world)
    if world.market.is_bad_release(day):
        share = share * np.float32(0.85)
    uses = where(can & (world.column("away_until") < day) & (world.uniform("use") < np.minimum(share, 0.95)))
    state["last_use"][uses] = day
    _export_usage(world, uses)
    _reach_milestones(world, uses)
    logins = uses[world.uniform("login")[uses] < 0.5]  # most stay signed in
    export_events(world, logins, "login")
    _look_around(world, can)


def fading(world: World) -> Array:
    """What is left of each customer's usual use: 1 without an intention, the configured rest on the last day."""
    intent = world.column("intent") >= 0
    since = world.day - world.column("intent_on")
    lead = np.maximum(world.column("decides_on") - world.column("intent_on"), 1)
    left = np.float32(world.knobs.signals.usage_left)
    faded = 1 - (1 - left) * np.clip(since / lead, 0, 1)
    gone = (world.column("requested_on") != NO_DAY) | ((world.column("ends_on") != NO_DAY) & ~intent)
    return np.where(intent, faded, np.where(gone, left, 1.0)).astype(np.float32)


def _export_usage(world: World, uses: Array) -> None:
    if not len(uses):
        return
    state, generator = world.state, world.draws.at("amount of use", world.day)
    likes = np.stack([(uses * (number + 3) * 2_654_435_761 >> 8) % 100 for number in range(len(words.FEATURES))])
    chance = generator.random((len(words.FEATURES), len(uses)), dtype=np.float32)
    weights = np.array(_FEATURE_SHARES, dtype=np.float32)[:, None] * (0.4 + likes / np.float32(80))
    weights[0] = 1.0
    feature, place = np.nonzero(chance < weights)
    customers = uses[place]
    level = 2 + 10 * state["engagement"][customers]
    if world.market.is_bad_release(world.day):
        level = np.where(feature == _REPORTS, level * 0.4, level)
    events = 1 + np.floor(-level * np.log1p(-generator.random(len(customers), dtype=np.float32))).astype(np.int32)
    order = np.lexsort((feature, customers))
    world.exports.add(
        "usage",
        customer=customers[order],
        day=np.full(len(customers), world.calendar.epoch_day(world.day), dtype=np.int32),
        feature=feature[order].astype(np.int8),
        events=events[order],
        minutes=np.round(events[order] * 1.7, 1).astype(np.float32),
    )
    if world.market.is_bad_release(world.day):
        errors = uses[generator.random(len(uses), dtype=np.float32) < 0.15]  # one user in seven
        export_events(world, errors, "error_shown")


def _reach_milestones(world: World, uses: Array) -> None:
    state = world.state
    young = world.day - state["signup"][uses] < _ONBOARDING
    learns = world.uniform("milestone")[uses] < 0.12 * (0.5 + state["engagement"][uses])
    reached = uses[young & learns & (state["milestones"][uses] < _MILESTONES)]
    reach_milestone(world, reached)


def reach_milestone(world: World, customers: Array) -> None:
    """Customers take the next step of their start."""
    world.state["milestones"][customers] += 1
    export_events(world, customers, "milestone_reached", world.state["milestones"][customers])


def _look_around(world: World, can: Array) -> None:
    """Views of pages: help is looked at by everybody alike, cancellation and prices by who thinks of leaving."""
    signals, day = world.knobs.signals, world.day
    intent = world.column("intent") >= 0
    left = world.column("decides_on") - day
    export_events(world, where(can & (world.uniform("help") < signals.help_view_per_day)), "help_viewed")
    near = intent & (left <= _CANCEL_DAYS)
    cancels = np.where(near, signals.cancel_view_per_day, 0.0004) * (world.column("requested_on") == NO_DAY)
    export_events(world, where(can & (world.uniform("cancel page") < cancels)), "cancel_viewed")
    prices = np.where(intent & (left <= _PRICING_DAYS), signals.pricing_view_per_day, 0.003)
    export_events(world, where(can & (world.uniform("price page") < prices)), "pricing_viewed")


def sign_of_life(world: World, customers: Array) -> None:
    """Customers were seen today."""
    state = world.state
    first = customers[state["first_activity"][customers] == NO_DAY]
    state["first_activity"][first] = world.day
    state["last_activity"][customers] = world.day


def export_events(world: World, customers: Array, name: str, number: Array | None = None) -> None:
    """Single events of today; `number` is what a cart is worth or which milestone was reached."""
    count, code = len(customers), _EVENT[name]
    sign_of_life(world, customers)
    world.exports.add(
        "events",
        event=world.state.take("event", count),
        customer=customers,
        at=world.moment(customers, salt=3 + code),
        name=np.full(count, code, dtype=np.int8),
        number=np.zeros(count, dtype=np.int32) if number is None else number.astype(np.int32),
    )
