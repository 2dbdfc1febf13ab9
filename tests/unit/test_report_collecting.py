"""What the report reads from a warehouse: the right rows, and nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention_pipeline.feeds.tables import create_feed_tables
from retention_pipeline.report.collecting import (
    collect_feeds,
    collect_figures,
    collect_model,
    collect_plays,
    days_late,
    table_columns,
)
from retention_pipeline.report.summary import FeedSummary, Unit
from tests.unit.report_samples import DAY, build_warehouse, ledger_row


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(build_warehouse(tmp_path / "warehouse.duckdb"))) as con:
        yield con


@pytest.fixture
def ledger() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        create_feed_tables(con)
        yield con


def names(figures: tuple) -> list[str]:
    return [figure.name for figure in figures]


def test_nothing_is_read_from_an_empty_warehouse() -> None:
    with duckdb.connect() as con:
        assert collect_feeds(con, DAY, {}) == ()
        assert collect_figures(con, DAY) == (None, ())
        assert collect_model(con, DAY) is None
        assert collect_plays(con, DAY, {}) == ()
        assert table_columns(con, "marts.kpi_monthly") == frozenset()


def test_feeds_count_what_is_in_force(con: duckdb.DuckDBPyConnection) -> None:
    (feed,) = collect_feeds(con, DAY, {})
    assert (feed.feed, feed.files, feed.rows_read, feed.rows_loaded, feed.rows_quarantined) == (
        "order_lines", 12, 1200, 1199, 1,
    )  # fmt: skip
    assert (feed.last_day, feed.files_rejected, feed.days_late) == (DAY, 0, 0)
    # One row that broke two rules: each is named, and the row is counted once by each.
    assert feed.rules == (("quantity is no number", 1), ("unit_price is no number", 1))


def test_a_replaced_file_counts_once(ledger: duckdb.DuckDBPyConnection) -> None:
    ledger_row(ledger, 1, "tickets", "tickets.csv", read=50, quarantined=4, superseded_by=2)
    ledger_row(ledger, 2, "tickets", "tickets.csv", read=60, quarantined=0)
    ledger.execute("INSERT INTO quarantine.tickets VALUES (1, 3, 'opened_at', 'is no time', 'x', 'x')")
    (feed,) = collect_feeds(ledger, DAY, {})
    assert (feed.files, feed.rows_read, feed.rows_quarantined, feed.rules) == (1, 60, 0, ())


def test_rules_of_replaced_files_are_not_shown(ledger: duckdb.DuckDBPyConnection) -> None:
    ledger_row(ledger, 1, "tickets", "tickets.csv", read=50, quarantined=1, superseded_by=2)
    ledger_row(ledger, 2, "tickets", "tickets.csv", read=60, quarantined=1)
    for batch, rule in ((1, "old rule"), (2, "new rule")):
        ledger.execute("INSERT INTO quarantine.tickets VALUES (?, 3, NULL, ?, 'x', 'x')", [batch, rule])
    assert collect_feeds(ledger, DAY, {})[0].rules == (("new rule", 1),)


def test_a_blocked_file_is_counted_while_the_one_before_it_stays_in_force(ledger: duckdb.DuckDBPyConnection) -> None:
    ledger_row(ledger, 1, "tickets", "tickets.csv", read=50)
    ledger_row(ledger, 2, "tickets", "tickets.csv", read=60, status="blocked")
    (feed,) = collect_feeds(ledger, DAY, {"tickets": "too many bad rows"})
    assert (feed.files, feed.rows_read, feed.files_rejected, feed.message) == (1, 50, 1, "too many bad rows")


def test_a_file_that_was_put_back_as_it_was_is_not_rejected_any_more(ledger: duckdb.DuckDBPyConnection) -> None:
    ledger_row(ledger, 1, "tickets", "tickets.csv", read=50)
    ledger_row(ledger, 2, "tickets", "tickets.csv", status="refused", read=0)
    assert collect_feeds(ledger, DAY, {"tickets": "cut off"})[0].files_rejected == 1
    assert collect_feeds(ledger, DAY, {})[0].files_rejected == 0


def test_a_feed_without_an_accepted_file_is_shown(ledger: duckdb.DuckDBPyConnection) -> None:
    ledger_row(ledger, 1, "usage", "usage.csv", status="refused", read=0)
    assert collect_feeds(ledger, DAY, {"usage": "empty"}) == (
        FeedSummary("usage", 0, 0, 0, 0, files_rejected=1, message="empty"),
    )


@pytest.mark.parametrize(
    ("files", "silent", "late"),
    [
        ([], 400, 0),
        ([0], 400, 0),
        ([0, 30], 400, 0),
        ([0, 30, 60], 60, 0),
        ([0, 30, 60], 61, 61),
        ([0, 1, 2, 3], 3, 3),
        ([0, 1, 2, 3], 2, 0),
        # Files that repeat a day say nothing of the usual step.
        ([0, 0, 0, 0], 50, 0),
    ],
)
def test_days_late(files: list[int], silent: int, late: int) -> None:
    days = [date(2025, 1, 1) + timedelta(days=offset) for offset in files]
    as_of = (days[-1] if days else date(2025, 1, 1)) + timedelta(days=silent)
    assert days_late(days, as_of) == late


@given(
    steps=st.lists(st.integers(1, 60), min_size=2, max_size=20),
    silent=st.integers(-100, 300),
)
def test_a_feed_is_late_only_beyond_twice_its_longest_step(steps: list[int], silent: int) -> None:
    days = [date(2020, 1, 1)]
    for step in steps:
        days.append(days[-1] + timedelta(days=step))
    late = days_late(days, days[-1] + timedelta(days=silent))
    assert late in (0, silent)
    if silent <= 2 * min(steps):
        assert late == 0
    if silent > 2 * max(steps):
        assert late == silent


def test_the_last_full_month_stands_beside_the_month_before(con: duckdb.DuckDBPyConnection) -> None:
    month, figures = collect_figures(con, DAY)
    assert month == date(2025, 11, 1)
    by_name = {figure.name: figure for figure in figures}
    churn = by_name["customer_churn_rate"]
    assert (churn.value, churn.previous, churn.low, churn.high) == (0.08, 0.1, 0.065, 0.098)
    revenue = by_name["revenue"]
    assert (revenue.value, revenue.previous, revenue.unit) == (123456.78, 100000.0, Unit.MONEY)
    # Zero in October and something in November: worth a line.
    assert by_name["revenue_without_customer"].previous == 0
    opening = by_name["customers_opening"].value
    moved = [by_name[f"customers_{name}"].value for name in ("new", "reactivated", "lost", "closing")]
    assert opening + moved[0] + moved[1] - moved[2] == moved[3]


def test_an_earlier_day_shows_the_month_that_had_ended_by_then(con: duckdb.DuckDBPyConnection) -> None:
    assert collect_figures(con, date(2025, 10, 31))[0] == date(2025, 10, 1)
    assert collect_figures(con, date(2025, 10, 30))[0] == date(2025, 9, 1)
    assert collect_figures(con, date(2025, 9, 29)) == (None, ())


def test_the_first_month_has_nothing_before_it(con: duckdb.DuckDBPyConnection) -> None:
    month, figures = collect_figures(con, date(2025, 9, 30))
    assert month == date(2025, 9, 1)
    assert {figure.previous for figure in figures} == {None}


def test_a_month_that_is_missing_is_not_replaced_by_an_older_one(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("DELETE FROM marts.kpi_monthly WHERE month_start = DATE '2025-10-01'")
    _, figures = collect_figures(con, DAY)
    assert {figure.previous for figure in figures} == {None}


def test_what_a_business_does_not_have_is_absent(con: duckdb.DuckDBPyConnection) -> None:
    assert "customers_completed" not in names(collect_figures(con, DAY)[1])
    con.execute(
        "UPDATE marts.kpi_monthly SET orders = 0, active_purchasers = 0, revenue = 0, revenue_without_customer = 0,"
        " average_basket = NULL, purchase_frequency = NULL, customers_completed = 4"
    )
    shown = names(collect_figures(con, DAY)[1])
    assert shown == [
        "customers_opening", "customers_new", "customers_reactivated", "customers_lost", "customers_completed",
        "customers_closing", "customer_churn_rate", "customer_retention_rate",
    ]  # fmt: skip


def test_columns_that_are_missing_are_left_out(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CREATE OR REPLACE TABLE marts.kpi_monthly AS SELECT month_start, orders FROM marts.kpi_monthly")
    month, figures = collect_figures(con, DAY)
    assert (month, names(figures), figures[0].low) == (date(2025, 11, 1), ["orders"], None)


def test_the_model_of_the_day(con: duckdb.DuckDBPyConnection) -> None:
    model = collect_model(con, DAY)
    assert model is not None
    assert (model.auc, model.average_precision, model.lift, model.base_rate_brier) == pytest.approx(
        (0.7841, 0.512, 3.14, 0.166)
    )
    assert (model.test_from, model.test_rows, model.customers_scored) == (date(2025, 6, 30), 2900, 1099)
    # A feature that the model does not use is no feature that it relies on.
    assert [name for name, _ in model.importance] == ["days_since_last_order", "overdue_ratio"]


def test_a_model_or_lists_of_another_day_are_not_shown(con: duckdb.DuckDBPyConnection) -> None:
    assert collect_model(con, DAY - timedelta(days=1)) is None
    assert collect_plays(con, DAY - timedelta(days=1), {}) == ()


def test_no_model_was_trained(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("DELETE FROM decisions.churn_model")
    assert collect_model(con, DAY) is None


def test_plays_come_in_the_given_order_and_account_for_everybody(con: duckdb.DuckDBPyConnection) -> None:
    win_back, save = collect_plays(con, DAY, {"win_back": "Win back", "save": "Save customers at risk"})
    assert (save.play, save.title, save.treatment, save.control, save.left_out) == (
        "save", "Save customers at risk", 180, 20, 100,
    )  # fmt: skip
    assert save.eligible == 300
    assert save.reasons == (("no consent", 70), ("in cooldown", 30))
    assert sum(number for _, number in save.reasons) == save.left_out
    assert (win_back.play, win_back.note) == ("win_back", "nobody is expected to bring a profit")


def test_a_play_that_is_not_configured_any_more_comes_last(con: duckdb.DuckDBPyConnection) -> None:
    assert [play.play for play in collect_plays(con, DAY, {"win_back": "Win back"})] == ["win_back", "save"]
