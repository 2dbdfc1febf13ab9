"""How the numbers and times of one family are written: one answer for all its columns, since a mapping has only one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from retention_pipeline.feeds.contracts import Column
from retention_pipeline.initialise.times import EPOCHS, ISO, is_day_first, possible_formats, swapped
from retention_pipeline.initialise.values import MARKS, Profile, Reader, rules_of

Mapped = Sequence[tuple[Column, Profile]]

GOOD_SHARE = 0.95
"""So much of a column must be readable before it is mapped: the rest is what a run puts into quarantine."""


@dataclass(frozen=True)
class NumberStyle:
    """Marks of numbers.

    Attributes:
        decimal, thousands: As in a mapping.
        refused: Columns that are no numbers in it.
    """

    decimal: str = "."
    thousands: str = ""
    refused: frozenset[str] = frozenset()


@dataclass(frozen=True)
class TimeStyle:
    """Formats of times.

    Attributes:
        formats: As in a mapping; empty for ISO 8601.
        is_ambiguous: Whether the month could stand before the day as well.
        refused: Columns that are no times in them.
        by_column: Column → what was found in it.
    """

    formats: tuple[str, ...] = ()
    is_ambiguous: bool = False
    refused: frozenset[str] = frozenset()
    by_column: Mapping[str, str] = field(default_factory=dict)


def number_style(columns: Mapped, reader: Reader, *, prefers_comma: bool) -> NumberStyle:
    """The marks with which most columns can be read."""
    if not columns:
        return NumberStyle()
    marks = sorted(MARKS, key=lambda pair: pair != (",", "")) if prefers_comma else list(MARKS)
    best, best_score = NumberStyle(), -float("inf")
    for decimal, thousands in marks:
        rules = rules_of(decimal, thousands)
        shares = {profile.name: reader.readable(profile, column, rules) for column, profile in columns}
        refused = frozenset(name for name, share in shares.items() if share < GOOD_SHARE)
        score = sum(shares.values()) - len(refused)
        if score > best_score + 1e-9:
            best, best_score = NumberStyle(decimal, thousands, refused), score
    return best


def time_style(columns: Mapped, reader: Reader, *, prefers_day_first: bool) -> TimeStyle:
    """The formats in which the columns are written; the first columns count more where they differ in kind."""
    found: dict[str, tuple[str, ...]] = {}
    refused: set[str] = set()
    orders: list[set[bool]] = []
    for column, profile in columns:
        formats = _formats(column, profile, reader)
        if formats is None:
            refused.add(profile.name)
            continue
        found[profile.name] = formats
        if any(swapped(text) for text in formats):
            orders.append(_orders(column, profile, formats, reader))
    possible = {True, False}
    for order in orders:
        possible = possible & order or possible
    day_first = prefers_day_first if len(possible) == 2 else next(iter(possible))
    kept = {name: tuple(_in_order(text, day_first) for text in formats) for name, formats in found.items()}
    formats, alone = _together(kept)
    refused |= alone
    by_column = {name: ", ".join(kept[name]) for name in kept if name not in refused}
    return TimeStyle(formats, bool(orders) and len(possible) == 2, frozenset(refused), by_column)


def _formats(column: Column, profile: Profile, reader: Reader) -> tuple[str, ...] | None:
    """The formats of one column, day first where both ways fit; None where it holds no times."""
    candidates = possible_formats(profile.values)
    shares = {text: reader.readable(profile, column, rules_of(formats=_as_rules(text))) for text in candidates}
    if not shares:
        return None
    best = max(shares, key=lambda text: shares[text])
    if shares[best] >= GOOD_SHARE and (shares[best] == 1.0 or best in EPOCHS or best == ISO):
        return (best,)
    several = [text for text in candidates if text not in EPOCHS and text != ISO and shares[text] > 0]
    for day_first in (True, False):
        same = tuple(text for text in several if swapped(text) is None or is_day_first(text) is day_first)
        if same and reader.readable(profile, column, rules_of(formats=same)) >= GOOD_SHARE:
            return same
    return (best,) if shares[best] >= GOOD_SHARE else None


def _orders(column: Column, profile: Profile, formats: tuple[str, ...], reader: Reader) -> set[bool]:
    """Which orders of day and month the column allows: True for day first. All must fit, or one more than the other."""
    shares = {}
    for day_first in (True, False):
        rules = rules_of(formats=tuple(_in_order(text, day_first) for text in formats))
        shares[day_first] = reader.readable(profile, column, rules)
    best = max(shares.values())
    return {day_first for day_first, share in shares.items() if share == best}


def _in_order(text: str, day_first: bool) -> str:
    other = swapped(text)
    return text if other is None or is_day_first(text) is day_first else other


def _as_rules(text: str) -> tuple[str, ...]:
    return () if text == ISO else (text,)


def _together(found: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, ...], set[str]]:
    """One list of formats for all columns, and the columns that do not go with the first of them."""
    formats: dict[str, None] = {}
    alone: set[str] = set()
    kind: str | None = None
    for name, own in found.items():
        own_kind = own[0] if own[0] in (*EPOCHS, ISO) else "zoned" if any("%z" in text for text in own) else "format"
        if kind is None:
            kind = own_kind
        if own_kind != kind:
            alone.add(name)
            continue
        formats.update(dict.fromkeys(own))
    return tuple(text for text in formats if text != ISO), alone
