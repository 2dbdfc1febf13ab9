"""NPS by the quarter, CSAT and CES after a ticket, a survey after a cancellation, and public reviews."""

from __future__ import annotations

import numpy as np

from retention_pipeline.simulator import texts
from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.state import NO_DAY, Array
from retention_pipeline.simulator.world import World, where

_NPS, _CSAT, _CES, _EXIT = range(len(words.SURVEYS))
_QUARTER = 91
_NPS_ANSWERS, _CSAT_ANSWERS, _EXIT_ANSWERS = 0.28, 0.4, 0.45


def ask(world: World) -> None:
    """Today's NPS answers, exit surveys and reviews."""
    _ask_nps(world)
    _ask_leavers(world)
    _review(world)


def _ask_nps(world: World) -> None:
    state, day = world.state, world.day
    due = where((world.column("next_nps") == day) & (world.column("status") == words.PAID))
    state["next_nps"][where(world.column("next_nps") == day)] = day + _QUARTER
    answers = due[world.uniform("answers nps")[due] < _NPS_ANSWERS * (0.6 + state["engagement"][due])]
    intent = state["intent"][answers] >= 0
    level = 6.4 + 2.4 * state["satisfaction"][answers] - world.knobs.signals.nps_fall * intent
    score = np.clip(np.round(level + 1.6 * world.normal("nps")[answers]), 0, 10)
    theme = np.where(score >= 9, texts.PRAISE, np.where(intent, state["intent"][answers], texts.PLAIN))
    grumbles = (score <= 6) & ~intent
    theme = np.where(
        grumbles,
        np.array([words.CAUSE[c] for c in ("service_quality", "price", "product_dissatisfaction")])[answers % 3],
        theme,
    )
    _export(world, answers, _NPS, score, theme, np.full(len(answers), -1))


def ask_after_ticket(world: World, customers: Array, content: Array) -> None:
    """CSAT (1 to 5) and, for some, CES (1 to 7) on the day on which a ticket is solved."""
    chance = world.uniform("answers csat")[customers]
    answers = chance < _CSAT_ANSWERS
    who, mood = customers[answers], content[answers]
    score = np.clip(np.round(2.6 + 2.2 * mood + 0.7 * world.normal("csat")[who]), 1, 5)
    theme = np.where(score >= 4, texts.PRAISE, np.where(score <= 2, words.CAUSE["service_quality"], texts.PLAIN))
    _export(world, who, _CSAT, score, theme, np.full(len(who), -1))
    some = chance < _CSAT_ANSWERS / 3
    who, mood = customers[some], content[some]
    score = np.clip(np.round(3.5 + 2.5 * mood + world.normal("ces")[who]), 1, 7)
    _export(world, who, _CES, score, np.full(len(who), texts.PLAIN), np.full(len(who), -1))


def _ask_leavers(world: World) -> None:
    state, day = world.state, world.day
    asked = world.column("requested_on") == day
    gone = where(asked & (world.column("first_paid") != NO_DAY))
    answers = gone[world.uniform("answers exit")[gone] < _EXIT_ANSWERS]
    reason = state["reason"][answers]
    cause = np.where(state["cause"][answers] >= 0, state["cause"][answers], words.CAUSE["need_changed"])
    _export(world, answers, _EXIT, np.full(len(answers), -1.0), cause, reason)


def answer_exit(world: World, customers: Array) -> None:
    """Answers to an exit survey that a campaign sent to who has left."""
    state = world.state
    known = customers[state["cause"][customers] >= 0]
    answers = known[world.uniform("answers campaign")[known] < _EXIT_ANSWERS]
    _export(world, answers, _EXIT, np.full(len(answers), -1.0), state["cause"][answers], state["reason"][answers])


def _export(world: World, customers: Array, survey: int, score: Array, themes: Array, reason: Array) -> None:
    if not len(customers):
        return
    chances = world.draws.at(f"comment {survey}", world.day).random((len(customers), 3))
    comments = texts.write(themes, world.state["language"][customers], chances)
    # Two answers in five have no comment.
    comments[chances[:, 0] * 1000 % 5 < 2] = None
    world.exports.add(
        "survey_responses",
        response=world.state.take("response", len(customers)),
        customer=customers,
        survey=np.full(len(customers), survey, dtype=np.int8),
        asked=world.moment(customers, world.day, 30) // 86_400 * 86_400 + 6 * 3600,
        at=world.moment(customers, salt=31 + survey),
        score=np.asarray(score, dtype=np.float64),
        reason=np.asarray(reason, dtype=np.int8),
        comment=comments,
    )


def _review(world: World) -> None:
    state = world.state
    strong = np.abs(world.column("satisfaction") - np.float32(0.5))
    active = np.isin(world.column("status"), (words.PAID, words.ENDED))
    who = where(active & world.happens("review", 0.3 * strong))
    if not len(who):
        return
    rating = np.clip(np.round(2.6 + 2.4 * state["satisfaction"][who] + 0.6 * world.normal("review")[who]), 1, 5)
    bad = np.where(state["cause"][who] >= 0, state["cause"][who], words.CAUSE["product_dissatisfaction"])
    themes = np.where(rating >= 4, texts.PRAISE, np.where(rating <= 2, bad, texts.PLAIN))
    chances = world.draws.at("review text", world.day).random((len(who), 3))
    world.exports.add(
        "reviews",
        review=state.take("review", len(who)),
        customer=who,
        known=who % 3 > 0,
        at=world.moment(who, salt=40),
        rating=rating.astype(np.int64),
        comment=texts.write(themes, state["language"][who], chances),
    )
