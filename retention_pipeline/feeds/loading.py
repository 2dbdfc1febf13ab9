"""Loads what is new of every configured feed into `raw`, file by file."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.contracts import ACTIVITY_FEEDS
from retention_pipeline.feeds.deliveries import Delivery, FeedState, find_deliveries
from retention_pipeline.feeds.ledger import BLOCKED, LOADED, REFUSED, Entry, in_force, read_entries
from retention_pipeline.feeds.line_ids import renew_line_ids
from retention_pipeline.feeds.taking import note_twin, take_delivery
from retention_pipeline.quoting import identifier
from retention_pipeline.workspace.loading import Business
from retention_pipeline.workspace.schema import FeedName


@dataclass(frozen=True)
class FileProblem:
    """A file that is there and was not taken.

    Attributes:
        path: Its path below the business folder.
        status: `refused` or `blocked`.
        message: What is wrong, where, what was expected, the way out.
    """

    path: str
    status: str
    message: str


@dataclass(frozen=True)
class FeedLoad:
    """What came of loading a feed.

    Attributes:
        files_seen: Finished files that the patterns match.
        files_new: Files loaded now.
        files_refused, files_blocked: Files that are there and are not taken.
        rows_read, rows_loaded, rows_quarantined, rows_skipped: Over all files in force.
        rows_in_raw: Rows of `raw.<feed>`, superseded ones included.
        first_day, last_day: Business days of the rows in force.
        rules: Broken rule → rows, over all files in force.
        new_columns: Columns seen for the first time, in the files loaded now.
        problems: Why files were not taken; reported again until they are mended.
    """

    files_seen: int
    files_new: int
    files_refused: int
    files_blocked: int
    rows_read: int
    rows_loaded: int
    rows_quarantined: int
    rows_skipped: int
    rows_in_raw: int
    first_day: date | None
    last_day: date | None
    rules: dict[str, int]
    new_columns: tuple[str, ...]
    problems: tuple[FileProblem, ...]


def load_feeds(
    con: DuckDBPyConnection, business: Business, on_progress: Callable[[str], None] | None = None
) -> dict[str, FeedLoad]:
    """Load the new files of every configured feed, each in a transaction of its own.

    Args:
        con: The warehouse, with its layout and no open transaction.
        business: What to load.
        on_progress: Told a line before each file that is read.

    Returns:
        Feed → what came of it. A file that cannot be taken is a problem of its feed, never an exception.
    """
    renew_line_ids(con)
    with _scratch_folder(con) as scratch:
        return {
            feed: _load_feed(con, business, feed, scratch, on_progress or _silent) for feed in business.config.feeds
        }


def last_complete_day(con: DuckDBPyConnection) -> date | None:
    """The newest business day in the activity feeds; None where nothing is loaded."""
    marks = ", ".join("?" for _ in ACTIVITY_FEEDS)
    found = con.execute(
        f"SELECT max(last_day) FROM raw.ledger WHERE status = ? AND superseded_by IS NULL AND feed IN ({marks})",
        [LOADED, *ACTIVITY_FEEDS],
    ).fetchall()
    day: date | None = found[0][0]
    return day


def _silent(_line: str) -> None:
    """Tell nobody."""


@contextmanager
def _scratch_folder(con: DuckDBPyConnection) -> Iterator[Path]:
    """A folder for rewritten texts beside the warehouse; what a killed run left there is removed first."""
    found = con.execute("SELECT path FROM duckdb_databases() WHERE database_name = current_database()").fetchall()
    if not found[0][0]:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    scratch = Path(found[0][0]).with_suffix(".reading")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _load_feed(
    con: DuckDBPyConnection, business: Business, feed: FeedName, scratch: Path, tell: Callable[[str], None]
) -> FeedLoad:
    deliveries = find_deliveries(business, feed)
    problems: list[FileProblem] = []
    loaded: list[Entry] = []
    entries: list[Entry] | None = None
    for number, delivery in enumerate(deliveries, start=1):
        # Files that are known change nothing in the ledger, which is read again after one that may have.
        entries = read_entries(con, feed) if entries is None else entries
        state = FeedState(deliveries, entries)
        twin = state.twin(delivery)
        if twin is not None:
            if note_twin(con, feed, delivery, twin, state):
                entries = None
            continue
        entries = None
        tell(f"{feed}: {delivery.where} ({number} of {len(deliveries)})")
        entry = take_delivery(con, business, feed, delivery, state, scratch)
        if entry is None:
            continue
        if entry.status == LOADED:
            loaded.append(entry)
        else:
            problems.append(FileProblem(delivery.where, entry.status, entry.message or ""))
    return _summary(con, feed, deliveries, loaded, problems)


def _summary(
    con: DuckDBPyConnection,
    feed: str,
    deliveries: Sequence[Delivery],
    loaded: Sequence[Entry],
    problems: Sequence[FileProblem],
) -> FeedLoad:
    current = in_force(read_entries(con, feed))
    days = [day for entry in current for day in (entry.first_day, entry.last_day) if day]
    rules = con.execute(
        f"SELECT rule, count(*) FROM quarantine.{identifier(feed)} WHERE list_contains(?, _batch_id) "
        "GROUP BY rule ORDER BY rule",
        [[entry.batch_id for entry in current]],
    ).fetchall()
    return FeedLoad(
        files_seen=len({delivery.where for delivery in deliveries}),
        files_new=len({entry.path for entry in loaded}),
        files_refused=sum(problem.status == REFUSED for problem in problems),
        files_blocked=sum(problem.status == BLOCKED for problem in problems),
        rows_read=sum(entry.rows_read for entry in current),
        rows_loaded=sum(entry.rows_loaded for entry in current),
        rows_quarantined=sum(entry.rows_quarantined for entry in current),
        rows_skipped=sum(entry.rows_skipped for entry in current),
        rows_in_raw=con.execute(f"SELECT count(*) FROM raw.{identifier(feed)}").fetchall()[0][0],
        first_day=min(days, default=None),
        last_day=max(days, default=None),
        rules=dict(rules),
        new_columns=tuple(dict.fromkeys(name for entry in loaded for name in entry.new_columns)),
        problems=tuple(problems),
    )
