"""Points: earned with money, spent, and expired after a year."""

from __future__ import annotations

import numpy as np

from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.state import NO_DAY, Array
from retention_pipeline.simulator.world import World, where

_LIFE = 365
_REWARD = 500
REFERRAL_POINTS = 200


def book(world: World, customers: Array, points: Array, reason: str) -> None:
    """Book points today; those of zero are not booked."""
    state = world.state
    points = np.asarray(points, dtype=np.int64)
    customers, points = customers[points != 0], points[points != 0]
    np.add.at(state["points"], customers, points)
    expires = np.where(points > 0, world.day + _LIFE, NO_DAY)
    world.exports.add(
        "loyalty",
        entry=state.take("entry", len(customers)),
        customer=customers,
        at=world.moment(customers, salt=2),
        points=points,
        reason=np.full(len(customers), words.POINT_REASONS.index(reason), dtype=np.int8),
        expires=world.calendar.epoch_day(expires),
    )


def reward(world: World) -> None:
    """Recommendations earn points, points are spent, and once a year half of what lies around expires."""
    state, day = world.state, world.day
    new = where((world.column("first_paid") == day) & (world.column("referrer") >= 0))
    referrers = np.unique(state["referrer"][new]).astype(np.int64)
    book(world, referrers, np.full(len(referrers), REFERRAL_POINTS), "referral")
    spends = where((world.column("points") >= _REWARD) & (world.uniform("spend points") < 0.01))
    book(world, spends, np.full(len(spends), -_REWARD), "redeemed")
    age = day - world.column("signup")
    expires = where((age > 0) & (age % _LIFE == 0) & (world.column("points") > 1))
    book(world, expires, -(state["points"][expires] // 2), "expired")
