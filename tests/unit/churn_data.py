"""Warehouses with a known churn process, for the tests of the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import duckdb
import numpy as np

from retention_pipeline.churn.features import FEATURES
from retention_pipeline.workspace.schema import ChurnSettings

HORIZON = 60
SETTINGS = ChurnSettings(horizon_days=HORIZON, test_dates=3, seed=11)
USED = ("tenure_days", "days_since_last_activity", "orders_90d", "revenue_90d", "last_nps")
"""Features that have values; the first four drive churn, the last is noise and often missing."""


def month_ends(first_year: int, months: int) -> list[date]:
    """`months` month-ends from January of `first_year`."""
    starts = [date(first_year + month // 12, month % 12 + 1, 1) for month in range(1, months + 1)]
    return [start - timedelta(days=1) for start in starts]


@dataclass
class Process:
    """Customers at month-ends, each leaving with a probability that is known.

    Args:
        months: Labelled month-ends; the as-of day lies one horizon after the last.
        customers: Customers, all active at every date.
        seed: Seed of everything.
        level: Log-odds of leaving of an average customer.
        strength: How much the features tell: 0 for nothing.
    """

    months: int = 14
    customers: int = 250
    seed: int = 5
    level: float = -1.0
    strength: float = 1.2
    dates: list[date] = field(init=False)
    day: date = field(init=False)

    def __post_init__(self) -> None:
        self.dates = month_ends(2020, self.months)
        self.day = self.dates[-1] + timedelta(days=HORIZON)

    def rows(self) -> dict[str, np.ndarray]:
        """Every customer at every date and on the as-of day, by column; the outcome is drawn for all of them."""
        random = np.random.default_rng(self.seed)
        dates = [*self.dates, self.day]
        size = len(dates) * self.customers
        silent = random.exponential(30, size).round()
        orders = random.poisson(3, size).astype(float)
        odds = self.level + self.strength * ((silent - 30) / 30 - 0.5 * (orders - 3))
        probability = 1 / (1 + np.exp(-odds))
        nps = np.where(random.random(size) < 0.4, np.nan, random.integers(0, 11, size))
        return {
            "as_of": np.repeat(np.asarray(dates, dtype="datetime64[us]"), self.customers),
            "customer": np.tile(np.arange(self.customers), len(dates)),
            "tenure_days": random.integers(1, 900, size).astype(float),
            "days_since_last_activity": silent,
            "orders_90d": orders,
            "revenue_90d": (orders * random.gamma(2, 20, size)).round(2),
            "last_nps": nps,
            "probability": probability,
            "has_churned": random.random(size) < probability,
        }


def build_marts(
    con: duckdb.DuckDBPyConnection, process: Process, *, edits: Sequence[str] = (), shuffled: bool = False
) -> dict[str, np.ndarray]:
    """Write `marts.customer_features` and `marts.churn_labels` of a process; returns its rows.

    Args:
        con: Where to write.
        process: What happens.
        edits: Statements to run on the tables afterwards.
        shuffled: Store the rows in another order.
    """
    rows = process.rows()
    con.register("made", rows)
    order = "hash(customer, as_of)" if shuffled else "as_of, customer"
    columns = ", ".join(
        f"CASE WHEN isnan({feature.name}) THEN NULL ELSE {feature.name} END AS {feature.name}"
        if feature.name in USED
        else "month(as_of) AS month_of_year"
        if feature.name == "month_of_year"
        else f"CAST(NULL AS DOUBLE) AS {feature.name}"
        for feature in FEATURES
    )
    con.execute("CREATE SCHEMA IF NOT EXISTS marts")
    con.execute(
        "CREATE OR REPLACE TABLE marts.customer_features AS SELECT CAST(as_of AS DATE) AS as_of,"
        f" left(sha256(customer::VARCHAR), 24) AS customer_key, {columns}, false AS has_given_notice"
        f" FROM made ORDER BY {order}"
    )
    con.execute(
        "CREATE OR REPLACE TABLE marts.churn_labels AS SELECT CAST(as_of AS DATE) AS as_of,"
        f" left(sha256(customer::VARCHAR), 24) AS customer_key, has_churned FROM made WHERE as_of < ? ORDER BY {order}",
        [process.day],
    )
    con.unregister("made")
    for statement in edits:
        con.execute(statement)
    return rows
