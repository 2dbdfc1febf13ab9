"""A warehouse and a summary for the tests of the report pages: small, with a value in every place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from retention_pipeline.feeds.ledger import Entry, write_entry
from retention_pipeline.feeds.tables import create_feed_tables
from retention_pipeline.report.summary import (
    CheckSummary,
    FeedSummary,
    Figure,
    ModelSummary,
    Place,
    PlaySummary,
    RunSummary,
    Unit,
)

DAY = date(2025, 12, 9)
STATE = Path("/state/shop")

_MONTHS = """
CREATE SCHEMA marts;
CREATE TABLE marts.kpi_monthly (month_start DATE, is_complete BOOLEAN, customers_opening INT, customers_new INT,
  customers_reactivated INT, customers_lost INT, customers_completed INT, customers_closing INT,
  customer_churn_rate DOUBLE, customer_churn_rate_low DOUBLE, customer_churn_rate_high DOUBLE,
  customer_retention_rate DOUBLE, customer_retention_rate_low DOUBLE, customer_retention_rate_high DOUBLE,
  cancellations_before_start INT, orders INT, active_purchasers INT, revenue DECIMAL(18,2),
  revenue_without_customer DECIMAL(18,2), average_basket DECIMAL(18,2), purchase_frequency DOUBLE);
INSERT INTO marts.kpi_monthly VALUES
  ('2025-09-01', true, 1000, 90, 5, 60, 0, 1035, 0.06, 0.047, 0.076, 0.94, 0.924, 0.953, 0, 800, 610, 90100.10, 1200,
   112.63, 1.31),
  ('2025-10-01', true, 1035, 110, 20, 115, 0, 1050, 0.1, 0.083, 0.12, 0.9, 0.88, 0.917, 0, 900, 700, 100000.00, 0,
   111.11, 1.29),
  ('2025-11-01', true, 1050, 121, 30, 101, 0, 1100, 0.08, 0.065, 0.098, 0.92, 0.902, 0.935, 0, 990, 770, 123456.78,
   2345.60, 124.70, 1.2857),
  ('2025-12-01', false, 1100, 7, 1, 9, 0, 1099, 0.008, 0.004, 0.015, 0.992, 0.985, 0.996, 0, 210, 190, 20000, 10, 95.2,
   1.1);
CREATE TABLE marts.cohort_retention AS SELECT 'first_active' AS cohort_kind, 'month' AS cohort_unit,
  'all' AS dimension, DATE '2025-06-01' + to_months(c::INT) AS cohort_start, a AS age,
  CASE WHEN c + a <= 5 THEN 0.6 - 0.05 * a END AS retention_rate, 90 + c AS cohort_size
  FROM range(6) x(c), range(6) y(a);
"""

_DECISIONS = """
CREATE SCHEMA decisions;
CREATE TABLE decisions.churn_model AS SELECT 'm-3f0c9a61' AS model_id, DATE '2025-12-09' AS as_of,
  'gradient boosting' AS algorithm, DATE '2025-06-30' AS test_from, DATE '2025-08-31' AS test_to, 2900 AS test_rows,
  0.21 AS base_rate, 0.7841 AS auc, 0.7612 AS auc_low, 0.8064 AS auc_high, 0.512 AS pr_auc, 0.131 AS brier,
  0.166 AS brier_base_rate, 3.14 AS lift_top_decile, 0.7702 AS baseline_auc, 0.488 AS baseline_pr_auc,
  0.136 AS baseline_brier;
CREATE TABLE decisions.churn_scores AS SELECT DATE '2025-12-09' AS as_of, i::VARCHAR AS customer_key
  FROM range(1099) r(i);
CREATE TABLE decisions.churn_calibration AS SELECT i AS bin, 0.05 + i / 10 AS predicted, 0.04 + i / 10 AS observed,
  200 AS customers FROM range(8) r(i);
CREATE TABLE decisions.feature_importance AS SELECT * FROM (VALUES ('days_since_last_order', 0.081),
  ('overdue_ratio', 0.04), ('return_share_365d', 0.0)) v(feature, importance);
CREATE TABLE decisions.campaign_summary (as_of DATE, play VARCHAR, eligible BIGINT, treatment BIGINT, control BIGINT,
  excluded BIGINT, cost DECIMAL(18,2), expected_profit DECIMAL(18,2), note VARCHAR);
INSERT INTO decisions.campaign_summary VALUES
  ('2025-12-09', 'save', 300, 180, 20, 100, 360, 4321.5, ''),
  ('2025-12-09', 'win_back', 40, 0, 0, 40, 0, 0, 'nobody is expected to bring a profit');
CREATE TABLE decisions.campaign_exclusions AS
  SELECT DATE '2025-12-09' AS as_of, 'save' AS play, i::VARCHAR AS customer_key,
    CASE WHEN i < 70 THEN 'no_consent' ELSE 'in_cooldown' END AS reason FROM range(100) r(i)
  UNION ALL SELECT DATE '2025-12-09', 'win_back', i::VARCHAR, 'no_profit' FROM range(40) r(i);
"""


def ledger_row(
    con: duckdb.DuckDBPyConnection,
    batch: int,
    feed: str,
    path: str,
    *,
    status: str = "loaded",
    last_day: date | None = None,
    read: int = 100,
    quarantined: int = 0,
    superseded_by: int | None = None,
) -> None:
    """Write what a delivery left in the ledger."""
    entry = Entry(
        batch_id=batch,
        feed=feed,
        path=path,
        content_hash=f"hash {batch}",
        size_bytes=1,
        status=status,
        files="*.csv",
        mapping_hash="mapping",
        last_day=last_day,
        rows_read=read,
        rows_loaded=read - quarantined if status == "loaded" else 0,
        rows_quarantined=quarantined,
        superseded_by=superseded_by,
    )
    write_entry(con, entry)


def build_warehouse(path: Path) -> Path:
    """A warehouse with every table that the report reads."""
    with duckdb.connect(str(path)) as con:
        create_feed_tables(con)
        for month in range(1, 12):
            last = date(2025, month, 28)
            ledger_row(con, month, "order_lines", f"orders_{month:02d}.csv", last_day=last, quarantined=month == 3)
        ledger_row(con, 12, "order_lines", "orders_12.csv", last_day=DAY)
        con.execute(
            "INSERT INTO quarantine.order_lines VALUES (3, 7, 'quantity', 'is no number', 'many', 'a row'),"
            " (3, 7, 'unit_price', 'is no number', 'dear', 'a row')"
        )
        con.execute("CREATE SCHEMA control; CREATE TABLE control.held_feeds (feed VARCHAR, reason VARCHAR)")
        con.execute(_MONTHS)
        con.execute(_DECISIONS)
    return path


def full_summary() -> RunSummary:
    """A good day with a warning, a late feed and an empty list."""
    return RunSummary(
        title="Corner Shop",
        as_of=DAY,
        currency="GBP",
        published_day=DAY,
        feeds=(
            FeedSummary("order_lines", 25, 1_067_371, 1_067_326, 45, DAY, rules=(("quantity is no number", 45),)),
            FeedSummary("tickets", 3, 912, 900, 0, date(2025, 10, 3), days_late=67, rows_skipped=12),
        ),
        month=date(2025, 11, 1),
        figures=(
            Figure("customers_closing", "Customers at the end", Unit.COUNT, 1100, 1050),
            Figure("customer_churn_rate", "Churn rate", Unit.SHARE, 0.08, 0.1, 0.065, 0.098),
            Figure("revenue", "Revenue", Unit.MONEY, 123_456.78, 100_000),
            Figure("average_basket", "Average basket", Unit.MONEY, 124.7, 111.11),
            Figure("purchase_frequency", "Orders per buying customer", Unit.RATIO, 1.2857, None),
        ),
        model=ModelSummary(
            auc=0.7841,
            auc_low=0.7612,
            auc_high=0.8064,
            average_precision=0.512,
            brier=0.131,
            lift=3.14,
            base_rate=0.21,
            base_rate_brier=0.166,
            baseline_auc=0.7702,
            baseline_average_precision=0.488,
            baseline_brier=0.136,
            test_from=date(2025, 6, 30),
            test_to=date(2025, 8, 31),
            test_rows=2900,
            algorithm="gradient boosting",
            model_id="m-3f0c9a61",
            customers_scored=1099,
            importance=(("days_since_last_order", 0.081), ("overdue_ratio", 0.04)),
        ),
        plays=(
            PlaySummary(
                "save", "Save customers at risk", 180, 20, 100, 360, 4321.5, (("no consent", 70), ("in cooldown", 30))
            ),
            PlaySummary(
                "win_back", "Win back", 0, 0, 40, 0, 0, (("no profit", 40),), "nobody is expected to bring a profit"
            ),
        ),
        checks=(
            CheckSummary("marts/kpi_monthly", "grain_is_unique", passed=True, blocking=True),
            CheckSummary("marts/kpi_monthly", "closing_equals_next_opening", passed=True, blocking=True),
            CheckSummary("raw/tickets", "is_fresh", passed=False, description="The newest ticket is not too old."),
        ),
        seconds=(("Start", 2.04), ("load_feeds", 4.5), ("churn__churn_model", 21.96)),
        look_next=(
            Place("Lists", STATE / "lists" / "2025-12-09", "one CSV and one Parquet file per play"),
            Place("Report", STATE / "report" / "2025-12-09.html", "this page with pictures"),
            Place("Database", STATE / "serving.duckdb", "all tables"),
        ),
    )
