"""Metrics of the shipped businesses against figures worked from the export files by another way.

The models find periods of activity by islands of days; here the definition is applied literally: who was active on a
day is asked for that day alone. Nothing of the pipeline but the finished tables is used.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from lifelines import KaplanMeierFitter

from tests.pipelines import ONLINE_RETAIL, OULAD

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("online_retail")]

# The shop: what a purchase is, read from the invoices. The days of inactivity and the horizon are 90.
_INVOICES = f"""
CREATE TABLE invoice_lines AS
SELECT regexp_extract(filename, 'invoices_.*') AS file, invoice, code, what, quantity, moment, price, customer
FROM (
  SELECT filename, Invoice AS invoice, StockCode AS code, Description AS what, Quantity AS quantity,
         InvoiceDate AS moment, Price AS price, "Customer ID" AS customer
  FROM read_csv('{ONLINE_RETAIL}/exports/invoices_fy2010_*.csv.zst', all_varchar = true, filename = true)
  UNION ALL
  SELECT filename, InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, split_part(CustomerID, '.', 1)
  FROM read_csv('{ONLINE_RETAIL}/exports/invoices_fy2011_*.csv.zst', all_varchar = true, filename = true)
);
CREATE TABLE purchase_days AS
SELECT DISTINCT customer, moment[:10]::DATE AS day FROM invoice_lines
WHERE customer <> '' AND invoice[1] NOT IN ('C', 'A') AND quantity::DOUBLE > 0 AND price::DOUBLE > 0
  AND upper(code) NOT IN ('POST', 'DOT', 'C2', 'C3', 'BANK CHARGES', 'AMAZONFEE', 'CRUK', 'M', 'D', 'S', 'B')
  AND NOT regexp_matches(upper(code), '^(ADJUST|TEST|GIFT)');
"""

# Active at the end of a day: a purchase in the 90 days that end with it.
_SHOP_MONTHS = """
WITH ends AS (
  SELECT unnest(generate_series(DATE '2009-12-01', DATE '2011-11-01', INTERVAL 1 MONTH))::DATE AS month_start
), active AS (
  SELECT DISTINCT month_start, when_, customer FROM (
    SELECT month_start, 'opening' AS when_, month_start - 1 AS day FROM ends
    UNION ALL SELECT month_start, 'closing', last_day(month_start) FROM ends
  ) AS asked JOIN purchase_days p ON p.day <= asked.day AND p.day > asked.day - 90
), people AS (
  SELECT month_start, customer, bool_or(when_ = 'opening') AS s, bool_or(when_ = 'closing') AS e
  FROM active GROUP BY ALL
)
SELECT month_start, count(*) FILTER (s), count(*) FILTER (e), count(*) FILTER (s AND e), count(*) FILTER (s AND NOT e)
FROM people GROUP BY month_start ORDER BY month_start
"""

# The courses: access from start or registration to withdrawal or end; only what had happened by the as-of day.
_ENROLMENTS = f"""
CREATE TABLE enrolments AS
SELECT student_id AS student, greatest(starts_on, registered_on) AS begins,
       least(coalesce(left_on, ends_on), ends_on) AS ends,
       left_on IS NOT NULL AND left_on <= ends_on AS has_left
FROM (
  SELECT student_id, starts_on::DATE AS starts_on, ends_on::DATE AS ends_on,
         try_cast(registered_on AS DATE) AS registered_on, try_cast(unregistered_on AS DATE) AS left_on
  FROM read_csv('{OULAD}/exports/enrolments.csv.zst', all_varchar = true)
) WHERE registered_on IS NOT NULL AND registered_on <= DATE '2014-10-31';
DELETE FROM enrolments WHERE ends <= begins;
-- A course that begins on the day after another's end continues it.
UPDATE enrolments SET ends = enrolments.ends + 1 FROM enrolments AS next
WHERE next.student = enrolments.student AND next.begins = enrolments.ends + 1;
"""

_LEARNER_MONTHS = """
WITH ends AS (
  SELECT unnest(generate_series(DATE '2013-03-01', DATE '2014-10-01', INTERVAL 1 MONTH))::DATE AS month_start
), opening AS (
  SELECT DISTINCT month_start, student FROM ends JOIN enrolments ON begins < month_start AND ends >= month_start
), closing AS (
  SELECT DISTINCT month_start, student FROM ends
  JOIN enrolments ON begins <= last_day(month_start) AND ends > last_day(month_start)
), gone AS (
  SELECT o.month_start, o.student, max_by(n.has_left, (n.ends, n.has_left)) AS has_left
  FROM opening o ANTI JOIN closing c USING (month_start, student)
  JOIN enrolments n ON n.student = o.student AND n.ends BETWEEN o.month_start AND last_day(o.month_start)
  GROUP BY ALL
)
SELECT month_start, (SELECT count(*) FROM opening o WHERE o.month_start = e.month_start),
       (SELECT count(*) FROM closing c WHERE c.month_start = e.month_start),
       (SELECT count(*) FROM gone g WHERE g.month_start = e.month_start AND g.has_left),
       (SELECT count(*) FROM gone g WHERE g.month_start = e.month_start AND NOT g.has_left)
FROM ends e ORDER BY month_start
"""


# Cohorts of first purchases by month: who bought in the month of an age, and who in it or up to a year after the first.
_SHOP_COHORTS = """
WITH firsts AS (
  SELECT customer, min(day) AS first_day, date_trunc('month', min(day))::DATE AS cohort
  FROM purchase_days GROUP BY customer
), cells AS (
  SELECT a.cohort, (a.cohort + to_months(n::INTEGER))::DATE AS month_start, n AS age
  FROM (SELECT DISTINCT cohort FROM firsts) a, range(25) ages(n)
  WHERE a.cohort + to_months(n::INTEGER + 1) <= DATE '2011-12-01'
)
SELECT cohort, age, (SELECT count(*) FROM firsts f WHERE f.cohort = cells.cohort),
  (SELECT count(DISTINCT customer) FROM purchase_days p JOIN firsts f USING (customer)
   WHERE f.cohort = cells.cohort AND date_trunc('month', p.day) = month_start),
  CASE WHEN age <= 12 AND cohort + to_months(13) <= DATE '2011-12-01' THEN (
    SELECT count(DISTINCT customer) FROM purchase_days p JOIN firsts f USING (customer)
    WHERE f.cohort = cells.cohort AND p.day >= month_start AND p.day < cells.cohort + to_months(13)
  ) END
FROM cells ORDER BY cohort, age
"""

_SHOP_BRACKETS = """
WITH firsts AS (
  SELECT customer, min(day) AS first_day, date_trunc('month', min(day))::DATE AS cohort
  FROM purchase_days GROUP BY customer
)
SELECT cohort, low, count(*), count(*) FILTER (EXISTS (
  SELECT 1 FROM purchase_days p
  WHERE p.customer = firsts.customer AND p.day BETWEEN first_day + low AND first_day + high))
FROM firsts, (VALUES (1, 7), (8, 30), (31, 90), (91, 180), (181, 365)) AS brackets(low, high)
WHERE last_day(cohort) + high <= DATE '2011-12-09'
GROUP BY cohort, low ORDER BY cohort, low
"""


@pytest.fixture(scope="module")
def invoices() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(_INVOICES)
    return con


@pytest.fixture(scope="module")
def enrolments() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(_ENROLMENTS)
    return con


def _ask(warehouse: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as con:
        return con.execute(query).fetchall()


def test_shop_months(online_retail_warehouse: Path, invoices: duckdb.DuckDBPyConnection) -> None:
    expected = invoices.execute(_SHOP_MONTHS).fetchall()
    assert len(expected) == 24
    found = _ask(
        online_retail_warehouse,
        "SELECT month_start, customers_opening, customers_closing, customers_retained, customers_churned_of_opening"
        " FROM marts.kpi_monthly WHERE is_complete ORDER BY month_start",
    )
    assert found == expected


def test_shop_by_the_window_is_the_shop(online_retail_warehouse: Path) -> None:
    """Purchases are the only signs of life there, so both ways of counting a fixed window agree in every month."""
    found = _ask(
        online_retail_warehouse,
        "SELECT count(*), count(*) FILTER (customers_opening = customers_opening_by_window"
        " AND customers_lost = customers_lost_by_window AND customers_closing = customers_closing_by_window"
        " AND customer_churn_rate IS NOT DISTINCT FROM churn_rate_by_window)"
        " FROM marts.kpi_monthly JOIN marts.churn_by_rhythm USING (month_start)",
    )
    assert found == [(25, 25)]


def test_shop_revenue(online_retail_warehouse: Path, invoices: duckdb.DuckDBPyConnection) -> None:
    """A line in two files counts once, as often as the file that has it most often says."""
    expected = invoices.execute(
        "WITH counted AS ("
        "  SELECT file, invoice, code, nullif(nullif(what, 'nan'), '') AS what, quantity::DECIMAL(18,3) AS quantity,"
        "         moment, price::DECIMAL(18,4) AS price, nullif(nullif(customer, 'nan'), '') AS customer,"
        "         count(*) AS times"
        "  FROM invoice_lines GROUP BY ALL"
        "), lines AS (SELECT * EXCLUDE (file, times), max(times) AS times FROM counted GROUP BY ALL)"
        " SELECT date_trunc('month', moment::TIMESTAMP)::DATE, sum(times * quantity * price)::DECIMAL(18,4) FROM lines"
        " GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert len(expected) == 25
    found = _ask(online_retail_warehouse, "SELECT month_start, revenue FROM marts.kpi_monthly ORDER BY month_start")
    assert found == expected
    assert sum(revenue for _, revenue in expected) == Decimal("18909744.1180")


def test_shop_cohorts(online_retail_warehouse: Path, invoices: duckdb.DuckDBPyConnection) -> None:
    expected = invoices.execute(_SHOP_COHORTS).fetchall()
    assert len(expected) == 24 * 25 // 2
    found = _ask(
        online_retail_warehouse,
        "SELECT cohort_start, age, cohort_size, classic_retention_rate_numerator, unbounded_retention_rate_numerator"
        " FROM marts.cohort_retention WHERE cohort_kind = 'first_purchase' AND cohort_unit = 'month'"
        " AND classic_retention_rate IS NOT NULL ORDER BY cohort_start, age",
    )
    assert found == expected


def test_shop_brackets(online_retail_warehouse: Path, invoices: duckdb.DuckDBPyConnection) -> None:
    expected = invoices.execute(_SHOP_BRACKETS).fetchall()
    assert len(expected) > 80
    found = _ask(
        online_retail_warehouse,
        "SELECT cohort_start, from_day, cohort_size, bracket_retention_rate_numerator FROM marts.cohort_brackets"
        " WHERE cohort_kind = 'first_purchase' AND cohort_unit = 'month' AND bracket_retention_rate IS NOT NULL"
        " ORDER BY cohort_start, from_day",
    )
    assert found == expected


def test_shop_lifetimes(online_retail_warehouse: Path, invoices: duckdb.DuckDBPyConnection) -> None:
    """First lifetimes: purchases up to a gap of more than 90 days, seen up to 90 days before the last day."""
    days = invoices.execute("SELECT customer, list(day ORDER BY day) FROM purchase_days GROUP BY customer").fetchall()
    seen_until = date(2011, 12, 9) - timedelta(days=90)
    tenures, ended = [], []
    for _, visits in days:
        if visits[0] > seen_until:
            continue
        gaps = ((after - before).days for before, after in pairwise([*visits, date(2011, 12, 9) + timedelta(days=1)]))
        last = next((visits[place] for place, gap in enumerate(gaps) if gap > 90), None)
        ended.append(last is not None)
        tenures.append(((last or seen_until) - visits[0]).days)
    fitted = KaplanMeierFitter().fit(tenures, ended)
    points = _ask(
        online_retail_warehouse,
        "SELECT tenure_days, survival FROM marts.survival_curve WHERE dimension = 'all' ORDER BY tenure_days",
    )
    assert len(points) > 90
    assert [share for _, share in points] == pytest.approx(
        [fitted.survival_function_.loc[:day].iloc[-1, 0] for day, _ in points], abs=1e-9
    )
    assert _ask(
        online_retail_warehouse,
        "SELECT customers, customers_ended, median_lifetime_days FROM marts.survival_summary WHERE dimension = 'all'",
    ) == [(len(tenures), sum(ended), fitted.median_survival_time_)]


def test_shop_labels(online_retail_warehouse: Path, invoices: duckdb.DuckDBPyConnection) -> None:
    """Lost within 90 days: on one of them the last purchase is 90 days back, day by day."""
    expected = invoices.execute(
        "WITH active AS ("
        "  SELECT DISTINCT customer FROM purchase_days WHERE day BETWEEN DATE '2011-08-31' - 89 AND DATE '2011-08-31'"
        "), days AS (SELECT DATE '2011-08-31' + n::INTEGER AS day FROM range(1, 91) t(n)), silent AS ("
        "  SELECT DISTINCT customer FROM active, days WHERE NOT EXISTS ("
        "    SELECT 1 FROM purchase_days p"
        "    WHERE p.customer = active.customer AND p.day <= days.day AND p.day > days.day - 90))"
        " SELECT (SELECT count(*) FROM active), (SELECT count(*) FROM silent)"
    ).fetchall()
    found = _ask(
        online_retail_warehouse,
        "SELECT count(*), count(*) FILTER (has_churned) FROM marts.churn_labels WHERE as_of = DATE '2011-08-31'",
    )
    assert found == expected


def test_shop_features(online_retail_warehouse: Path, invoices: duckdb.DuckDBPyConnection) -> None:
    """Sums over all active customers at a past date."""
    expected = invoices.execute(
        "SELECT count(DISTINCT customer) FILTER (day > DATE '2011-06-30' - 90),"
        " sum((DATE '2011-06-30' - last_day_)) FILTER (day = last_day_ AND last_day_ > DATE '2011-06-30' - 90)"
        " FROM (SELECT *, max(day) OVER (PARTITION BY customer) AS last_day_ FROM purchase_days"
        "       WHERE day <= DATE '2011-06-30')"
    ).fetchall()
    found = _ask(
        online_retail_warehouse,
        "SELECT count(*), sum(days_since_last_order) FROM marts.customer_features WHERE as_of = DATE '2011-06-30'",
    )
    assert found == expected


def test_learner_months(oulad_warehouse: Path, enrolments: duckdb.DuckDBPyConnection) -> None:
    expected = enrolments.execute(_LEARNER_MONTHS).fetchall()
    assert len(expected) == 20
    found = _ask(
        oulad_warehouse,
        "SELECT month_start, customers_opening, customers_closing, customers_churned_of_opening,"
        " customers_completed_of_opening FROM marts.kpi_monthly WHERE month_start >= DATE '2013-03-01'"
        " ORDER BY month_start",
    )
    assert found == expected


def test_every_learner_is_in_one_row(oulad_warehouse: Path) -> None:
    """Who had registered or used the site by the as-of day; no end after that day is known."""
    found = _ask(
        oulad_warehouse,
        "SELECT count(*), count(DISTINCT customer_key), max(ended_on) <= DATE '2014-10-31', max(as_of)"
        " FROM marts.customer_360",
    )
    with duckdb.connect() as con:
        learners = con.execute(
            "SELECT count(*) FROM ("
            f" SELECT student_id FROM read_csv('{OULAD}/exports/enrolments.csv.zst', all_varchar = true)"
            "  WHERE try_cast(registered_on AS DATE) <= DATE '2014-10-31'"
            f" UNION SELECT student_id::VARCHAR FROM read_parquet('{OULAD}/exports/usage_*.parquet')"
            "  WHERE used_on <= DATE '2014-10-31')"
        ).fetchall()[0][0]
    assert found == [(learners, learners, True, date(2014, 10, 31))]


def test_use_of_learners(oulad_warehouse: Path) -> None:
    with duckdb.connect() as con:
        expected = con.execute(
            "SELECT used_on, count(DISTINCT student_id), sum(clicks) FROM read_parquet(?)"
            " WHERE used_on <= DATE '2014-10-31' GROUP BY used_on ORDER BY used_on",
            [f"{OULAD}/exports/usage_*.parquet"],
        ).fetchall()
    found = _ask(
        oulad_warehouse,
        "SELECT day, customers_using, usage_events FROM marts.kpi_daily WHERE usage_events > 0 ORDER BY day",
    )
    assert found == expected
