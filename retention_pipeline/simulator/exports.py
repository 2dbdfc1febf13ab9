"""The export files: rows are gathered as arrays and written by DuckDB, feed by feed, when a delivery is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from retention_pipeline.quoting import identifier, literal
from retention_pipeline.simulator.calendar import Calendar
from retention_pipeline.simulator.draws import Draws
from retention_pipeline.simulator.feeds import FEEDS, ExportFeed
from retention_pipeline.simulator.knobs import Knobs
from retention_pipeline.simulator.state import Array

Rows = dict[str, Array]

_FORMATS = {
    "csv": "FORMAT csv, HEADER, COMPRESSION zstd",
    "semicolon": "FORMAT csv, HEADER, DELIMITER ';', COMPRESSION zstd",
    "parquet": "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880",
    "jsonl": "FORMAT json, COMPRESSION zstd",
}
_ENDINGS = {"csv": ".csv.zst", "semicolon": ".csv.zst", "parquet": ".parquet", "jsonl": ".jsonl.zst"}


@dataclass
class Exports:
    """The exports of a business that are being written.

    Args:
        folder: Where the files go; None for a world that exports nothing.
        calendar: Names the delivery days.
        knobs: Cadences, and how much comes late.
        draws: Which rows come late.
        listener: Told of every row at once, as it happened: before any comes late or again or is written in a format.
    """

    folder: Path | None
    calendar: Calendar
    knobs: Knobs
    draws: Draws
    listener: Callable[[str, Rows], None] | None = None

    def __post_init__(self) -> None:
        self._waiting: dict[str, list[Rows]] = {}
        self._held: dict[str, Rows] = {}
        self._con: duckdb.DuckDBPyConnection | None = None

    @property
    def held(self) -> dict[str, Rows]:
        """Rows that come late or again, with the next file of their feed."""
        return self._held

    def restore(self, held: Mapping[str, Rows]) -> None:
        """Go on with the rows that an earlier part of the simulation held back."""
        self._held = dict(held)

    def add(self, feed: str, **columns: Array) -> None:
        """Rows of a feed: arrays of one length, named as its SQL names them."""
        if self.folder is not None and len(next(iter(columns.values()))):
            self._waiting.setdefault(feed, []).append(columns)
            if self.listener is not None:
                self.listener(feed, columns)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the connection that writes; one thread, so that the same rows give the same bytes."""
        with duckdb.connect(config={"threads": 1}) as con:
            self._con = con
            try:
                yield
            finally:
                self._con = None

    def deliver(self, day: int, *, is_last: bool) -> None:
        """Write the files that are due at the end of a day; on the last day of a simulation, all."""
        if self.folder is None:
            return
        for name, feed in FEEDS.items():
            cadence = self.knobs.exports.cadence.get(name, feed.cadence)
            if is_last or self.calendar.is_delivery(day, cadence):
                self._write(name, feed, day)

    def _write(self, name: str, feed: ExportFeed, day: int) -> None:
        parts = self._waiting.pop(name, [])
        held = self._held.pop(name, None)
        if not parts and held is None:
            return
        rows = _joined(parts) if parts else None
        if rows is not None and feed.comes_late:
            rows, later = self._hold_back(name, rows, day)
            if later is not None:
                self._held[name] = later
        every = [part for part in (held, rows) if part is not None and len(next(iter(part.values())))]
        if every and self._con is not None and self.folder is not None:
            path = self.folder / f"{feed.stem}_{self.calendar.date_of(day).isoformat()}{_ENDINGS[feed.format]}"
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = _newest(_joined(every), feed.key)
            columns = ", ".join(f"{sql} AS {identifier(column)}" for column, sql in feed.columns)
            self._con.register("export_rows", {name: _readable(values) for name, values in rows.items()})
            # A reader leaves `.part` alone: no half-written file is ever taken.
            part = path.with_name(path.name + ".part")
            query = f"SELECT {columns} FROM export_rows"
            self._con.execute(f"COPY ({query}) TO {literal(str(part))} ({_FORMATS[feed.format]})")
            part.replace(path)
            self._con.unregister("export_rows")

    def _hold_back(self, name: str, rows: Rows, day: int) -> tuple[Rows, Rows | None]:
        """Split off what comes late; what comes again is in both parts."""
        knobs = self.knobs.exports
        chance = self.draws.at(f"late {name}", day).random(len(next(iter(rows.values()))), dtype=np.float32)
        late = chance < knobs.late_share
        again = (chance >= knobs.late_share) & (chance < knobs.late_share + knobs.duplicate_share)
        if not (late | again).any():
            return rows, None
        return {k: v[~late] for k, v in rows.items()}, {k: v[late | again] for k, v in rows.items()}


def _joined(parts: list[Rows]) -> Rows:
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _newest(rows: Rows, key: str) -> Rows:
    """The last row of each record."""
    if not key:
        return rows
    numbers = rows[key]
    _, from_end = np.unique(numbers[::-1], return_index=True)
    kept = np.sort(len(numbers) - 1 - from_end)
    return {name: values[kept] for name, values in rows.items()}


def _readable(values: Array) -> Array:
    """Texts as DuckDB takes them: objects; texts of a fixed width are only kept so that they can be saved."""
    return values.astype(object) if values.dtype.kind == "U" else np.ascontiguousarray(values)
