"""The ledger: which file was taken when, as which batch, and what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from duckdb import DuckDBPyConnection

from retention_pipeline.workspace.schema import FileMapping, Retention

LOADED, REFUSED, BLOCKED, SAME_CONTENT = "loaded", "refused", "blocked", "same_content"
PROBLEMS = (REFUSED, BLOCKED)


@dataclass(frozen=True)
class Entry:
    """A line of `raw.ledger`."""

    batch_id: int
    feed: str
    path: str
    content_hash: str
    size_bytes: int
    status: str
    files: str
    mapping_hash: str
    delivered_on: date | None = None
    first_day: date | None = None
    last_day: date | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_skipped: int = 0
    message: str | None = None
    new_columns: Sequence[str] = field(default=())
    columns: Sequence[str] = field(default=())
    superseded_by: int | None = None

    @property
    def identity(self) -> tuple[str, str]:
        """What makes two batches the same rows: the content and how it is mapped."""
        return (self.content_hash, self.mapping_hash)


_COLUMNS = (
    "batch_id", "feed", "path", "content_hash", "size_bytes", "status", "files", "mapping_hash", "delivered_on",
    "first_day", "last_day", "rows_read", "rows_loaded", "rows_quarantined", "rows_skipped", "message", "new_columns",
    "columns", "superseded_by",
)  # fmt: skip


def mapping_hash(mapping: FileMapping, config: Retention) -> str:
    """A hash over everything in the configuration that changes the rows of a file.

    The limit of bad rows is not part of it: it decides whether a file is taken, not what its rows are.
    """
    # What stands as by default says nothing, so that a key that comes with a new version changes no hash.
    text = mapping.model_dump_json(exclude={"files", "max_bad_share", "preset"}, exclude_defaults=True)
    primary = f"\n{config.identity.primary}" if mapping.source else ""
    return hashlib.sha256(f"{text}\n{config.timezone}\n{config.currency}{primary}".encode()).hexdigest()[:16]


def read_entries(con: DuckDBPyConnection, feed: str) -> list[Entry]:
    """All entries of a feed, oldest first."""
    rows = con.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM raw.ledger WHERE feed = ? ORDER BY batch_id", [feed]
    ).fetchall()
    return [Entry(**dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def in_force(entries: Iterable[Entry]) -> list[Entry]:
    """The batches whose rows count."""
    return [entry for entry in entries if entry.status == LOADED and entry.superseded_by is None]


def next_batch_id(con: DuckDBPyConnection) -> int:
    """The number of the next batch."""
    return int(con.execute("SELECT coalesce(max(batch_id), 0) + 1 FROM raw.ledger").fetchall()[0][0])


def write_entry(con: DuckDBPyConnection, entry: Entry) -> None:
    """Append an entry; the caller holds the transaction."""
    values = [getattr(entry, name) for name in _COLUMNS]
    values = [list(value) if isinstance(value, tuple) else value for value in values]
    marks = ", ".join("?" for _ in _COLUMNS)
    delivered_from = "file name" if entry.delivered_on else None
    con.execute(
        f"INSERT INTO raw.ledger ({', '.join(_COLUMNS)}, delivered_from) VALUES ({marks}, ?)", [*values, delivered_from]
    )


def supersede(con: DuckDBPyConnection, batch_ids: Iterable[int], successor: int) -> None:
    """Mark batches as replaced; the caller holds the transaction."""
    for batch_id in batch_ids:
        con.execute("UPDATE raw.ledger SET superseded_by = ? WHERE batch_id = ?", [successor, batch_id])
