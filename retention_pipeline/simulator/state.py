"""The state of every customer as arrays, and how it is kept on disk: plain arrays and JSON, never code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from retention_pipeline.errors import RetentionError

Array = NDArray[Any]

NO_DAY = -1
"""In columns of days (counted from the first day): there is none."""

COLUMNS: dict[str, tuple[type, float]] = {
    # Hidden traits: never exported.
    "need": (np.float32, 0),
    "price_sensitivity": (np.float32, 0),
    "engagement": (np.float32, 0),
    "satisfaction_base": (np.float32, 0),
    "card_quality": (np.float32, 0),
    "basket": (np.float32, 0),
    "kind": (np.int8, 0),
    # Who they are.
    "signup": (np.int32, NO_DAY),
    "country": (np.int8, 0),
    "currency": (np.int8, 0),
    "language": (np.int8, 0),
    "acquisition": (np.int8, 0),
    "size": (np.int8, 0),
    "industry": (np.int8, 0),
    "gender": (np.int8, 0),
    "birth_year": (np.int16, 0),
    "channel": (np.int8, 0),
    "referrer": (np.int32, -1),
    "is_test": (np.bool_, 0),
    "is_linked": (np.bool_, 1),
    "has_support_id": (np.bool_, 0),
    # Moods.
    "satisfaction": (np.float32, 0),
    "price_shock": (np.float32, 0),
    "milestones": (np.int8, 0),
    "last_use": (np.int32, NO_DAY),
    "away_until": (np.int32, NO_DAY),
    # The intention to leave.
    "intent": (np.int8, -1),
    "intent_on": (np.int32, NO_DAY),
    "decides_on": (np.int32, NO_DAY),
    "will_fade": (np.bool_, 0),
    "cause": (np.int8, -1),
    "shield": (np.float32, 0),
    "shield_until": (np.int32, NO_DAY),
    # The subscription.
    "status": (np.int8, 0),
    "subscription": (np.int64, -1),
    "plan": (np.int8, 0),
    "seats": (np.int32, 1),
    "months": (np.int16, 1),
    "price": (np.int64, 0),
    "discount": (np.int64, 0),
    "discount_ends": (np.int32, NO_DAY),
    "started": (np.int32, NO_DAY),
    "trial_ends": (np.int32, NO_DAY),
    "next_bill": (np.int32, NO_DAY),
    "contract_ends": (np.int32, NO_DAY),
    "paused_on": (np.int32, NO_DAY),
    "resumes_on": (np.int32, NO_DAY),
    "requested_on": (np.int32, NO_DAY),
    "reason": (np.int8, -1),
    "ends_on": (np.int32, NO_DAY),
    "ended_on": (np.int32, NO_DAY),
    "first_paid": (np.int32, NO_DAY),
    "lives": (np.int16, 0),
    "price_level": (np.int8, 0),
    "no_return": (np.bool_, 0),
    # Money: the values of the books at the end of the last day, in ten-thousandths.
    "local_list": (np.int64, 0),
    "local_discount": (np.int64, 0),
    "local_months": (np.int16, 1),
    "book_status": (np.int8, 0),
    "value": (np.int64, 0),
    # Cards and dunning.
    "card_expires": (np.int32, NO_DAY),
    "dunning_invoice": (np.int64, -1),
    "dunning_since": (np.int32, NO_DAY),
    "dunning_amount": (np.int64, 0),
    "dunning_try": (np.int8, 0),
    "dunning_code": (np.int8, -1),
    "card_mended": (np.bool_, 0),
    # Contacts.
    "email_ok": (np.bool_, 0),
    "email_bad": (np.bool_, 0),
    "points": (np.int64, 0),
    "points_due": (np.int64, 0),
    "next_nps": (np.int32, NO_DAY),
    "open_ticket": (np.int64, -1),
    "open_ticket_on": (np.int32, NO_DAY),
    "open_ticket_kind": (np.int8, 0),
    "open_ticket_cause": (np.int8, 0),
    "orders": (np.int32, 0),
    "last_order": (np.int32, NO_DAY),
    "last_activity": (np.int32, NO_DAY),
    "first_activity": (np.int32, NO_DAY),
    "erased": (np.bool_, 0),
    # Money earned so far, in ten-thousandths of business currency.
    "earned": (np.int64, 0),
}
"""Column → its type and the value of a customer who has not come yet."""


class State:
    """One row for each customer, in the order in which they come; those who have not come yet are there already."""

    def __init__(self, columns: dict[str, Array], numbers: dict[str, int]) -> None:
        self.columns = columns
        self.numbers = numbers

    @classmethod
    def empty(cls, size: int) -> State:
        """A state of `size` customers to come."""
        columns: dict[str, Array] = {
            name: np.full(size, default, dtype=kind) for name, (kind, default) in COLUMNS.items()
        }
        return cls(columns, {"day": 0, "come": 0})

    @property
    def size(self) -> int:
        """Rows."""
        return len(self.columns["signup"])

    def __getitem__(self, name: str) -> Array:
        return self.columns[name]

    def grow(self, size: int) -> None:
        """Make room for `size` customers."""
        more = State.empty(size - self.size).columns
        self.columns = {name: np.concatenate([self.columns[name], more[name]]) for name in COLUMNS}

    def take(self, counter: str, count: int) -> Array:
        """The next `count` running numbers of `counter`."""
        first = self.numbers.get(counter, 1)
        self.numbers[counter] = first + count
        return np.arange(first, first + count, dtype=np.int64)

    def copy(self) -> State:
        """Another state that may go its own way."""
        return State({name: values.copy() for name, values in self.columns.items()}, dict(self.numbers))


def save_arrays(path: Path, arrays: Mapping[str, Array], facts: Mapping[str, object]) -> None:
    """Write arrays of numbers and a JSON of facts beside them, each whole or not at all."""

    def write_arrays(handle: BinaryIO) -> None:
        np.savez_compressed(handle, **dict(arrays))  # type: ignore[arg-type]

    def write_facts(handle: BinaryIO) -> None:
        handle.write(json.dumps(facts, indent=1, sort_keys=True).encode())

    for target, write in ((path.with_suffix(".npz"), write_arrays), (path.with_suffix(".json"), write_facts)):
        part = target.with_name(target.name + ".part")
        with part.open("wb") as handle:
            write(handle)
        part.replace(target)


def load_arrays(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """What `save_arrays` wrote; only numbers are read, no objects.

    Raises:
        RetentionError: The files are missing or damaged.
    """
    try:
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}, facts
    except (OSError, ValueError, KeyError) as error:
        raise RetentionError(
            f"the saved state cannot be read: {type(error).__name__}",
            where=path.name,
            expected="the state that `retention simulate` left beside the truth",
            way_out="simulate anew, or name the folder of the truth with --truth",
        ) from error
