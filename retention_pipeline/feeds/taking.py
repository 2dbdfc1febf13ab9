"""Takes one delivery: its rows, its quarantine and its line in the ledger in one transaction, or the reason why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.batches import Batch, read_batch
from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.feeds.deliveries import Delivery, FeedState, delivered_on, is_unchanged, new_columns
from retention_pipeline.feeds.headers import check_columns
from retention_pipeline.feeds.ledger import (
    BLOCKED,
    LOADED,
    REFUSED,
    SAME_CONTENT,
    Entry,
    next_batch_id,
    supersede,
    write_entry,
)
from retention_pipeline.feeds.lookups import drop_lookups
from retention_pipeline.feeds.mapping import SKIPPED, MappedFile, id_prefix, text_rules
from retention_pipeline.feeds.opening import open_source
from retention_pipeline.feeds.refusing import FileRefusedError
from retention_pipeline.feeds.sources import Source, drop_rejects
from retention_pipeline.feeds.straight import NotStraightError, write_straight
from retention_pipeline.feeds.writing import broken_rules, insert_good_rows, quarantine_bad_rows
from retention_pipeline.transactions import transaction
from retention_pipeline.workspace.loading import Business

BLOCKED_SAMPLE = 1000
"""Of a blocked file, so many bad rows are kept in quarantine."""


def note_twin(con: DuckDBPyConnection, feed: str, delivery: Delivery, twin: Entry, state: FeedState) -> bool:
    """The rows of the delivery are loaded already: say so once, and end what the path held before.

    Returns:
        Whether the ledger has changed.
    """
    ended = state.replaced_by(delivery)
    noted = any(
        entry.status == SAME_CONTENT and entry.path == delivery.where and entry.identity == delivery.identity
        for entry in state.entries
    )
    if twin.path == delivery.where or noted:
        if ended:
            with transaction(con):
                supersede(con, ended, twin.batch_id)
        return bool(ended)
    with transaction(con):
        entry = _entry(con, feed, delivery, SAME_CONTENT, message=f"holds the same bytes as {twin.path}")
        # That a file came counts for the rhythm of its feed, whatever it holds.
        write_entry(con, replace(entry, delivered_on=_day_in_name(delivery)))
        supersede(con, ended, twin.batch_id)
    return True


def _day_in_name(delivery: Delivery) -> date | None:
    try:
        return delivered_on(delivery)
    except FileRefusedError:
        return None


def take_delivery(
    con: DuckDBPyConnection, business: Business, feed: str, delivery: Delivery, state: FeedState, scratch: Path
) -> Entry | None:
    """Load a delivery, or write down why not; None where the file changed meanwhile and is left for the next run."""
    config = business.config
    try:
        if not delivery.content_hash:
            raise FileRefusedError("cannot be opened", where=delivery.where, expected="a file that may be read")
        day = delivered_on(delivery)
        contract, mapping = CONTRACTS[feed], delivery.mapping
        file = MappedFile(
            contract, mapping, text_rules(mapping, config), day, config.currency, id_prefix(mapping, config)
        )
        source = open_source(con, delivery.path, delivery.where, mapping, scratch)
        try:
            check_columns(source, mapping, contract)
        except FileRefusedError:
            source.looked_at()  # bytes of another encoding are the better reason
            raise
        written = _write_straight(con, delivery, file, source, state)
        if written is not None:
            return written
        batch = read_batch(con, file, source, scratch)
        if not is_unchanged(delivery):
            return None
        return _write(con, delivery, batch, state)
    except (FileRefusedError, OSError) as error:
        if delivery.content_hash and delivery.path.is_file() and not is_unchanged(delivery):
            return None
        message = str(error) if isinstance(error, FileRefusedError) else f"{delivery.where}: cannot be read"
        return _write_problem(con, _entry(con, feed, delivery, REFUSED, message=message), delivery, state)
    finally:
        drop_rejects(con)
        if delivery.mapping.lookups:
            drop_lookups(con)
        for name in ("batch", "batch_bad", "batch_lines"):
            con.execute(f"DROP TABLE IF EXISTS temp.{name}")


def _write_straight(
    con: DuckDBPyConnection, delivery: Delivery, file: MappedFile, source: Source, state: FeedState
) -> Entry | None:
    """A file of good rows only, in one pass and one transaction; None where it is none, and nothing was written."""
    entry = _entry(con, file.contract.name, delivery, LOADED)
    try:
        with transaction(con):
            written = write_straight(con, file, source, entry.batch_id)
            if not is_unchanged(delivery):
                raise NotStraightError
            entry = replace(
                entry,
                delivered_on=file.delivered_on,
                rows_read=written.rows,
                rows_loaded=written.rows,
                first_day=written.first_day,
                last_day=written.last_day,
                columns=source.columns,
                new_columns=new_columns(source.columns, delivery.mapping.files, state.entries),
            )
            write_entry(con, entry)
            supersede(con, state.replaced_by(delivery), entry.batch_id)
    except NotStraightError:
        return None
    return entry


def _write(con: DuckDBPyConnection, delivery: Delivery, batch: Batch, state: FeedState) -> Entry:
    """One transaction: the good rows, the bad ones, and the line in the ledger."""
    broken = broken_rules(con, batch)
    read, bad = batch.rows + len(batch.rejects), sum(broken.values())
    skipped = con.execute(f"SELECT count(*) FROM batch WHERE bad = {SKIPPED}").fetchall()[0][0]
    first, last = con.execute("SELECT min(day), max(day) FROM batch WHERE bad IS NULL").fetchall()[0]
    entry = replace(
        _entry(con, batch.file.contract.name, delivery, LOADED),
        delivered_on=batch.file.delivered_on,
        rows_read=read,
        rows_quarantined=bad,
        rows_skipped=skipped,
        columns=batch.source.columns,
    )
    if bad > (read - skipped) * delivery.mapping.max_bad_share:
        blocked = replace(entry, status=BLOCKED, message=_blocked_message(delivery, entry, broken))
        return _write_problem(con, blocked, delivery, state, batch)
    entry = replace(
        entry,
        rows_loaded=read - bad - skipped,
        first_day=first,
        last_day=last,
        new_columns=new_columns(batch.source.columns, delivery.mapping.files, state.entries),
    )
    with transaction(con):
        insert_good_rows(con, batch, entry.batch_id)
        quarantine_bad_rows(con, batch, entry.batch_id)
        write_entry(con, entry)
        supersede(con, state.replaced_by(delivery), entry.batch_id)
    return entry


def _write_problem(
    con: DuckDBPyConnection, entry: Entry, delivery: Delivery, state: FeedState, batch: Batch | None = None
) -> Entry:
    """Write a problem down, once for as long as it stays the same; what the path held before stays in force."""
    before = state.open_problem(delivery)
    if before is not None and (before.status, before.message) == (entry.status, entry.message):
        return before
    with transaction(con):
        if batch is not None:
            quarantine_bad_rows(con, batch, entry.batch_id, limit=BLOCKED_SAMPLE)
        write_entry(con, entry)
        supersede(con, state.open_problems(delivery), entry.batch_id)
    return entry


def _blocked_message(delivery: Delivery, entry: Entry, broken: dict[tuple[str | None, str], int]) -> str:
    worst = sorted(broken.items(), key=lambda item: (-item[1], str(item[0])))[:5]
    rules = ", ".join(f"{rule}{f' of {column}' if column else ''} ({count})" for (column, rule), count in worst)
    rows = entry.rows_read - entry.rows_skipped
    share = entry.rows_quarantined / rows
    return FileRefusedError(
        f"{entry.rows_quarantined} of {rows} rows ({share:.1%}) break a rule: {rules}; nothing was loaded",
        where=delivery.where,
        expected=f"at most {delivery.mapping.max_bad_share:.1%} (`max_bad_share`)",
        way_out=f"look at quarantine.{entry.feed} in the warehouse, mend the mapping or export the file again",
    ).text()


def _entry(con: DuckDBPyConnection, feed: str, delivery: Delivery, status: str, message: str | None = None) -> Entry:
    return Entry(
        batch_id=next_batch_id(con),
        feed=feed,
        path=delivery.where,
        content_hash=delivery.content_hash,
        size_bytes=delivery.size_bytes,
        status=status,
        files=delivery.mapping.files,
        mapping_hash=delivery.mapping_hash,
        message=message,
    )
