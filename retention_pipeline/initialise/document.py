"""Writes the commented `retention.yaml`. Names from exports go in as quoted YAML, or as one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.initialise.facts import Facts
from retention_pipeline.initialise.plays import starter_plays
from retention_pipeline.initialise.recognition import Unknown
from retention_pipeline.initialise.scanning import Unreadable
from retention_pipeline.initialise.trial import Outcome

_WIDTH = 118
_MOST_COLUMNS = 30

_TOP = """\
# Written by `retention init` from the exports in this folder. What it found is live; what it could not use is a comment
# with the reason. Look at these before the first run:
#   1. timezone, currency, title     what no export says for certain
#   2. lines marked "guess"          columns that no preset knew
#   3. consent_basis                 without it campaign lists stay empty
# `retention check --business <this folder>` says what is wrong; docs/configuration.md describes every key,
# docs/presets.md the exports that are known by name.
"""

_CONSENT = """\
# There is no consents feed. On what ground may customers be written to? Until a basis stands here (or a consents feed
# above) campaign lists stay empty. Take off the marks of the lines that are true for you:
# consent_basis:
#   email:
#     basis: legitimate_interest   # or consent, contract, legal_obligation
#     note: "Soft opt-in: own similar products to existing customers, with an easy way out in every message."
"""

_KINDS = {
    "transactional": "customers are active by what they order or do, not by a contract",
    "subscription": "customers are active while a subscription runs",
    "hybrid": "customers are active while a subscription runs, or by what they order",
}


def render(
    facts: Facts, outcomes: Sequence[Outcome], unknown: Sequence[Unknown], unreadable: Sequence[Unreadable]
) -> str:
    """The text of `retention.yaml`."""
    parts = [_TOP, _business(facts), _feeds(outcomes, unknown, unreadable)]
    if facts.primary:
        parts.append(
            "# The system whose ids stand as they are; those of the others are joined to them where an export links\n"
            "# them or where the e-mail address is the same.\n"
            f"identity:\n  primary: {scalar(facts.primary)}\n"
        )
    parts.append(_settings(facts))
    if "consents" not in facts.feeds:
        parts.append(_CONSENT)
    parts.append(starter_plays(facts))
    return "\n".join(parts)


def scalar(value: object) -> str:
    """A value as YAML on one line; texts are quoted where they need it."""
    text = yaml.safe_dump(value, default_flow_style=True, width=1_000_000, allow_unicode=True, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...").strip()


def comment(text: str) -> str:
    """A text that may stand in a comment: one line, nothing that ends it."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= 400 else f"{line[:400]} ..."


def _business(facts: Facts) -> str:
    first = facts.first_day.isoformat() if facts.first_day else "2024-01-01"
    note = "the first day of activity in the exports" if facts.first_day else "SET THIS: no activity was loaded"
    lines = [
        (f"business: {scalar(facts.business)}", "short name; the state folder is called so"),
        (f"title: {scalar(facts.title)}", "as people read it"),
        (f"kind: {facts.kind}", _KINDS[facts.kind]),
        ("timezone: UTC", "SET THIS: where a business day begins and ends, such as Europe/Paris"),
        (f"currency: {facts.currency}", facts.currency_note),
        (f"language: {facts.language}", "of messages where a customer's own is not known"),
        (f"salt: {scalar(facts.salt)}", "random: keep it secret, and never change it"),
        (f"first_day: {first}", note),
    ]
    return "".join(f"{_beside(text, note)}\n" for text, note in lines)


def _beside(text: str, note: str, indent: str = "") -> str:
    return f"{indent}{text:<{max(32 - len(indent), 0)}} # {comment(note)}" if note else f"{indent}{text}"


def _feeds(outcomes: Sequence[Outcome], unknown: Sequence[Unknown], unreadable: Sequence[Unreadable]) -> str:
    lines = ["feeds:"]
    live = {outcome.proposal.feed for outcome in outcomes if not outcome.proposal.obstacle}
    if not live:
        lines[0] = "feeds: {}   # nothing could be used: see the comments"
    for feed in CONTRACTS:
        of_feed = [outcome for outcome in outcomes if outcome.proposal.feed == feed]
        if not of_feed:
            continue
        lines.append(f"  {feed}:" if feed in live else f"  # {feed}:")
        for outcome in sorted(of_feed, key=lambda outcome: bool(outcome.proposal.obstacle)):
            lines += _mapping(outcome)
        lines.append("")
    lines += _not_used(unknown, unreadable)
    return "\n".join(lines).rstrip() + "\n"


def _mapping(outcome: Outcome) -> Iterator[str]:
    proposal = outcome.proposal
    yield from _wrapped(proposal.title, "    # ")
    if proposal.obstacle:
        yield from _wrapped(f"NOT USED: {_one_line(proposal.obstacle)}", "    # ")
    else:
        yield from _wrapped(_trial_text(outcome), "    # ")
    for remark in proposal.remarks:
        yield from _wrapped(remark, "    # ")
    mark = "    # " if proposal.obstacle else "    "
    for mapping in proposal.mappings:
        for line in _mapping_lines(mapping, proposal.notes):
            yield f"{mark}{line}"


def _trial_text(outcome: Outcome) -> str:
    text = f"{outcome.rows_loaded:,} rows loaded in a trial"
    if outcome.rows_skipped:
        text += f", {outcome.rows_skipped:,} skipped as no rows of the feed"
    if outcome.rows_bad:
        rules = ", ".join(f"{rule} ({count:,})" for rule, count in outcome.rules[:4])
        text += f", {outcome.rows_bad:,} put aside: {rules}"
    return text


def _one_line(message: str) -> str:
    lines = [part.strip() for part in message.splitlines() if part.strip() and not part.strip().startswith("way out:")]
    if "nothing was loaded" in lines[0]:
        lines = lines[:1]
    return "; ".join(" ".join(line.split()) for line in lines)


def _mapping_lines(mapping: Mapping[str, Any], notes: Mapping[str, str]) -> Iterator[str]:
    start = "- "
    for key, value in mapping.items():
        if isinstance(value, dict):
            yield f"{start}{key}:"
            for name, inner in value.items():
                yield from _noted(f"{scalar(name)}: {scalar(inner)}", notes.get(name, ""), "    ")
        else:
            yield from _noted(f"{key}: {scalar(value)}", notes.get(key, ""), start)
        start = "  "


def _noted(text: str, note: str, indent: str) -> Iterator[str]:
    """A line with its note beside it, or above it where both are long."""
    if note and len(text) + len(note) > _WIDTH - 20 and not indent.strip():
        yield f"{indent}# {comment(note)}"
        note = ""
    yield _beside(text, note, indent)


def _not_used(unknown: Sequence[Unknown], unreadable: Sequence[Unreadable]) -> Iterator[str]:
    if unknown:
        yield "  # Not recognised. What is of use can be mapped by hand: docs/bring-your-own-exports.md."
    for table in unknown:
        names = table.family.look.header
        shown = ", ".join(names[:_MOST_COLUMNS]) + (
            f" and {len(names) - _MOST_COLUMNS} more" if len(names) > _MOST_COLUMNS else ""
        )
        yield from _wrapped(f"{table.family.title}: {shown}", "  #   ")
        yield from _wrapped(table.reason, "  #     ")
    if unreadable:
        yield "  # Cannot be read:"
    for file in unreadable:
        yield from _wrapped(f"{file.where}: {file.reason}", "  #   ")


def _settings(facts: Facts) -> str:
    lines = []
    if facts.kind != "subscription":
        days = facts.inactivity_days
        note = "nine of ten orders follow the one before within so many days" if days else "a guess"
        lines.append(_beside(f"inactivity_days: {days or 90}", f"a customer silent for so long is lost; {note}", "  "))
    if facts.horizon_days:
        lines.append(_beside(f"horizon_days: {facts.horizon_days}", "the model looks so many days ahead", "  "))
    if facts.history_days:
        lines.append(
            _beside(f"history_days: {facts.history_days}", "days before the model may look for the first time", "  ")
        )
    text = "churn:\n" + "\n".join(lines) + "\n" if lines else ""
    value = [_beside("gross_margin: 0.5", "SET THIS: the share of revenue left after the cost of goods", "  ")]
    if not facts.has_money:
        value = [
            _beside(
                "fixed_value: 100", "SET THIS: what a customer who stays is worth; the exports hold no prices", "  "
            )
        ]
    return text + "value:\n" + "\n".join(value) + "\n"


def _wrapped(text: str, mark: str) -> Iterable[str]:
    """A comment over as many lines as it needs."""
    line = mark
    for word in comment(text).split(" "):
        if len(line) + len(word) + 1 > _WIDTH and line != mark:
            yield line.rstrip()
            line = mark
        line += f"{word} "
    yield line.rstrip()
