"""A small sound warehouse, with a manifest that declares its marts, into which tests plant faults."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from retention_pipeline.campaigns.tables import column_definitions
from retention_pipeline.churn.scoring import TABLES as SCORE_TABLES
from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.feeds.ledger import LOADED, Entry, write_entry
from retention_pipeline.feeds.tables import raw_columns
from retention_pipeline.settings import StatePaths
from retention_pipeline.warehouse import create_layout, open_warehouse
from retention_pipeline.workspace.schema import Play

DAY = date(2026, 3, 31)
FEEDS = ("customers", "order_lines")
PERSONAL = ("ann@example.org", "+44 20 7946 0001", "C-secret-")
"""Parts of values that must not leave the warehouse."""

PLAYS = {
    name: Play(
        title=name,
        who="is_active",
        offers=({"name": "gift", "title": "A gift", "effect": 0.1},),
        require_profit=name == "save",
    )
    for name in ("save", "news")
}


def plant(paths: StatePaths, *statements: str) -> None:
    """Change the warehouse."""
    with duckdb.connect(str(paths.warehouse)) as con:
        for statement in statements:
            con.execute(statement)


def make_warehouse(root: Path) -> StatePaths:
    """A state folder whose warehouse breaks no expectation of the four suites."""
    paths = StatePaths(root)
    with open_warehouse(paths.warehouse) as con:
        create_layout(con)
        add_batch(con, "customers", batch=1, rows=5)
        add_batch(con, "order_lines", batch=2, rows=8)
        _marts(con)
        _decisions(con)
    return paths


def add_batch(con: duckdb.DuckDBPyConnection, feed: str, *, batch: int, rows: int) -> None:
    """Load `rows` sound rows of a feed, with their line in the ledger."""
    given = {
        "_batch_id": str(batch),
        "_line": "i",
        "_known_on": "NULL",
        "_line_id": "i" if not CONTRACTS[feed].keys else "NULL",
        "customer_id": f"'C-secret-{batch}-' || i",
        "email": "'ann@example.org'",
        "phone": "'+44 20 7946 0001'",
        "created_at": "TIMESTAMP '2026-01-01'",
        "birth_year": "1980",
        "attributes": "'{}'",
        "is_test": "false",
        "order_id": "'O' || i",
        "ordered_at": "TIMESTAMP '2026-02-01' + to_days(i::INTEGER)",
        "kind": "'purchase'",
        "currency": "'GBP'",
        "quantity": "1",
        "unit_price": "9.5",
        "discount": "0",
        "tax": "0",
        "unit_cost": "1",
    }
    values = ", ".join(
        f"CAST({given.get(name, repr('x'))} AS {kind.removesuffix(' NOT NULL')})"
        for name, kind in raw_columns(CONTRACTS[feed])
    )
    con.execute(f"INSERT INTO raw.{feed} SELECT {values} FROM range(1, {rows} + 1) r(i)")
    write_entry(
        con,
        Entry(
            batch_id=batch,
            feed=feed,
            path=f"exports/{feed}_{batch}.csv",
            content_hash=f"hash of {batch}",
            size_bytes=1,
            status=LOADED,
            files="exports/*.csv",
            mapping_hash="mapping",
            rows_read=rows,
            rows_loaded=rows,
        ),
    )


def make_manifest() -> dict[str, Any]:
    """What dbt would say of the marts of the sample."""
    orders = _model(
        "fct_orders",
        ["order_id"],
        order_id=("varchar", {}),
        net_revenue=("decimal(18,4)", {}),
        status=("varchar", {}),
    )
    months = _model(
        "kpi_monthly",
        ["month_start"],
        month_start=("date", {"constraints": [{"type": "not_null"}]}),
        customers_opening=("bigint", {"constraints": [{"type": "not_null"}]}),
        customer_churn_rate=("double", {}),
        nps=("double", {"config": {"meta": {"minimum": -100, "maximum": 100}}}),
    )
    features = _model(
        "customer_features",
        ["as_of", "customer_key"],
        as_of=("date", {}),
        customer_key=("text", {}),
        days_since_last_order=("integer", {}),
        has_given_notice=("boolean", {}),
    )
    accepted = {
        "resource_type": "test",
        "attached_node": "model.fct_orders",
        "column_name": "status",
        "test_metadata": {"name": "accepted_values", "kwargs": {"arguments": {"values": ["open", "paid"]}}},
    }
    return {"nodes": {**{node["unique_id"]: node for node in (orders, months, features)}, "test.status": accepted}}


def _model(name: str, grain: list[str], **columns: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "resource_type": "model",
        "unique_id": f"model.{name}",
        "schema": "marts",
        "name": name,
        "description": f"{name}. One row per {', '.join(grain)}.",
        "config": {"meta": {"grain": grain}},
        "columns": {
            column: {"name": column, "data_type": kind, "description": column, **more}
            for column, (kind, more) in columns.items()
        },
    }


def _marts(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE marts.fct_orders AS SELECT 'O' || i AS order_id, 9.5::DECIMAL(18,4) AS net_revenue,"
        " 'paid' AS status FROM range(1, 9) r(i)"
    )
    con.execute(
        "CREATE TABLE marts.kpi_monthly AS SELECT DATE '2026-01-01' + to_months(i::INTEGER) AS month_start,"
        " 5::BIGINT AS customers_opening, 0.2::DOUBLE AS customer_churn_rate, -40.0::DOUBLE AS nps FROM range(3) r(i)"
    )
    con.execute("ALTER TABLE marts.kpi_monthly ALTER month_start TYPE DATE")
    con.execute(
        "CREATE TABLE marts.customer_features AS SELECT DATE '2026-03-31' AS as_of, 'k' || i AS customer_key,"
        " 3 AS days_since_last_order, i = 5 AS has_given_notice FROM range(1, 6) r(i)"
    )


def _decisions(con: duckdb.DuckDBPyConnection) -> None:
    for table, columns in SCORE_TABLES.items():
        con.execute(
            f"CREATE TABLE decisions.{table} ({', '.join(f'{name} {kind}' for name, (kind, _) in columns.items())})"
        )
    con.execute(
        "INSERT INTO decisions.churn_scores SELECT DATE '2026-03-31', 'k' || i, 0.5 - i / 10, 'medium', i, 'm'"
        " FROM range(1, 5) r(i)"
    )
    con.execute("INSERT INTO decisions.churn_model (model_id, base_rate) VALUES ('m', 0.25)")
    for table in ("campaign_targets", "campaign_exclusions", "campaign_summary"):
        con.execute(f"CREATE TABLE decisions.{table} ({column_definitions(table)})")
    con.execute(
        "INSERT INTO decisions.campaign_targets SELECT DATE '2026-03-31', play, key, 'gift', 'email', 'en',"
        " TIMESTAMP '2026-04-01 10:00', DATE '2026-04-14', '', 0.4, 100, 0.05, profit, 1, rank, arm, 'x', '{}'"
        " FROM (VALUES ('save', 'k1', 5, 1, 'treatment'), ('save', 'k2', 0, 2, 'control'), ('news', 'k3', -1, 1,"
        " 'treatment')) t(play, key, profit, rank, arm)"
    )
    con.execute("INSERT INTO decisions.campaign_exclusions VALUES (DATE '2026-03-31', 'save', 'k4', 'holdout')")
    con.execute(
        "INSERT INTO decisions.campaign_summary VALUES (DATE '2026-03-31', 'save', 3, 1, 1, 1, 1, 5, ''),"
        " (DATE '2026-03-31', 'news', 1, 1, 0, 0, 1, -1, '')"
    )
