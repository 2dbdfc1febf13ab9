"""The warehouse of a business: opening it, its layout, and the one-row table that tells models the as-of day."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from retention_pipeline.errors import RetentionError
from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.feeds.tables import create_feed_tables
from retention_pipeline.transactions import transaction
from retention_pipeline.voice.tables import create_voice_tables
from retention_pipeline.workspace.schema import Retention
from retention_pipeline.workspace.segment_settings import Component, SegmentSettings

UNSOUND_OPTIMIZER = "join_order"
"""DuckDB 2.0.0 loses rows where a predicate spans three tables beside a left join; the profile of dbt has the same."""

OWN_IDS = "own"
"""The name of the source whose ids stand as they are, where a business calls no source its primary one."""

ISO_WEEKDAY = {"monday": 1, "saturday": 6, "sunday": 7}


_RUN_COLUMNS = (
    "as_of DATE NOT NULL",
    "business VARCHAR NOT NULL",
    "kind VARCHAR NOT NULL",
    "timezone VARCHAR NOT NULL",
    "currency VARCHAR NOT NULL",
    "salt VARCHAR NOT NULL",
    "week_starts_on INTEGER NOT NULL",
    "first_day DATE NOT NULL",
    "inactivity_days INTEGER NOT NULL",
    "horizon_days INTEGER NOT NULL",
    "early_days INTEGER NOT NULL",
    "history_days INTEGER NOT NULL",
    "term_end_is_churn BOOLEAN NOT NULL",
    "involuntary_reasons VARCHAR[] NOT NULL",
    "gross_margin DOUBLE NOT NULL",
    "has_consents BOOLEAN NOT NULL",
    f"primary_source VARCHAR DEFAULT '{OWN_IDS}'",
    "joins_sources BOOLEAN DEFAULT false",
    "dunning_grace_days INTEGER DEFAULT 0",
    "rhythm_percentile INTEGER NOT NULL",
    "rhythm_min_intervals INTEGER NOT NULL",
    "machine_open_seconds INTEGER DEFAULT 10",
    "response_days INTEGER DEFAULT 14",
    "collection_days INTEGER DEFAULT 30",
    "cart_days INTEGER DEFAULT 1",
    "winback_days INTEGER DEFAULT 60",
    "winback_value_days INTEGER DEFAULT 90",
    "winback_campaigns VARCHAR[] DEFAULT ['winback', 'win-back']",
    "nps_window_days INTEGER DEFAULT 90",
    "cause_window_days INTEGER DEFAULT 90",
)


CONTACT_COLUMNS = (
    "day DATE NOT NULL, play VARCHAR NOT NULL, customer_key VARCHAR NOT NULL, arm VARCHAR NOT NULL, offer VARCHAR,"
    " channel VARCHAR, experiment_id VARCHAR, list_id VARCHAR NOT NULL, goal VARCHAR, contact_cost DECIMAL(18,6),"
    " giveaway_share DECIMAL(9,6)"
)
"""`control.contacts`: whom the lists of earlier days contacted, or kept aside, and on what terms."""

_SCORE_SETTINGS = (
    "setting VARCHAR NOT NULL", "name VARCHAR NOT NULL", "place INTEGER NOT NULL", "weight DOUBLE", "at_zero DOUBLE",
    "at_full DOUBLE", "level DOUBLE", "tenure_days INTEGER", "orders INTEGER",
)  # fmt: skip


@contextmanager
def open_warehouse(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the DuckDB file at `path` with the session zone UTC; closed on the way out, also after an error.

    Raises:
        RetentionError: The file is locked by another process, is missing (read only), or is no DuckDB file.
    """
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        con = duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as error:
        raise RetentionError(
            f"the warehouse cannot be opened: {str(error).splitlines()[0]}",
            where=path.name,
            expected="a DuckDB file that no other process holds for writing",
            way_out="close the program that has it open; people and BI tools read serving.duckdb instead",
        ) from error
    try:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"SET disabled_optimizers = '{UNSOUND_OPTIMIZER}'")
        yield con
    finally:
        con.close()


def create_layout(con: duckdb.DuckDBPyConnection) -> None:
    """Create the schemas and the tables that are filled by Python; those of dbt are created by dbt."""
    for schema in ("control", "staging", "intermediate", "marts", "decisions"):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    create_feed_tables(con)
    con.execute(f"CREATE TABLE IF NOT EXISTS control.run ({', '.join(_RUN_COLUMNS)})")
    con.execute("CREATE TABLE IF NOT EXISTS control.sources (source VARCHAR NOT NULL, priority INTEGER NOT NULL)")
    con.execute("CREATE TABLE IF NOT EXISTS control.feeds (feed VARCHAR NOT NULL, configured BOOLEAN NOT NULL)")
    con.execute(
        "CREATE TABLE IF NOT EXISTS control.survey_campaigns (survey VARCHAR NOT NULL, campaign VARCHAR NOT NULL)"
    )
    create_voice_tables(con)
    con.execute(f"CREATE TABLE IF NOT EXISTS control.score_settings ({', '.join(_SCORE_SETTINGS)})")
    for table in ("held_feeds", "late_feeds"):
        con.execute(f"CREATE TABLE IF NOT EXISTS control.{table} (feed VARCHAR NOT NULL, reason VARCHAR NOT NULL)")
    con.execute(f"CREATE TABLE IF NOT EXISTS control.contacts ({CONTACT_COLUMNS})")


def write_run_context(con: duckdb.DuckDBPyConnection, config: Retention, as_of: date) -> None:
    """Tell the models for which day and under which definitions they compute: one row, replaced as a whole."""
    churn = config.churn
    sources = sources_by_priority(config)
    row = {
        "as_of": as_of,
        "business": config.business,
        "kind": config.kind.value,
        "timezone": config.timezone,
        "currency": config.currency,
        "salt": config.salt,
        "week_starts_on": ISO_WEEKDAY[config.week_starts_on],
        "first_day": config.first_day,
        "inactivity_days": churn.inactivity_days,
        "horizon_days": churn.horizon_days,
        "early_days": churn.early_days,
        "history_days": churn.history_days,
        "term_end_is_churn": churn.term_end_is_churn,
        "involuntary_reasons": list(churn.involuntary_reasons),
        "dunning_grace_days": churn.dunning_grace_days,
        "gross_margin": config.value.gross_margin,
        "has_consents": "consents" in config.feeds,
        "primary_source": sources[0],
        "joins_sources": len(sources) > 1 or "identities" in config.feeds,
        "nps_window_days": config.voice.nps_window_days,
        "cause_window_days": config.voice.cause_window_days,
        "rhythm_percentile": churn.rhythm_percentile,
        "rhythm_min_intervals": churn.rhythm_min_intervals,
        "machine_open_seconds": config.engagement.machine_open_seconds,
        "response_days": config.engagement.response_days,
        "collection_days": config.engagement.collection_days,
        "cart_days": config.engagement.cart_days,
        "winback_days": config.winback.window_days,
        "winback_value_days": config.winback.value_days,
        "winback_campaigns": [part.lower() for part in config.winback.campaigns],
    }
    with transaction(con):
        con.execute("DELETE FROM control.run")
        con.execute(
            f"INSERT INTO control.run ({', '.join(row)}) VALUES ({', '.join('?' for _ in row)})", list(row.values())
        )
        con.execute("DELETE FROM control.sources")
        con.executemany(
            "INSERT INTO control.sources VALUES (?, ?)", [[source, rank] for rank, source in enumerate(sources)]
        )
        con.execute("DELETE FROM control.feeds")
        con.executemany("INSERT INTO control.feeds VALUES (?, ?)", [[feed, feed in config.feeds] for feed in CONTRACTS])
        con.execute("DELETE FROM control.survey_campaigns")
        for survey, campaigns in sorted(config.voice.survey_campaigns.items()):
            for campaign in campaigns:
                con.execute("INSERT INTO control.survey_campaigns VALUES (?, ?)", [survey, campaign])
        write_score_settings(con, config.segments)


def write_score_settings(con: duckdb.DuckDBPyConnection, segments: SegmentSettings) -> None:
    """Tell the models the weights and levels of tiers and scores: one row for each, replaced as a whole."""
    health, winback = segments.health, segments.winback
    single: Mapping[str, Mapping[str, float]] = {
        "health_band": {"green": health.green_from, "amber": health.amber_from},
        "value_tier": segments.value_tiers,
        "winback_cause": winback.causes,
        "winback_window": winback.window.model_dump(),
    }
    scores: Mapping[str, Mapping[Any, Component]] = {"health": health.components, "winback": winback.criteria}
    rows: list[list[object]] = [
        [setting, name, place, part.weight, part.at_zero, part.at_full, None, None, None]
        for setting, parts in scores.items()
        for place, (name, part) in enumerate(parts.items(), start=1)
    ]
    rows += [
        [setting, name, place, None, None, None, level, None, None]
        for setting, levels in single.items()
        for place, (name, level) in enumerate(levels.items(), start=1)
    ]
    rows += [
        ["loyalty_tier", name, place, None, None, None, tier.points, tier.tenure_days, tier.orders]
        for place, (name, tier) in enumerate(segments.loyalty_tiers.items(), start=1)
    ]
    con.execute("DELETE FROM control.score_settings")
    con.executemany(f"INSERT INTO control.score_settings VALUES ({', '.join('?' * len(_SCORE_SETTINGS))})", rows)


def sources_by_priority(config: Retention) -> list[str]:
    """The systems whose ids a business knows, the primary one first, then as `retention.yaml` names them.

    Those that deliver customer records go before those that only name customers.
    """
    records = config.feeds.get("customers", ())
    others = [mapping for feed, mappings in config.feeds.items() if feed != "customers" for mapping in mappings]
    named = [mapping.source for mapping in (*records, *others) if mapping.source]
    return list(dict.fromkeys([config.identity.primary or OWN_IDS, *named]))


def write_held_feeds(con: duckdb.DuckDBPyConnection, reasons: Mapping[str, str]) -> None:
    """Remember which feeds have a file that was not taken: what depends on them is held back."""
    _write_reasons(con, "held_feeds", reasons)


def read_held_feeds(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Feeds with a file that was not taken, with the reason."""
    return _read_reasons(con, "held_feeds")


def write_late_feeds(con: duckdb.DuckDBPyConnection, reasons: Mapping[str, str]) -> None:
    """Remember which feeds are late for the day that is computed: what depends on them is held back for that day."""
    _write_reasons(con, "late_feeds", reasons)


def read_late_feeds(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Feeds that were late for the day that was computed last, with the reason."""
    return _read_reasons(con, "late_feeds")


def _write_reasons(con: duckdb.DuckDBPyConnection, table: str, reasons: Mapping[str, str]) -> None:
    with transaction(con):
        con.execute(f"DELETE FROM control.{table}")
        for feed, reason in sorted(reasons.items()):
            con.execute(f"INSERT INTO control.{table} VALUES (?, ?)", [feed, reason])


def _read_reasons(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    return dict(con.execute(f"SELECT feed, reason FROM control.{table} ORDER BY feed").fetchall())


@contextmanager
def run_lock(path: Path, *, purpose: str) -> Iterator[None]:
    """Hold the right to write the state of a business for as long as the block runs.

    The lock belongs to the process: a run that is killed frees it at once.

    Raises:
        RetentionError: Another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.seek(0)
            holder = handle.read().strip()
            raise RetentionError(
                f"another run is at work{_holder_text(holder)}",
                where=path.name,
                expected="one run of a business at a time",
                way_out="wait until it has ended, then run again",
            ) from error
        handle.seek(0)
        handle.truncate()
        handle.write(json.dumps({"pid": os.getpid(), "purpose": purpose}))
        handle.flush()
        yield


def _holder_text(holder: str) -> str:
    try:
        known = json.loads(holder)
        return f" (process {int(known['pid'])}: {known['purpose']})"
    except (ValueError, KeyError, TypeError):
        return ""
