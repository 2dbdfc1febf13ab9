"""A feed that is declared to come regularly is late when it does not; one that delivers nothing to tell is silent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_pipeline.feeds.lateness import arrivals, late_feeds
from retention_pipeline.feeds.loading import load_feeds
from retention_pipeline.warehouse import create_layout
from retention_pipeline.workspace.loading import Business, load_business
from retention_pipeline.workspace.schema import DeliveryRhythm, Retention
from tests.unit.small_exports import COLUMNS, HEAD, HEADER, row

JANUARY = date(2024, 1, 1)
BY_NAME = "      delivered: {pattern: '(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})'}\n"


def _day(number: int) -> date:
    return date(2024, 1, number)


def _business(folder: Path, every: int, tolerance: int, options: str = BY_NAME) -> Business:
    rhythm = f"delivery: {{order_lines: {{every_days: {every}, tolerance_days: {tolerance}}}}}\n"
    (folder / "exports").mkdir(exist_ok=True)
    text = f"{rhythm}{HEAD}  order_lines:\n    - files: exports/*.csv\n{options}{COLUMNS}"
    (folder / "retention.yaml").write_text(text, encoding="utf-8")
    return load_business(folder)


def _deliver(business: Business, day: date, rows: str = "") -> None:
    (business.folder / "exports" / f"orders_{day}.csv").write_text(HEADER + rows, encoding="utf-8")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        create_layout(connection)
        yield connection


def _order(number: int, **cells: str) -> str:
    return row(f"o{number}", time=f"2024-01-{number:02} 10:00:00", **cells)


def _late(con: duckdb.DuckDBPyConnection, business: Business) -> list[int]:
    """Days of January on which the feed is late, after loading what is there."""
    assert not load_feeds(con, business)["order_lines"].problems
    return [number for number in range(1, 21) if late_feeds(con, business.config, _day(number))]


def test_a_feed_that_stops_is_late_from_the_first_missing_day(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    business = _business(tmp_path, every=1, tolerance=0)
    for number in range(1, 11):
        _deliver(business, _day(number), _order(number))
    assert _late(con, business) == list(range(11, 21))


def test_tolerance_gives_it_more_days(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    business = _business(tmp_path, every=1, tolerance=2)
    _deliver(business, _day(10), _order(10))
    assert _late(con, business) == [*range(3, 10), *range(13, 21)]


def test_a_weekly_feed_is_not_late_in_between(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    business = _business(tmp_path, every=7, tolerance=0)
    for number in (1, 8):
        _deliver(business, _day(number), _order(number))
    assert _late(con, business) == list(range(15, 21))


def test_files_without_a_row_are_silence(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """All of them hold the same bytes: a header."""
    business = _business(tmp_path, every=1, tolerance=0)
    for number in range(1, 16):
        _deliver(business, _day(number), _order(1) if number == 1 else "")
    assert _late(con, business) == list(range(16, 21))


def test_without_days_in_names_the_days_of_rows_tell(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    business = _business(tmp_path, every=1, tolerance=1, options="")
    rows = "".join(_order(number) for number in (1, 2, 3, 5, 9))
    (business.folder / "exports" / "orders.csv").write_text(HEADER + rows, encoding="utf-8")
    assert _late(con, business) == [7, 8, *range(11, 21)]


def test_a_file_that_was_not_taken_is_no_delivery(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    business = _business(tmp_path, every=1, tolerance=0)
    _deliver(business, _day(1), _order(1))
    _deliver(business, _day(2), _order(2, qty="six"))
    assert load_feeds(con, business)["order_lines"].files_blocked == 1
    assert list(late_feeds(con, business.config, _day(2))) == ["order_lines"]


def test_the_message_says_what_when_and_how_out(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    business = _business(tmp_path, every=1, tolerance=1)
    _deliver(business, _day(10), _order(10, customer="secret"))
    load_feeds(con, business)
    text = late_feeds(con, business.config, _day(12))["order_lines"]
    for part in ("order_lines", "2024-01-10", "by 2024-01-12", "held back for 2024-01-12", "delivery.order_lines"):
        assert part in text
    assert "secret" not in text


def test_a_feed_without_a_rhythm_is_never_late(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    business = _business(tmp_path, every=1, tolerance=0)
    config = business.config.model_copy(update={"delivery": {}})
    assert late_feeds(con, config, date(2030, 1, 1)) == {}


@given(
    days=st.sets(st.integers(0, 40), min_size=1),
    every=st.integers(1, 9),
    tolerance=st.integers(0, 5),
    asked=st.integers(0, 60),
)
@settings(max_examples=40)
def test_late_is_who_came_on_none_of_the_last_days(days: set[int], every: int, tolerance: int, asked: int) -> None:
    with duckdb.connect() as con:
        con.execute(
            "CREATE SCHEMA raw; CREATE TABLE raw.ledger (feed VARCHAR, status VARCHAR, delivered_on DATE);"
            "CREATE TABLE raw.order_lines (_known_on DATE)"
        )
        for day in sorted(days):
            con.execute("INSERT INTO raw.ledger VALUES ('order_lines', 'loaded', ?)", [JANUARY + timedelta(days=day)])
        config = _config(every, tolerance)
        found = arrivals(con, config, JANUARY + timedelta(days=asked))["order_lines"]
        window = range(asked - every - tolerance + 1, asked + 1)
        came = any(day in days for day in window) or window.start < 0
        assert found.is_late is not came


def _config(every: int, tolerance: int) -> Retention:
    rhythm = DeliveryRhythm(every_days=every, tolerance_days=tolerance)
    return Retention.model_construct(delivery={"order_lines": rhythm}, first_day=JANUARY)
