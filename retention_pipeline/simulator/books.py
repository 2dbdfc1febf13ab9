"""The simulator's own books: what every subscription is worth a month, and why the sum changed today.

All in whole ten-thousandths of business currency, so nothing is lost in rounding. The opening values are first taken to
today's exchange rate (`fx`); every other movement is valued at today's rate.
"""

from __future__ import annotations

import numpy as np

from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.market import fx_value
from retention_pipeline.simulator.state import Array
from retention_pipeline.simulator.world import World, where


def close_day(world: World) -> None:
    """Value every subscription at the end of the day and tell the movements."""
    day = world.day
    status = world.column("status")
    rate = world.rates[day][world.column("currency")]
    pays = (status == words.PAID) & ~world.column("is_test")
    gross = np.where(pays, world.column("price") * world.column("seats"), 0)
    running = pays & (world.column("discount_ends") > day)
    discount = np.where(running, world.column("discount"), 0)
    months = world.column("months")

    opening = world.column("value")
    before = fx_value(world.column("local_list"), rate, world.column("local_months")) - fx_value(
        world.column("local_discount"), rate, world.column("local_months")
    )
    closing = fx_value(gross, rate, months) - fx_value(discount, rate, months)
    delta = closing - before
    begins, stops = (before == 0) & (closing > 0), (before > 0) & (closing == 0)
    both = (before > 0) & (closing > 0)
    was_paused = world.column("book_status") == words.PAUSED
    is_new = world.column("first_paid") == day
    sums = {
        "new": delta[begins & is_new & ~was_paused].sum(),
        "expansion": delta[both & (delta > 0)].sum(),
        "contraction": -delta[both & (delta < 0)].sum(),
        "churned": -delta[stops & (status != words.PAUSED)].sum(),
        "reactivation": delta[begins & ~is_new & ~was_paused].sum(),
        "paused": -delta[stops & (status == words.PAUSED)].sum(),
        "resumed": delta[begins & was_paused].sum(),
        "fx": (before - opening).sum(),
    }
    world.tell(
        "mrr_by_day",
        day=np.array([day]),
        opening=np.array([opening.sum()]),
        **{name: np.array([int(value)]) for name, value in sums.items()},
        closing=np.array([closing.sum()]),
        customers=np.array([int(pays.sum())]),
    )
    if world.knobs.truth.activity:
        _tell_standing(world, closing)
    world.column("value")[:] = closing
    world.column("local_list")[:] = gross
    world.column("local_discount")[:] = discount
    world.column("local_months")[:] = months
    world.column("book_status")[:] = status
    # A month's margin, spread over its days.
    world.column("earned")[:] += np.round(closing * world.knobs.gross_margin / 30.4375).astype(np.int64)


def _tell_standing(world: World, closing: Array) -> None:
    """Where the subscriptions stand that stand otherwise than yesterday."""
    other = (world.column("status") != world.column("book_status")) | (closing != world.column("value"))
    moved = where(other | world.changed)
    names = ("subscription", "status", "plan", "seats", "months")
    world.tell(
        "standing", customer=moved, day=np.full(len(moved), world.day), value=closing[moved],
        **{name: world.state[name][moved] for name in names},
    )  # fmt: skip
