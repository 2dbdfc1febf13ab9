"""`decisions.quality_results`: what the checks of a day found, for people and BI tools."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from duckdb import DuckDBPyConnection

from retention_pipeline.quality.results import SuiteResult
from retention_pipeline.transactions import transaction

TABLE = "decisions.quality_results"

COLUMNS = {
    "as_of": ("DATE", "The day of the run."),
    "suite": ("VARCHAR", "raw, marts, scores or lists."),
    "table_name": ("VARCHAR", "The table that was validated."),
    "kind": ("VARCHAR", "The check: what sort of thing must hold."),
    "column_name": ("VARCHAR", "The column that it is about; empty where it is about the table."),
    "expectation": ("VARCHAR", "The name of the expectation in Great Expectations."),
    "passed": ("BOOLEAN", "Whether it holds."),
    "severity": ("VARCHAR", "error: what comes after is stopped; warn: nothing is."),
    "unexpected_count": ("BIGINT", "Rows, or keys, that break it."),
}
"""Column → type and what it holds. One row per expectation."""


def write_quality_results(con: DuckDBPyConnection, result: SuiteResult, as_of: date) -> None:
    """Replace the rows of one suite; those of another day go too, whatever their suite.

    Args:
        con: The warehouse, to be written.
        result: What came of the suite.
        as_of: The day of the run.
    """
    with transaction(con):
        con.execute("CREATE SCHEMA IF NOT EXISTS decisions")
        described = ", ".join(f"{name} {kind} NOT NULL" for name, (kind, _) in COLUMNS.items())
        con.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} ({described})")
        con.execute(f"DELETE FROM {TABLE} WHERE suite = ? OR as_of <> ?", [result.suite, as_of])
        rows = sorted(_rows(result, as_of))
        if rows:
            con.executemany(f"INSERT INTO {TABLE} VALUES ({', '.join('?' * len(COLUMNS))})", rows)


def _rows(result: SuiteResult, as_of: date) -> Iterable[tuple[object, ...]]:
    for found in result.results:
        yield (
            as_of,
            result.suite,
            found.table,
            str(found.kind),
            found.column,
            found.expectation,
            found.passed,
            str(found.severity),
            found.unexpected_count,
        )
