"""Tickets: more of them, and unhappier ones, where a customer is dissatisfied; each is exported again when solved."""

from __future__ import annotations

import numpy as np

from retention_pipeline.simulator import texts
from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.state import NO_DAY, Array
from retention_pipeline.simulator.surveys import ask_after_ticket
from retention_pipeline.simulator.world import World, where

_QUESTION, _INCIDENT, _COMPLAINT, _BILLING = range(len(words.TICKET_KINDS))
_TICKETS_A_YEAR = 0.9
_QUALITY_CAUSES = tuple(
    words.CAUSE[name] for name in ("product_dissatisfaction", "service_quality", "technical_incident")
)
_SOLVED_PER_DAY = 0.45
_HOUR = 3600


def support(world: World) -> None:
    """Solve open tickets and open new ones."""
    _solve(world)
    _open(world)


def _open(world: World) -> None:
    state, day, market = world.state, world.day, world.market
    active = np.isin(world.column("status"), (words.TRIAL, words.PAID))
    by_quality = np.isin(world.column("intent"), _QUALITY_CAUSES)
    unhappy = np.exp(np.float32(0.8) * (np.float32(0.6) - world.column("satisfaction")))
    rate = _TICKETS_A_YEAR * unhappy * np.where(by_quality, world.knobs.signals.ticket_factor, 1.0)
    if market.is_outage(day):
        rate = rate + 25 * world.column("engagement")
    if market.is_bad_release(day):
        rate = rate + 1.2 * world.column("engagement")
    owing = world.column("dunning_since") == day - 1
    rate = rate + np.where(owing & (world.column("dunning_invoice") >= 0), 40.0, 0.0)
    who = where(active & (world.column("open_ticket") < 0) & world.happens("ticket", rate))
    if not len(who):
        return
    chance = world.uniform("ticket kind")[who]
    complains = by_quality[who] | (chance < 0.15 * unhappy[who])
    incident = (chance < 0.2) | market.is_outage(day) | (market.is_bad_release(day) & (chance < 0.6))
    kind = np.where(owing[who], _BILLING, np.where(incident, _INCIDENT, np.where(complains, _COMPLAINT, _QUESTION)))
    tickets = world.state.take("ticket", len(who))
    state["open_ticket"][who] = tickets
    state["open_ticket_on"][who] = day
    state["open_ticket_kind"][who] = kind
    state["open_ticket_cause"][who] = np.where(by_quality[who], state["intent"][who], words.CAUSE["technical_incident"])
    link_support(world, who[~state["has_support_id"][who]])
    _export(world, who, np.full(len(who), NO_DAY), np.zeros(len(who)), np.full(len(who), -1))


def _solve(world: World) -> None:
    state, day = world.state, world.day
    open_now = where((world.column("open_ticket") >= 0) & (world.column("open_ticket_on") < day))
    slow = 0.6 if world.market.is_bad_release(day) else 1.0
    solved = open_now[world.uniform("solve")[open_now] < _SOLVED_PER_DAY * slow]
    if not len(solved):
        return
    waited = day - state["open_ticket_on"][solved]
    content = state["satisfaction"][solved] + 0.3 - 0.12 * waited - 0.5 * (state["intent"][solved] >= 0)
    chance = world.uniform("ticket rating")[solved]
    rated = np.where(chance < 0.45, np.where(chance * 2 < content, 1, 0), -1)  # fewer than half rate
    reopened = (world.uniform("reopened")[solved] < 0.06 + 0.1 * (content < 0.2)).astype(np.int64)
    state["satisfaction"][solved] += np.where(content > 0.4, 0.08, -0.12).astype(np.float32)
    _export(world, solved, np.full(len(solved), day), reopened, rated)
    ask_after_ticket(world, solved, content)
    state["open_ticket"][solved] = -1


def link_support(world: World, customers: Array) -> None:
    """The first ticket makes a support id; for most a link says whose it is."""
    state = world.state
    state["has_support_id"][customers] = True
    if world.knobs.arrivals.other_ids:
        linked = customers[state["is_linked"][customers]]
        world.exports.add(
            "identities", customer=linked, source=np.ones(len(linked), dtype=np.int8), at=world.moment(linked)
        )


def _export(world: World, customers: Array, solved: Array, reopened: Array, rating: Array) -> None:
    state = world.state
    kind, language = state["open_ticket_kind"][customers], state["language"][customers]
    theme = np.where(kind == _QUESTION, texts.QUESTION, state["open_ticket_cause"][customers])
    theme = np.where(kind == _BILLING, words.CAUSE["payment_failure"], theme)
    tickets = state["open_ticket"][customers]
    # The text belongs to the ticket: the same when it is exported again.
    chances = np.stack([((tickets * factor) % 997) / 997 for factor in (7919, 104_729, 1_299_709)], axis=1)
    opened = world.moment(customers, state["open_ticket_on"][customers], 5)
    answered = opened + _HOUR + (tickets * 7919) % (10 * _HOUR)
    closing = world.moment(customers, solved, 5)
    world.exports.add(
        "tickets",
        ticket=tickets,
        customer=customers,
        other_id=np.full(len(customers), world.knobs.arrivals.other_ids),
        at=opened,
        answered=np.where(closing >= 0, np.minimum(answered, closing), -1),
        solved=closing,
        reopened=reopened.astype(np.int64),
        kind=kind,
        priority=np.where(kind == _QUESTION, 0, np.where(kind == _COMPLAINT, 2, 1)).astype(np.int8),
        satisfaction=rating.astype(np.int8),
        subject=texts.subjects(kind, language),
        body=texts.write(theme, language, chances),
    )
