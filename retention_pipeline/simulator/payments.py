"""Invoices, tries to collect, and what follows when a card fails."""

from __future__ import annotations

import numpy as np

from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.market import fx_value
from retention_pipeline.simulator.state import NO_DAY, Array
from retention_pipeline.simulator.subscriptions import end
from retention_pipeline.simulator.world import World, where

_OPEN, _PAID, _LOST = 0, 1, 2
_EXPIRED, _LOST_CARD = words.DECLINES.index("expired_card"), words.DECLINES.index("lost_card")
_DECLINE_EDGES = np.cumsum((0.46, 0.0, 0.28, 0.05, 0.09))
_CARD_LIFE = 3 * 365


def bill(world: World) -> None:
    """Issue today's invoices and try to collect them at once."""
    state, day = world.state, world.day
    due = where((world.column("status") == words.PAID) & (world.column("next_bill") == day))
    if not len(due):
        return
    amount = amounts_due(world, due)
    invoices = state.take("invoice", len(due))
    state["next_bill"][due] = world.calendar.add_months(np.full(len(due), day), state["months"][due])
    expired = state["card_expires"][due] < day
    fails = world.uniform("payment")[due] < np.where(
        expired, 0.92, world.knobs.payments.failure_share * state["card_quality"][due]
    )
    declined = np.searchsorted(_DECLINE_EDGES, world.uniform("decline")[due], side="right").astype(np.int8)
    codes = np.where(fails, np.where(expired, _EXPIRED, declined), -1).astype(np.int8)
    _attempt(world, due, invoices, amount, codes, is_first=True)
    _export_invoices(world, due, invoices, amount, np.full(len(due), day), np.where(fails, NO_DAY, day))
    failed = due[fails]
    state["dunning_invoice"][failed] = invoices[fails]
    state["dunning_since"][failed] = day
    state["dunning_amount"][failed] = amount[fails]
    state["dunning_try"][failed] = 0
    state["dunning_code"][failed] = codes[fails]
    state["card_mended"][failed] = False
    _pay_points(world, due[~fails], amount[~fails])


def amounts_due(world: World, customers: Array) -> Array:
    """What a billing interval costs from today on, in ten-thousandths of the customer's currency."""
    state = world.state
    running = state["discount_ends"][customers] > world.day
    return state["price"][customers] * state["seats"][customers] - np.where(running, state["discount"][customers], 0)


def dun(world: World) -> None:
    """Cards are mended, collection is tried again, and after the last try access ends."""
    state, day, knobs = world.state, world.day, world.knobs.payments
    renewed = where((world.column("card_expires") == day + 10) & (world.uniform("card") < knobs.renew_card_share))
    state["card_expires"][renewed] += _CARD_LIFE
    owing = where(world.column("dunning_invoice") >= 0)
    if not len(owing):
        return
    ended = state["status"][owing] == words.ENDED
    _give_up(world, owing[ended])
    owing = owing[~ended]
    mends = world.uniform("mend card")[owing] < knobs.update_per_day * (0.5 + state["need"][owing])
    mend_card(world, owing[mends])
    number = state["dunning_try"][owing]
    waits = np.array([*knobs.retry_days, 10_000])
    due = owing[(day - state["dunning_since"][owing]) == waits[np.minimum(number, len(waits) - 1)]]
    if not len(due):
        return
    code = state["dunning_code"][due]
    passing = ~np.isin(code, (_EXPIRED, _LOST_CARD))
    chance = np.where(state["card_mended"][due], 0.96, np.where(passing, knobs.retry_success, 0.02))
    succeeds = world.uniform("retry")[due] < chance
    invoices, amount = state["dunning_invoice"][due], state["dunning_amount"][due]
    _attempt(world, due, invoices, amount, np.where(succeeds, -1, code).astype(np.int8))
    state["dunning_try"][due] += 1
    paid = due[succeeds]
    _export_invoices(
        world, paid, invoices[succeeds], amount[succeeds], state["dunning_since"][paid], np.full(len(paid), day)
    )
    _pay_points(world, paid, amount[succeeds])
    state["dunning_invoice"][paid] = -1
    last = due[~succeeds & (state["dunning_try"][due] >= len(knobs.retry_days))]
    asked = state["requested_on"][last] != NO_DAY
    state["cause"][last[~asked]] = words.CAUSE["payment_failure"]
    end(world, last[~asked], words.INVOLUNTARY)
    end(world, last[asked], words.CANCELLED)
    _give_up(world, last)


def mend_card(world: World, customers: Array) -> None:
    """A customer enters a card that works."""
    world.state["card_mended"][customers] = True
    world.state["card_expires"][customers] = world.day + _CARD_LIFE


def _give_up(world: World, customers: Array) -> None:
    """An invoice that nobody will pay any more."""
    state = world.state
    _export_invoices(
        world, customers, state["dunning_invoice"][customers], state["dunning_amount"][customers],
        state["dunning_since"][customers], np.full(len(customers), NO_DAY), is_lost=True,
    )  # fmt: skip
    state["dunning_invoice"][customers] = -1


def _attempt(
    world: World, customers: Array, invoices: Array, amount: Array, codes: Array, *, is_first: bool = False
) -> None:
    state = world.state
    world.tell(
        "payments",
        customer=customers,
        day=np.full(len(customers), world.day),
        invoice=invoices.copy(),
        is_first=np.full(len(customers), is_first),
        is_failed=codes >= 0,
        value=fx_value(
            amount, world.rates[world.day][state["currency"][customers]], np.ones(len(customers), dtype=np.int64)
        ),
    )
    world.exports.add(
        "payment_attempts",
        attempt=state.take("attempt", len(customers)),
        invoice=invoices,
        customer=customers,
        other_id=np.full(len(customers), world.knobs.arrivals.other_ids),
        at=world.moment(customers, salt=1),
        amount=amount,
        currency=state["currency"][customers],
        code=codes,
        card_expires=world.calendar.epoch_day(world.calendar.month_end(state["card_expires"][customers])),
    )


def _export_invoices(
    world: World, customers: Array, invoices: Array, amount: Array, issued: Array, paid: Array, *, is_lost: bool = False
) -> None:
    state, count = world.state, len(customers)
    status = np.where(paid != NO_DAY, _PAID, _LOST if is_lost else _OPEN).astype(np.int8)
    world.exports.add(
        "invoices",
        invoice=invoices.copy(),
        customer=customers,
        other_id=np.full(count, world.knobs.arrivals.other_ids),
        subscription=state["subscription"][customers],
        at=world.moment(customers, issued),
        due=world.moment(customers, issued + 7),
        amount=amount.copy(),
        paid=world.moment(customers, paid, 1),
        currency=state["currency"][customers],
        status=status,
    )


def _pay_points(world: World, customers: Array, amount: Array) -> None:
    from retention_pipeline.simulator.loyalty import book

    book(world, customers, amount // 10_000, "subscription")
