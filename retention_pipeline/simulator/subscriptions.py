"""The life of a subscription: it begins, changes, pauses, ends and perhaps begins again."""

from __future__ import annotations

import numpy as np

from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.leaving import end_intention
from retention_pipeline.simulator.market import fx_value
from retention_pipeline.simulator.state import NO_DAY, Array
from retention_pipeline.simulator.world import World, where

_YEAR_MONTHS = 12
EARLY_DAYS = 90
_MIN_GAP = 4
_RETURN_FACTORS = {
    "payment_failure": 4.0, "administrative_error": 60.0, "deceased": 0.0, "moved_or_closed": 0.1, "price": 1.2,
    "need_changed": 0.7,
}  # fmt: skip


def begin_new(world: World, new: Array) -> None:
    """New customers subscribe: with a trial, at once, or from a later day on."""
    knobs, state, day = world.knobs.arrivals, world.state, world.day
    _begin(world, new)
    chance = world.uniform("begin")[new]
    trial = new[chance < knobs.trial_share]
    later = new[chance >= 1 - knobs.later_start_share]
    at_once = new[(chance >= knobs.trial_share) & (chance < 1 - knobs.later_start_share)]
    state["status"][trial] = words.TRIAL
    state["trial_ends"][trial] = day + knobs.trial_days
    state["next_bill"][trial] = day + knobs.trial_days
    state["status"][later] = words.PENDING
    delay = 7 + (world.uniform("later start")[later] * 23).astype(np.int32)
    state["started"][later] = day + delay
    state["next_bill"][later] = day + delay
    gives_up = world.uniform("gives up")[later] < knobs.cancel_before_start_share
    quitters = later[gives_up]
    state["ends_on"][quitters] = day + delay[gives_up] // 2
    state["cause"][quitters] = words.CAUSE["need_changed"]
    _pay_from_today(world, at_once)


def _begin(world: World, customers: Array) -> None:
    """A new subscription for each customer: plan, seats, billing interval, price, discount."""
    state, day, knobs = world.state, world.day, world.knobs.arrivals
    count = len(customers)
    if not count:
        return
    chance = world.uniform("plan")[customers] + 0.1 * state["size"][customers] + 0.3 * (state["need"][customers] - 0.5)
    plan = (chance > 0.6).astype(np.int8) + (chance > 1.05).astype(np.int8)  # a third and a tenth of them
    seats = 1 + np.where(plan > 0, (world.uniform("seats")[customers] ** 3 * (4 + 10 * state["size"][customers])), 0)
    yearly = world.uniform("interval")[customers] < knobs.yearly_share
    months = np.where(yearly, _YEAR_MONTHS, 1).astype(np.int16)
    level = np.full(count, int(world.market.has_new_prices(day)), dtype=np.int8)
    state["subscription"][customers] = state.take("subscription", count)
    for name, values in (("plan", plan), ("seats", seats.astype(np.int32)), ("months", months), ("price_level", level)):
        state[name][customers] = values
    state["price"][customers] = world.market.price(plan, months, level)
    state["status"][customers] = words.PAID
    state["started"][customers] = day
    state["next_bill"][customers] = day
    state["lives"][customers] += 1
    for name in (
        "trial_ends", "contract_ends", "paused_on", "resumes_on", "requested_on", "reason", "ends_on", "ended_on",
        "cause", "discount_ends",
    ):  # fmt: skip
        state[name][customers] = -1
    state["discount"][customers] = 0
    reduced = customers[(world.uniform("discount")[customers] < knobs.discount_share) & ~yearly]
    give_discount(world, reduced, 0.2)
    end_intention(world, customers)
    world.changed[customers] = True


def give_discount(world: World, customers: Array, share: float) -> None:
    """A share off for three months from today; never less than a discount that runs."""
    state = world.state
    amount = (state["price"][customers] * state["seats"][customers] * round(share * 100)) // 100
    running = np.where(state["discount_ends"][customers] > world.day, state["discount"][customers], 0)
    state["discount"][customers] = np.maximum(amount, running)
    state["discount_ends"][customers] = world.calendar.add_months(np.full(len(customers), world.day), 3)
    world.changed[customers] = True


def _pay_from_today(world: World, customers: Array) -> None:
    state, day = world.state, world.day
    state["status"][customers] = words.PAID
    first = customers[state["first_paid"][customers] == NO_DAY]
    state["first_paid"][first] = day
    yearly = customers[state["months"][customers] == _YEAR_MONTHS]
    state["contract_ends"][yearly] = world.calendar.add_months(np.full(len(yearly), day), _YEAR_MONTHS)


def go_on(world: World) -> None:
    """What is due today: starts, ends of trials and pauses, planned ends, mistakes of the back office."""
    state, day, status = world.state, world.day, world.column("status")
    pending = (status == words.PENDING) & (world.column("started") == day) & (world.column("ends_on") == NO_DAY)
    _pay_from_today(world, where(pending))
    ready = where((status == words.TRIAL) & (world.column("trial_ends") == day))
    convert = np.clip(
        world.knobs.arrivals.trial_conversion
        * (0.35 + 0.6 * state["engagement"][ready] + 0.25 * state["milestones"][ready]),
        0,
        0.97,
    )
    stays = world.uniform("trial")[ready] < convert
    _pay_from_today(world, ready[stays])
    leaves = ready[~stays]
    says = leaves[world.uniform("trial says")[leaves] < 0.4]  # others just let it run out
    state["requested_on"][says] = day
    end(world, leaves, words.TRIAL_END)

    back = where((status == words.PAUSED) & (world.column("resumes_on") == day))
    gone = world.uniform("pause ends")[back] < world.knobs.leaving.cancel_in_pause_share
    quitters, resuming = back[gone], back[~gone]
    state["requested_on"][quitters] = day
    state["reason"][quitters] = words.REASON_CODES.index("no_longer_needed")
    state["cause"][quitters] = words.CAUSE["need_changed"]
    end(world, quitters, words.CANCELLED)
    state["status"][resuming] = words.PAID
    state["paused_on"][resuming] = NO_DAY
    state["resumes_on"][resuming] = NO_DAY
    state["next_bill"][resuming] = day
    world.changed[resuming] = True

    due = where((world.column("ends_on") == day) & np.isin(status, (words.PAID, words.PAUSED)))
    silent = state["requested_on"][due] == NO_DAY
    end(world, due[silent], words.TERM_END)
    end(world, due[~silent], words.CANCELLED)
    unborn = where((world.column("ends_on") == day) & (status == words.PENDING))
    state["requested_on"][unborn] = day
    state["reason"][unborn] = words.REASON_CODES.index("no_longer_needed")
    end(world, unborn, words.BEFORE_START)
    rate = world.knobs.leaving.rates.get("administrative_error", 0.0)
    mistaken = where(world.happens("mistake", rate) & (status == words.PAID) & (world.column("started") < day))
    state["requested_on"][mistaken] = day
    state["reason"][mistaken] = words.REASON_CODES.index("administrative_error")
    state["cause"][mistaken] = words.CAUSE["administrative_error"]
    end(world, mistaken, words.CANCELLED)


def end(world: World, customers: Array, kind: int) -> None:
    """End subscriptions today, and tell the truth about it."""
    state, day = world.state, world.day
    if not len(customers):
        return
    was_paused = state["status"][customers] == words.PAUSED
    paid = state["first_paid"][customers] != NO_DAY
    lost = np.where(was_paused, _price_in_pause(world, customers), state["value"][customers])
    known = ~state["is_test"][customers]
    early = paid & (day - state["first_paid"][customers] <= EARLY_DAYS)
    columns = {
        "customer": customers, "subscription": state["subscription"][customers],
        "happened_on": np.full(len(customers), day), "known_on": np.full(len(customers), day),
        "end_kind": np.full(len(customers), kind, dtype=np.int8), "cause": state["cause"][customers].copy(),
        "is_early": early, "mrr_lost": lost, "was_paused": was_paused, "life": state["lives"][customers].copy(),
    }  # fmt: skip
    world.tell("endings", **{name: values[known] for name, values in columns.items()})
    state["status"][customers] = words.ENDED
    state["ended_on"][customers] = day
    state["ends_on"][customers] = NO_DAY
    end_intention(world, customers)
    world.changed[customers] = True
    if kind in (words.CANCELLED, words.TERM_END):
        world.new_endings.append(customers)


def _price_in_pause(world: World, customers: Array) -> Array:
    """What a month would cost without the pause, at yesterday's rate, as all losses are valued."""
    state, yesterday = world.state, max(world.day - 1, 0)
    rate, months = world.rates[yesterday][state["currency"][customers]], state["months"][customers]
    discount = np.where(state["discount_ends"][customers] > yesterday, state["discount"][customers], 0)
    gross = state["price"][customers] * state["seats"][customers]
    return fx_value(gross, rate, months) - fx_value(discount, rate, months)


def renew_and_change(world: World) -> None:
    """Contracts of a year that go on, new prices, upgrades, added and given up seats."""
    state, day, knobs = world.state, world.day, world.knobs.leaving
    paid = world.column("status") == words.PAID
    renews = where(paid & (world.column("contract_ends") == day))
    state["contract_ends"][renews] = world.calendar.add_months(np.full(len(renews), day), _YEAR_MONTHS)
    world.changed[renews] = True
    if world.market.has_new_prices(day):
        dearer = where(paid & (world.column("next_bill") == day) & (world.column("price_level") == 0))
        state["price_level"][dearer] = 1
        state["price"][dearer] = world.market.price(
            state["plan"][dearer], state["months"][dearer], state["price_level"][dearer]
        )
        state["price_shock"][dearer] = state["price_sensitivity"][dearer]
        world.changed[dearer] = True
    settled = paid & (world.column("ends_on") == NO_DAY) & (world.column("started") < day)
    calm = settled & (world.column("intent") < 0)
    grows = where(calm & world.happens("expansion", knobs.expansion_rate * 2 * world.column("engagement")))
    bigger = (world.uniform("bigger plan")[grows] < 0.4) & (state["plan"][grows] < len(words.PLANS) - 1)
    state["plan"][grows] += bigger.astype(np.int8)
    more = 1 + (world.uniform("more seats")[grows] * 3).astype(np.int32)
    state["seats"][grows] += np.where(bigger, 0, more).astype(np.int32)
    shrinks = where(calm & (world.column("seats") > 1) & world.happens("contraction", knobs.contraction_rate))
    state["seats"][shrinks] -= 1
    for who in (grows, shrinks):
        state["price"][who] = world.market.price(state["plan"][who], state["months"][who], state["price_level"][who])
        world.changed[who] = True


def come_back(world: World) -> None:
    """Some of those who left return by themselves, most of them soon."""
    state, day = world.state, world.day
    lost = where(
        (world.column("status") == words.ENDED) & (day - world.column("ended_on") >= _MIN_GAP)
        & ~world.column("no_return") & ~world.column("erased") & (world.column("first_paid") != NO_DAY)
    )  # fmt: skip
    factors = np.ones(len(words.CAUSES) + 1)
    for cause, factor in _RETURN_FACTORS.items():
        factors[words.CAUSE[cause]] = factor
    since = day - state["ended_on"][lost]
    rate = (
        world.knobs.leaving.return_rate
        * factors[state["cause"][lost]]
        * np.exp2(-since / 365.0)
        * 2
        * state["need"][lost]
    )
    begin_again(world, lost[world.uniform("return")[lost] < -np.expm1(-rate / 365.25)])


def begin_again(world: World, customers: Array) -> None:
    """Former customers subscribe anew, with a card that works."""
    state = world.state
    if world.knobs.kind == "shop":
        state["status"][customers] = words.PAID
        state["lives"][customers] += 1
        state["cause"][customers] = -1
        return
    _begin(world, customers)
    _pay_from_today(world, customers)
    state["card_expires"][customers] = np.maximum(state["card_expires"][customers], world.day + 400)


def export_versions(world: World) -> None:
    """One new version of each subscription that changed today."""
    state = world.state
    who = where(world.changed)
    if not len(who):
        return
    columns = {
        name: state[name][who]
        for name in ("subscription", "plan", "price", "currency", "seats", "months", "reason", "discount")
    }
    yearly = state["months"][who] == _YEAR_MONTHS
    times = {
        "started": state["started"][who],
        "trial_ends": state["trial_ends"][who],
        "next_bill": np.where(yearly, state["contract_ends"][who], NO_DAY),
        "paused": state["paused_on"][who],
        "resumes": state["resumes_on"][who],
        "requested": state["requested_on"][who],
        "ended": state["ended_on"][who],
        "contract_ends": state["contract_ends"][who],
        "discount_ends": state["discount_ends"][who],
    }
    moments = {name: world.moment(who, days) for name, days in times.items()}
    world.exports.add("subscriptions", customer=who, at=world.moment(who), **columns, **moments)
