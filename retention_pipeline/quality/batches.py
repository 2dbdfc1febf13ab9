"""Which batches of raw were validated, and what was found in them that only warns.

A batch is validated once for as long as its suite stays the same. What a warning found is kept, so that the results of
a day do not depend on which run looked at a file. A batch with a blocking failure is not marked: every run looks again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from duckdb import DuckDBPyConnection

from retention_pipeline.quality.declaring import Suite, TableSuite, failing_rows
from retention_pipeline.quality.raw import feed_of
from retention_pipeline.quality.results import ExpectationResult, SuiteResult
from retention_pipeline.transactions import transaction
from retention_pipeline.warehouse import open_warehouse

Finding = tuple[str, str, str]
"""Feed, kind of check, column."""


def new_batches(con: DuckDBPyConnection, suite: Suite) -> dict[str, tuple[int, ...]]:
    """Feed → loaded batches that were not validated with the suite as it is now."""
    done: set[tuple[int, str]] = set()
    if _ready(con):
        done.update(con.execute("SELECT batch_id, suite FROM control.validated_batches").fetchall())
    prints = {feed_of(table): table.fingerprint for table in suite.tables}
    found: dict[str, list[int]] = defaultdict(list)
    for feed, batch in con.execute(
        "SELECT feed, batch_id FROM raw.ledger WHERE status = 'loaded' AND rows_loaded > 0 ORDER BY feed, batch_id"
    ).fetchall():
        if feed in prints and (batch, prints[feed]) not in done:
            found[feed].append(batch)
    return {feed: tuple(batches) for feed, batches in found.items()}


def earlier_findings(con: DuckDBPyConnection, suite: Suite, new: Mapping[str, Sequence[int]]) -> dict[Finding, int]:
    """Rows that break what only warns, in batches in force that were validated before."""
    if not _ready(con):
        return {}
    skipped = [batch for batches in new.values() for batch in batches]
    rows = con.execute(
        "SELECT f.feed, f.kind, f.column_name, sum(f.unexpected_count)::BIGINT FROM control.batch_findings f"
        " SEMI JOIN raw.ledger l ON l.batch_id = f.batch_id AND l.status = 'loaded' AND l.superseded_by IS NULL"
        " WHERE NOT list_contains(?, f.batch_id) GROUP BY ALL",
        [skipped],
    ).fetchall()
    feeds = {feed_of(table) for table in suite.tables}
    return {(feed, kind, column): count for feed, kind, column, count in rows if feed in feeds}


def record_batches(
    con: DuckDBPyConnection, suite: Suite, new: Mapping[str, Sequence[int]], result: SuiteResult
) -> None:
    """Mark the new batches of every feed without a blocking failure, with what was found in them.

    Args:
        con: The warehouse, to be written.
        suite: The suite over the new batches.
        new: The batches that were validated.
        result: What came of it.
    """
    _create_tables(con)
    blocked = {found.table for found in result.blocking} | {r.table for r in result.results if r.exception}
    with transaction(con):
        for table in suite.tables:
            batches = new.get(feed_of(table), ())
            if table.table in blocked or not batches:
                continue
            for record in ("control.validated_batches", "control.batch_findings"):
                con.execute(f"DELETE FROM {record} WHERE list_contains(?, batch_id)", [list(batches)])
            con.executemany(
                "INSERT INTO control.validated_batches VALUES (?, ?, ?)",
                [[batch, feed_of(table), table.fingerprint] for batch in batches],
            )
            _record_findings(con, table, [r for r in result.results if r.table == table.table and not r.passed])


def _record_findings(con: DuckDBPyConnection, table: TableSuite, failed: Iterable[ExpectationResult]) -> None:
    for result in failed:
        for expectation in table.expectations:
            if (expectation.kind, expectation.column) != (result.kind, result.column):
                continue
            query = failing_rows(table, expectation.rule)
            if query is None:
                continue
            con.execute(
                f"INSERT INTO control.batch_findings SELECT _batch_id, ?, ?, ?, count(*) FROM ({query}) GROUP BY ALL",
                [feed_of(table), str(result.kind), result.column],
            )


def read_new_batches(warehouse: Path, suite: Suite) -> tuple[dict[str, tuple[int, ...]], dict[Finding, int]]:
    """The new batches, and what was found in those validated before."""
    with open_warehouse(warehouse, read_only=True) as con:
        new = new_batches(con, suite)
        return new, earlier_findings(con, suite, new)


def _ready(con: DuckDBPyConnection) -> bool:
    tables = con.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = 'control'"
        " AND table_name IN ('validated_batches', 'batch_findings')"
    ).fetchall()
    return bool(tables[0][0] == 2)


def _create_tables(con: DuckDBPyConnection) -> None:
    con.execute("CREATE SCHEMA IF NOT EXISTS control")
    con.execute(
        "CREATE TABLE IF NOT EXISTS control.validated_batches (batch_id BIGINT NOT NULL, feed VARCHAR NOT NULL,"
        " suite VARCHAR NOT NULL)"
    )
    con.execute(
        "CREATE TABLE IF NOT EXISTS control.batch_findings (batch_id BIGINT NOT NULL, feed VARCHAR NOT NULL,"
        " kind VARCHAR NOT NULL, column_name VARCHAR NOT NULL, unexpected_count BIGINT NOT NULL)"
    )
