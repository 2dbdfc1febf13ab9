"""Warehouses with customers that a test describes, for the tests of campaign decisions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from retention_pipeline.campaigns.columns import CUSTOMER_360
from retention_pipeline.campaigns.deciding import decide
from retention_pipeline.campaigns.history import keep_decisions
from retention_pipeline.workspace.schema import Retention

DAY = date(2026, 3, 31)
SALT = "a salt of the tests only"
BASIS = {"email": {"basis": "legitimate_interest", "note": "Existing customers, own products."}}
ORDERS = {"order_lines": [{"files": "*.csv", "columns": {}}]}

Row = Mapping[str, Any]


def key_of(customer_id: str) -> str:
    """The customer key as the models make it."""
    return hashlib.sha256(f"{SALT}:{customer_id}".encode()).hexdigest()[:24]


def offer(name: str = "message", **changes: Any) -> dict[str, Any]:
    return {"name": name, "title": name.capitalize(), "effect": 0.1, **changes}


def play(**changes: Any) -> dict[str, Any]:
    """A play for every active customer, without limits and without a control group."""
    return {
        "title": "A play",
        "who": "is_active",
        "offers": [offer()],
        "control_share": 0,
        "cooldown_days": 0,
        **changes,
    }


def business(plays: Mapping[str, Any], **changes: Any) -> Retention:
    """A business without a holdout and without a pause between contacts, unless `changes` say otherwise."""
    return Retention.model_validate(
        {
            "business": "tested",
            "title": "Tested",
            "kind": "transactional",
            "timezone": "Europe/Paris",
            "currency": "EUR",
            "language": "fr",
            "salt": SALT,
            "first_day": date(2020, 1, 1),
            "feeds": ORDERS,
            "contact": {"holdout_share": 0, "min_days_between": 0},
            "consent_basis": BASIS,
            "plays": plays,
            **changes,
        }
    )


def customer(customer_id: str, **values: Any) -> dict[str, Any]:
    """An active customer with a score of 0.5 and a margin of 100; `values` are columns of customer_360 or the score."""
    return {
        "customer_id": customer_id,
        "is_active": True,
        "is_at_risk": False,
        "has_given_notice": False,
        "lifecycle_stage": "active",
        "margin_365d": 100,
        "churn_probability": 0.5,
        **values,
    }


def warehouse(
    customers: Sequence[Row],
    *,
    day: date = DAY,
    path: Path | None = None,
    consents: Sequence[tuple[str, str, str, str]] = (),
    suppressions: Sequence[tuple[str, str | None, str]] = (),
) -> duckdb.DuckDBPyConnection:
    """A warehouse with what campaign decisions read.

    Args:
        customers: As `customer` makes them; `email` and `phone` go to the customer records.
        day: The as-of day.
        path: Where the file is; in memory where it is not given.
        consents: Customer, channel, purpose, status.
        suppressions: Customer, channel or None for all, reason.
    """
    con = duckdb.connect(str(path) if path else ":memory:")
    for schema in ("staging", "intermediate", "marts", "decisions"):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for table, columns in (
        ("intermediate.int_consents", "customer_id VARCHAR, channel VARCHAR, purpose VARCHAR, status VARCHAR"),
        ("intermediate.int_suppressions", "customer_id VARCHAR, channel VARCHAR, reason VARCHAR"),
        ("decisions.churn_model", "as_of DATE, model_id VARCHAR"),
    ):
        con.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
    _fill(con, "intermediate.int_consents", consents)
    _fill(con, "intermediate.int_suppressions", suppressions)
    set_day(con, customers, day)
    return con


def set_day(con: duckdb.DuckDBPyConnection, customers: Sequence[Row], day: date) -> None:
    """Let the warehouse show `day` with these customers."""
    columns = ", ".join(f"{name} {kind}" for name, kind in CUSTOMER_360.items())
    con.execute(f"CREATE OR REPLACE TABLE marts.customer_360 ({columns})")
    con.execute("CREATE OR REPLACE TABLE intermediate.int_customers (customer_id VARCHAR, customer_key VARCHAR)")
    con.execute(
        "CREATE OR REPLACE TABLE intermediate.int_customer_records (customer_id VARCHAR, email VARCHAR, phone VARCHAR)"
    )
    con.execute(
        "CREATE OR REPLACE TABLE decisions.churn_scores"
        " (as_of DATE, customer_key VARCHAR, churn_probability DOUBLE, risk_band VARCHAR, risk_rank INTEGER)"
    )
    known = [{**row, "customer_key": key_of(row["customer_id"]), "as_of": day} for row in customers]
    given = [name for name in CUSTOMER_360 if any(name in row for row in known)]
    _fill(con, f"marts.customer_360 ({', '.join(given)})", [tuple(row.get(name) for name in given) for row in known])
    _fill(con, "intermediate.int_customers", [(row["customer_id"], row["customer_key"]) for row in known])
    records = [(row["customer_id"], row.get("email"), row.get("phone")) for row in known]
    _fill(con, "intermediate.int_customer_records", records)
    scored = sorted(
        (row for row in known if row.get("churn_probability") is not None), key=lambda row: -row["churn_probability"]
    )
    _fill(
        con,
        "decisions.churn_scores",
        [
            (day, row["customer_key"], row["churn_probability"], row.get("risk_band", "medium"), rank)
            for rank, row in enumerate(scored, start=1)
        ],
    )


def _fill(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        con.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def decide_and_keep(con: duckdb.DuckDBPyConnection, config: Retention, state: Path, day: date = DAY) -> None:
    """Decide a day and keep it for the days after it."""
    decide(con, config, day, state)
    keep_decisions(con, day, state)


def targets(con: duckdb.DuckDBPyConnection, columns: str = "play, customer_id, arm") -> list[tuple[Any, ...]]:
    """Rows of the targets with customer ids, by play and rank."""
    return con.execute(
        f"SELECT {columns} FROM decisions.campaign_targets JOIN intermediate.int_customers USING (customer_key)"
        " ORDER BY play, priority_rank"
    ).fetchall()


def exclusions(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    """Play and customer id → reason."""
    rows = con.execute(
        "SELECT play, customer_id, reason FROM decisions.campaign_exclusions"
        " JOIN intermediate.int_customers USING (customer_key)"
    ).fetchall()
    return {(name, customer_id): reason for name, customer_id, reason in rows}


def days_before(count: int) -> date:
    return DAY - timedelta(days=count)
