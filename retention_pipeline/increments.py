"""Whether the models may be brought up to date instead of being built anew, and what has changed since the last build.

`control.built` remembers the last complete build: its day, a fingerprint of everything but rows of feeds that models
read, and the batches that counted. A build first deletes it and writes it anew when every model is there, so a build
that was killed leads to one from scratch. `docs/decisions/0027-incremental-builds.md` tells why.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import duckdb
import yaml
from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.feeds.ledger import LOADED
from retention_pipeline.quoting import identifier
from retention_pipeline.settings import PROJECT
from retention_pipeline.transactions import transaction

_SOURCES = PROJECT / "dbt_project" / "models" / "intermediate" / "_control__sources.yml"

MAX_CHANGED_SHARE = 0.3
"""Where a larger share of the rows of `raw` has changed, building everything anew is cheaper."""

BEFORE = (
    "int_canonical_ids", "int_test_accounts", "int_fx_rates", "int_customers", "int_active_periods",
    "int_subscription_periods", "int_subscription_versions",
)  # fmt: skip
"""Tables that are built whole each time: what they held at the last build is kept as `control.before_<table>`, so that
the models can tell which of their rows are others now."""

_DAILY = frozenset({"contacts"})
"""Sources in `control` that are no definitions: what is made of them is built whole each time."""

_CURRENT_BATCHES = """
    SELECT batch.feed, batch.batch_id
    FROM raw.ledger AS batch
    LEFT JOIN raw.ledger AS newer
        ON newer.batch_id = batch.superseded_by AND newer.status = $loaded
        AND (newer.delivered_on IS NULL OR newer.delivered_on <= $day)
    WHERE batch.status = $loaded AND newer.batch_id IS NULL
"""
"""As the macro `current_batches`, for all feeds."""


@dataclass(frozen=True)
class BuildPlan:
    """How the next build is to be done.

    Attributes:
        is_incremental: Whether only what has changed is computed.
        reason: Why not; empty where it is.
        changed_rows: Rows of `raw` that came, went or became known since the last build, where that was counted.
    """

    is_incremental: bool
    reason: str = ""
    changed_rows: int = 0


@dataclass(frozen=True)
class _Built:
    as_of: date
    fingerprint: str


def create_increment_tables(con: DuckDBPyConnection) -> None:
    """Create what is missing of the tables that tell what was built last."""
    con.execute(
        "CREATE TABLE IF NOT EXISTS control.built (as_of DATE NOT NULL, ends_at TIMESTAMP NOT NULL,"
        " fingerprint VARCHAR NOT NULL)"
    )
    con.execute("CREATE TABLE IF NOT EXISTS control.built_batches (feed VARCHAR NOT NULL, batch_id BIGINT NOT NULL)")
    con.execute(
        "CREATE TABLE IF NOT EXISTS control.increment (last_as_of DATE NOT NULL, last_ends_at TIMESTAMP NOT NULL,"
        " as_of DATE NOT NULL, ends_at TIMESTAMP NOT NULL, timezone VARCHAR NOT NULL)"
    )
    con.execute("CREATE TABLE IF NOT EXISTS control.changed_batches (feed VARCHAR NOT NULL, batch_id BIGINT NOT NULL)")


def plan_build(con: DuckDBPyConnection, project: str, *, held: bool = False) -> BuildPlan:
    """Decide how the models are built for the day in `control.run`, and mark the last build as unfinished.

    Args:
        con: The warehouse, with its layout and `control.run`.
        project: A hash of the dbt project.
        held: Whether some models will be left out of this build.

    Returns:
        The plan. For an incremental build, `control` now holds what has changed.
    """
    create_increment_tables(con)
    built = _last_built(con)
    day = con.execute("SELECT as_of FROM control.run").fetchall()[0][0]
    reason = _reason_against(con, built, day, _fingerprint(con, project), held=held)
    with transaction(con):
        con.execute("DELETE FROM control.built")
        con.execute("DELETE FROM control.increment")
        con.execute("DELETE FROM control.changed_batches")
        if not reason and built is not None:
            changed, total = _write_changes(con, built.as_of, day)
            if changed <= MAX_CHANGED_SHARE * total:
                _keep_before(con)
                return BuildPlan(True, changed_rows=changed)
            con.execute("DELETE FROM control.increment")
            reason = f"{changed} of {total} rows have changed"
    return BuildPlan(False, reason)


def complete_build(con: DuckDBPyConnection, project: str) -> None:
    """Remember that every model was built for the day in `control.run`: the next build may start from there."""
    with transaction(con):
        con.execute("DELETE FROM control.built_batches")
        con.execute(
            f"INSERT INTO control.built_batches {_CURRENT_BATCHES}",
            {"loaded": LOADED, "day": con.execute("SELECT as_of FROM control.run").fetchall()[0][0]},
        )
        con.execute("DELETE FROM control.built")
        con.execute(
            f"INSERT INTO control.built SELECT as_of, {_ENDS_AT}, ? FROM control.run", [_fingerprint(con, project)]
        )
        con.execute("DELETE FROM control.increment")
        con.execute("DELETE FROM control.changed_batches")


def forget_build(con: DuckDBPyConnection) -> None:
    """Let the next build start from scratch: rows of `raw` were removed or altered, as by an erasure."""
    create_increment_tables(con)
    con.execute("DELETE FROM control.built")


_ENDS_AT = "((as_of + 1)::TIMESTAMP AT TIME ZONE timezone AT TIME ZONE 'UTC')"


def _last_built(con: DuckDBPyConnection) -> _Built | None:
    found = con.execute("SELECT as_of, fingerprint FROM control.built").fetchall()
    return _Built(*found[0]) if len(found) == 1 else None


def _reason_against(con: DuckDBPyConnection, built: _Built | None, day: date, fingerprint: str, *, held: bool) -> str:
    if built is None:
        return "there is no complete build to start from"
    if held:
        return "some feeds are held back"
    if built.fingerprint != fingerprint:
        return "the configuration or the models have changed"
    if day < built.as_of:
        return f"the last build was for a later day, {built.as_of}"
    missing = _missing_tables(con)
    return f"tables of the last build are missing: {', '.join(missing)}" if missing else ""


def _missing_tables(con: DuckDBPyConnection) -> list[str]:
    found = con.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'intermediate'").fetchall()
    return sorted(set(BEFORE) - {name for (name,) in found})


def _fingerprint(con: DuckDBPyConnection, project: str) -> str:
    """A hash over everything that models read besides rows of feeds: definitions, lists, their own SQL, the engine."""
    digest = hashlib.sha256(f"{project}\n{duckdb.__version__}".encode())
    for table in _definitions():
        columns = "* EXCLUDE (as_of)" if table == "run" else "*"
        rows = con.execute(f"SELECT {columns} FROM control.{identifier(table)} ORDER BY ALL").fetchall()
        digest.update(repr((table, rows)).encode())
    return digest.hexdigest()


def _definitions() -> list[str]:
    """The tables of `control` that models read, but for those that change from day to day anyway."""
    declared = yaml.safe_load(_SOURCES.read_text(encoding="utf-8"))["sources"]
    tables = [table["name"] for source in declared if source["name"] == "control" for table in source["tables"]]
    return sorted(set(tables) - _DAILY)


def _write_changes(con: DuckDBPyConnection, last: date, day: date) -> tuple[int, int]:
    """Write what the models need to know about the time since the last build; returns rows changed, and all rows."""
    con.execute(
        "INSERT INTO control.increment"
        f" SELECT ?::DATE, {_ENDS_AT.replace('as_of', '?::DATE')}, as_of, {_ENDS_AT}, timezone FROM control.run",
        [last, last],
    )
    con.execute(
        f"INSERT INTO control.changed_batches WITH now AS ({_CURRENT_BATCHES})"
        " (FROM now EXCEPT FROM control.built_batches) UNION ALL (FROM control.built_batches EXCEPT FROM now)",
        {"loaded": LOADED, "day": day},
    )
    changed = con.execute(
        "SELECT coalesce(sum(rows_loaded), 0) FROM raw.ledger"
        " WHERE batch_id IN (SELECT batch_id FROM control.changed_batches)"
    ).fetchall()[0][0]
    total = 0
    for feed in CONTRACTS:
        newly, rows = con.execute(
            "SELECT count(*) FILTER (WHERE _known_on > ? AND _known_on <= ?"
            " AND _batch_id NOT IN (SELECT batch_id FROM control.changed_batches)), count(*)"
            f" FROM raw.{identifier(feed)}",
            [last, day],
        ).fetchall()[0]
        changed += newly
        total += rows
    return int(changed), int(total)


def _keep_before(con: DuckDBPyConnection) -> None:
    for table in BEFORE:
        con.execute(f"CREATE OR REPLACE TABLE control.before_{table} AS FROM intermediate.{table}")
