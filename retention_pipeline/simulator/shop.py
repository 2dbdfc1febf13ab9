"""A shop without contracts: customers buy at a rhythm of their own until they silently stop.

`PAID` means that a customer goes on buying, `ENDED` that they have stopped; nobody sees that but the truth. What a
pipeline can see is silence: after `INACTIVITY_DAYS` without a sign of life the customer counts as lost.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retention_pipeline.simulator import leaving, orders, plays, support, surveys, usage
from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.plays import CampaignList
from retention_pipeline.simulator.state import NO_DAY, Array
from retention_pipeline.simulator.subscriptions import EARLY_DAYS, come_back
from retention_pipeline.simulator.world import World, where

INACTIVITY_DAYS = 90
_ORDERS_A_YEAR = 11
_VISITS_PER_ORDER = 2.5
_FIRST_ORDER_AT_ONCE = 0.8


def live(world: World, new: Array, lists: Sequence[CampaignList]) -> None:
    """One day of a shop."""
    state, day = world.state, world.day
    state["status"][new] = words.PAID
    state["first_paid"][new] = day
    state["lives"][new] = 1
    leaving.change_moods(world)
    plays.apply(world, lists)
    leaving.form_intentions(world)
    _stop(world)
    come_back(world)
    buys = world.column("status") == words.PAID
    orders.buy(world, new[world.uniform("first order")[new] < _FIRST_ORDER_AT_ONCE])
    rate = _ORDERS_A_YEAR * world.column("engagement") * usage.fading(world) * world.market.order_factor(day)
    rate = rate * (0.1 if world.market.is_outage(day) else 1.0) * np.where(world.column("signup") < day, 1.0, 0.0)
    orders.fill_carts(world, where(buys & world.happens("cart", rate / (1 - orders.ABANDONED))))
    visits = where(buys & world.happens("visit", rate * _VISITS_PER_ORDER))
    usage.export_events(world, visits, "page_viewed")
    orders.send_back(world, buys)
    support.support(world)
    surveys.ask(world)
    _count_silence(world)


def _stop(world: World) -> None:
    """Intentions that are ripe: some fade, the others end the habit of buying here."""
    state = world.state
    ripe = where((world.column("intent") >= 0) & (world.column("decides_on") <= world.day))
    stops = ripe[~state["will_fade"][ripe]]
    state["cause"][stops] = state["intent"][stops]
    state["status"][stops] = words.ENDED
    state["ended_on"][stops] = world.day
    world.tell(
        "stops", customer=stops, day=np.full(len(stops), world.day), cause=state["cause"][stops].copy(),
    )  # fmt: skip
    leaving.end_intention(world, ripe)


def _count_silence(world: World) -> None:
    """Tell whom silence shows as lost today."""
    state, day = world.state, world.day
    last = world.column("last_activity")
    silent = where((last != NO_DAY) & (last == day - INACTIVITY_DAYS) & ~world.column("is_test"))
    count = len(silent)
    happened = state["last_activity"][silent].copy()
    world.tell(
        "endings",
        customer=silent,
        subscription=np.full(count, -1),
        happened_on=happened,
        known_on=np.full(count, day),
        end_kind=np.full(count, words.INACTIVITY, dtype=np.int8),
        cause=np.where(state["status"][silent] == words.ENDED, state["cause"][silent], -1).astype(np.int8),
        is_early=happened - state["first_activity"][silent] <= EARLY_DAYS,
        mrr_lost=np.zeros(count, dtype=np.int64),
        was_paused=np.zeros(count, dtype=np.bool_),
        life=state["lives"][silent],
    )
