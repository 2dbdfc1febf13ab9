"""Reads from the warehouse what the page of a run shows. A table or column that is not there is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Any

from duckdb import DuckDBPyConnection

from retention_pipeline.quoting import identifier
from retention_pipeline.report.summary import (
    FeedSummary,
    Figure,
    ModelSummary,
    PlaySummary,
    SourceSummary,
    Unit,
)
from retention_pipeline.report.wording import words

_MOST_FEATURES = 10
_REJECTED = ("refused", "blocked")

_FIGURES: tuple[tuple[str, str, Unit], ...] = (
    ("customers_opening", "Customers at the start", Unit.COUNT),
    ("customers_new", "New", Unit.COUNT),
    ("customers_reactivated", "Came back", Unit.COUNT),
    ("customers_lost", "Lost", Unit.COUNT),
    ("customers_completed", "Ended at term", Unit.COUNT),
    ("customers_closing", "Customers at the end", Unit.COUNT),
    ("customer_churn_rate", "Churn rate", Unit.SHARE),
    ("customer_retention_rate", "Retention rate", Unit.SHARE),
    ("completion_rate", "Share that ended at term", Unit.SHARE),
    ("cancellations_before_start", "Cancelled before the start", Unit.COUNT),
    ("orders", "Orders", Unit.COUNT),
    ("active_purchasers", "Customers who bought", Unit.COUNT),
    ("revenue", "Revenue", Unit.MONEY),
    ("revenue_without_customer", "  of it without a customer", Unit.MONEY),
    ("average_basket", "Average basket", Unit.MONEY),
    ("purchase_frequency", "Orders per buying customer", Unit.RATIO),
)
# Where these are zero in both months, the business simply has no such thing.
_ONLY_IF_ANY = frozenset(
    {
        "customers_completed",
        "cancellations_before_start",
        "completion_rate",
        "orders",
        "active_purchasers",
        "revenue",
        "revenue_without_customer",
        "average_basket",
        "purchase_frequency",
    }
)


def table_columns(con: DuckDBPyConnection, source: str) -> frozenset[str]:
    """The columns of `schema.table`; empty where there is no such table."""
    schema, table = source.split(".")
    rows = con.execute(
        "SELECT column_name FROM duckdb_columns() WHERE database_name = current_database() AND schema_name = ?"
        " AND table_name = ?",
        [schema, table],
    ).fetchall()
    return frozenset(name for (name,) in rows)


def collect_feeds(con: DuckDBPyConnection, as_of: date, held: Mapping[str, str]) -> tuple[FeedSummary, ...]:
    """The feeds that have delivered a file, from the ledger.

    Args:
        con: The warehouse.
        as_of: The day that is computed.
        held: Feed → why its files were not taken in this run.
    """
    if not table_columns(con, "raw.ledger"):
        return ()
    rows = con.execute(
        "WITH in_force AS (SELECT feed, count(*) AS files, sum(rows_read) AS rows_read,"
        " sum(rows_loaded) AS rows_loaded, sum(rows_quarantined) AS rows_quarantined,"
        " sum(rows_skipped) AS rows_skipped, max(last_day) AS last_day,"
        " list(last_day ORDER BY last_day) FILTER (WHERE last_day IS NOT NULL) AS days FROM raw.ledger"
        " WHERE status = 'loaded' AND superseded_by IS NULL GROUP BY feed),"
        " newest AS (SELECT feed, status FROM raw.ledger"
        " QUALIFY row_number() OVER (PARTITION BY feed, path ORDER BY batch_id DESC) = 1),"
        " rejected AS (SELECT feed, count(*) FILTER (WHERE list_contains(?, status)) AS files FROM newest GROUP BY 1)"
        " SELECT feed, in_force.files, rows_read, rows_loaded, rows_quarantined, rows_skipped, last_day,"
        " rejected.files, days"
        " FROM rejected LEFT JOIN in_force USING (feed) ORDER BY feed",
        [list(_REJECTED)],
    ).fetchall()
    return tuple(
        FeedSummary(
            feed=feed,
            files=int(files or 0),
            rows_read=int(read or 0),
            rows_loaded=int(loaded or 0),
            rows_quarantined=int(quarantined or 0),
            last_day=last_day,
            # A file that was put back as it was leaves no trace in the ledger, but its feed is held back no longer.
            files_rejected=max(int(rejected), 1) if feed in held else 0,
            days_late=days_late(days or (), as_of),
            message=held.get(feed, ""),
            rules=_rules(con, feed) if quarantined else (),
            rows_skipped=int(skipped or 0),
        )
        for feed, files, read, loaded, quarantined, skipped, last_day, rejected, days in rows
    )


def collect_identities(con: DuckDBPyConnection) -> tuple[SourceSummary, ...]:
    """The sources by name; empty where one system knows all customers."""
    if not table_columns(con, "marts.identity_report"):
        return ()
    rows = con.execute(
        "SELECT source, ids, customers, ids_joined_by_key, ids_joined_by_address, ids_conflicting, ids_ambiguous,"
        " ids_unmatched + ids_without_address FROM marts.identity_report ORDER BY source"
    ).fetchall()
    return tuple(SourceSummary(*row) for row in rows)


def _rules(con: DuckDBPyConnection, feed: str) -> tuple[tuple[str, int], ...]:
    """Rule → rows in force that broke it."""
    if not {"_batch_id", "_line", "column_name", "rule"} <= table_columns(con, f"quarantine.{feed}"):
        return ()
    rows = con.execute(
        "SELECT concat_ws(' ', column_name, rule), count(DISTINCT (_batch_id, _line)) AS broken"
        f" FROM quarantine.{identifier(feed)} SEMI JOIN (SELECT batch_id FROM raw.ledger WHERE feed = ?"
        " AND status = 'loaded' AND superseded_by IS NULL) AS batch ON _batch_id = batch_id"
        " GROUP BY ALL ORDER BY broken DESC, 1",
        [feed],
    ).fetchall()
    return tuple((rule, int(broken)) for rule, broken in rows)


def days_late(last_days: Sequence[date], as_of: date) -> int:
    """Days without a row beyond twice the usual step from file to file; 0 where no step can be told.

    Args:
        last_days: The last business day of every file, ascending.
        as_of: The day that is computed.
    """
    steps = [(later - earlier).days for earlier, later in pairwise(last_days) if later > earlier]
    if len(steps) < 2:
        return 0
    silent = (as_of - last_days[-1]).days
    return silent if silent > 2 * median(steps) else 0


def collect_figures(con: DuckDBPyConnection, as_of: date) -> tuple[date | None, tuple[Figure, ...]]:
    """The last month that had ended on `as_of`, and its figures beside those of the month before."""
    columns = table_columns(con, "marts.kpi_monthly")
    shown = [(name, label, unit) for name, label, unit in _FIGURES if name in columns]
    if not shown or "month_start" not in columns:
        return None, ()
    wanted = [*(name for name, _, _ in shown), *(f"{name}_{end}" for name, _, _ in shown for end in ("low", "high"))]
    present = [name for name in wanted if name in columns]
    rows = con.execute(
        f"SELECT month_start::DATE, {', '.join(f'CAST({identifier(name)} AS DOUBLE)' for name in present)}"
        " FROM marts.kpi_monthly WHERE last_day(month_start) <= ? ORDER BY month_start DESC LIMIT 2",
        [as_of],
    ).fetchall()
    if not rows:
        return None, ()
    month = rows[0][0]
    now = dict(zip(present, rows[0][1:], strict=True))
    follows = len(rows) > 1 and rows[1][0] == (month - timedelta(days=1)).replace(day=1)
    before = dict(zip(present, rows[1][1:], strict=True)) if follows else {}
    figures = tuple(
        Figure(name, label, unit, now[name], before.get(name), now.get(f"{name}_low"), now.get(f"{name}_high"))
        for name, label, unit in shown
        if _is_worth_showing(name, now[name], before.get(name))
    )
    return month, figures


def _is_worth_showing(name: str, value: float | None, previous: float | None) -> bool:
    if name in _ONLY_IF_ANY:
        return bool(value or previous)
    return value is not None or previous is not None


def collect_model(con: DuckDBPyConnection, as_of: date) -> ModelSummary | None:
    """The metrics of the model that scored the day; None where there is none."""
    columns = table_columns(con, "decisions.churn_model")
    fields = [name for name in _MODEL_COLUMNS if _MODEL_COLUMNS[name] in columns]
    if not fields:
        return None
    rows = con.execute(
        f"SELECT {', '.join(identifier(_MODEL_COLUMNS[name]) for name in fields)} FROM decisions.churn_model"
        " WHERE as_of = ? LIMIT 1",
        [as_of],
    ).fetchall()
    if not rows:
        return None
    scored = None
    if table_columns(con, "decisions.churn_scores"):
        scored = int(
            con.execute("SELECT count(*) FROM decisions.churn_scores WHERE as_of = ?", [as_of]).fetchall()[0][0]
        )
    known: dict[str, Any] = {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in zip(fields, rows[0], strict=True)
        if value is not None
    }
    return ModelSummary(**known, customers_scored=scored, importance=_importance(con))


def _importance(con: DuckDBPyConnection) -> tuple[tuple[str, float], ...]:
    if not {"feature", "importance"} <= table_columns(con, "decisions.feature_importance"):
        return ()
    rows = con.execute(
        "SELECT feature, CAST(importance AS DOUBLE) FROM decisions.feature_importance WHERE importance > 0"
        " ORDER BY importance DESC, feature LIMIT ?",
        [_MOST_FEATURES],
    ).fetchall()
    return tuple(rows)


_MODEL_COLUMNS = {
    "auc": "auc",
    "auc_low": "auc_low",
    "auc_high": "auc_high",
    "average_precision": "pr_auc",
    "brier": "brier",
    "lift": "lift_top_decile",
    "base_rate": "base_rate",
    "base_rate_brier": "brier_base_rate",
    "baseline_auc": "baseline_auc",
    "baseline_average_precision": "baseline_pr_auc",
    "baseline_brier": "baseline_brier",
    "test_from": "test_from",
    "test_to": "test_to",
    "test_rows": "test_rows",
    "algorithm": "algorithm",
    "model_id": "model_id",
}
"""Field of the summary → column of `decisions.churn_model`."""

_PLAY_COLUMNS = frozenset({"as_of", "play", "treatment", "control", "excluded", "cost", "expected_profit", "note"})


def collect_plays(con: DuckDBPyConnection, as_of: date, titles: Mapping[str, str]) -> tuple[PlaySummary, ...]:
    """The lists of the day with the customers who were left out, by reason.

    Args:
        con: The warehouse.
        as_of: The day of the lists.
        titles: Play → its title, in the order in which plays choose.
    """
    if not table_columns(con, "decisions.campaign_summary") >= _PLAY_COLUMNS:
        return ()
    rows = con.execute(
        "SELECT play, treatment, control, excluded, CAST(cost AS DOUBLE), CAST(expected_profit AS DOUBLE),"
        " coalesce(note, '') FROM decisions.campaign_summary WHERE as_of = ? ORDER BY play",
        [as_of],
    ).fetchall()
    reasons: dict[str, list[tuple[str, int]]] = {}
    if table_columns(con, "decisions.campaign_exclusions"):
        for play, reason, customers in con.execute(
            "SELECT play, reason, count(*) FROM decisions.campaign_exclusions WHERE as_of = ?"
            " GROUP BY ALL ORDER BY 1, 3 DESC, 2",
            [as_of],
        ).fetchall():
            reasons.setdefault(play, []).append((words(reason), int(customers)))
    place = {play: number for number, play in enumerate(titles)}
    return tuple(
        PlaySummary(play, titles.get(play, play), int(treatment), int(control), int(excluded), cost, profit,
                    tuple(reasons.get(play, ())), note)
        for play, treatment, control, excluded, cost, profit, note in sorted(
            rows, key=lambda row: (place.get(row[0], len(place)), row[0])
        )
    )  # fmt: skip
