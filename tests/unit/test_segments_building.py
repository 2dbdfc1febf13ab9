"""Micro-segments of a day: everybody in one, the same bytes again, and segments that go on from day to day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest

from retention_pipeline.errors import RetentionError
from retention_pipeline.publish.tables import refuse_personal_columns
from retention_pipeline.segments.building import SegmentsOfDay, build_micro_segments
from retention_pipeline.segments.checking import PARTITION, SIZES, broken_rows
from retention_pipeline.segments.tables import TABLES
from retention_pipeline.workspace.segment_settings import MicroSegmentSettings

DAY = date(2024, 6, 30)
SETTINGS = MicroSegmentSettings(fewest=2, most=3, min_stability=0.9, seed=1)

# Three kinds of customers: buy often and little, buy seldom and much, only use the product. Two in five hundred left.
_CUSTOMERS = """
CREATE TABLE marts.customer_360 AS
WITH drawn AS (
    SELECT i, i % 3 AS kind, (hash(i, 'a') % 1000) / 1000 AS a, (hash(i, 'b') % 1000) / 1000 AS b FROM range(600) t(i)
)
SELECT left(sha256('salt' || i), 24) AS customer_key, i % 250 <> 249 AS is_active,
    CASE WHEN a < 0.2 THEN 'at_risk' ELSE 'active' END AS lifecycle_stage,
    CASE kind WHEN 1 THEN 30 + 20 * a ELSE 1 + 4 * a END::INTEGER AS days_since_last_activity, 100 AS days_in_period,
    CASE kind WHEN 0 THEN 15 WHEN 1 THEN 1 ELSE 0 END AS orders_365d,
    CASE kind WHEN 0 THEN 10 + 5 * b WHEN 1 THEN 300 + 100 * b END::DOUBLE AS average_basket,
    NULL::DOUBLE AS return_share_365d,
    CASE kind WHEN 2 THEN 20 ELSE 1 END AS usage_days_30d,
    CASE kind WHEN 2 THEN 90 + 20 * b ELSE 3 END::INTEGER AS usage_events_30d,
    CASE kind WHEN 2 THEN 90 + 20 * b ELSE 3 END::INTEGER AS usage_events_prior_30d,
    CASE kind WHEN 2 THEN 4 ELSE 1 END::INTEGER AS usage_features_30d,
    0 AS events_30d, NULL::DECIMAL(18,4) AS monthly_price, NULL::INTEGER AS tickets_90d,
    NULL::INTEGER AS messages_opened_90d,
    CASE kind WHEN 0 THEN 900 + 100 * b ELSE 200 + 100 * a END::INTEGER AS tenure_days
FROM drawn
"""


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA marts; CREATE SCHEMA decisions")
        connection.execute(_CUSTOMERS)
        yield connection


def _build(
    con: duckdb.DuckDBPyConnection, day: date, state: Path, settings: MicroSegmentSettings = SETTINGS
) -> SegmentsOfDay:
    return build_micro_segments(con, day, settings, "en", state)


def _digest(con: duckdb.DuckDBPyConnection, state: Path) -> str:
    tables = [con.execute(f"SELECT * FROM decisions.{table} ORDER BY ALL").fetchall() for table in TABLES]
    files = [(path.name, path.read_bytes()) for path in sorted((state / "segments").iterdir())]
    return sha256(repr((tables, files)).encode()).hexdigest()


def _found(state: Path, day: date) -> dict[str, object]:
    return json.loads((state / "segments" / f"found-{day}.json").read_text(encoding="utf-8"))


def test_every_active_customer_is_in_exactly_one_segment(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    found = _build(con, DAY, tmp_path)
    assert found.segments == 3
    missing = con.execute(
        "SELECT count(*) FROM (SELECT customer_key FROM marts.customer_360 WHERE is_active) a"
        " FULL JOIN decisions.micro_segments m USING (customer_key) WHERE a.customer_key IS NULL OR m.segment IS NULL"
    ).fetchall()
    assert missing == [(0,)]
    sizes = con.execute("SELECT count(*), sum(customers), round(sum(share), 5) FROM decisions.personas").fetchall()
    active = con.execute("SELECT count(*) FROM marts.customer_360 WHERE is_active").fetchall()[0][0]
    assert sizes == [(3, active, 1.0)]
    # The three kinds, each in a segment of its own.
    kinds = con.execute(
        "SELECT count(*) FROM (SELECT DISTINCT segment, CASE WHEN orders_365d >= 12 THEN 0 WHEN orders_365d >= 1 THEN 1"
        " ELSE 2 END FROM decisions.micro_segments INNER JOIN marts.customer_360 USING (customer_key))"
    ).fetchall()
    assert kinds == [(3,)]


def test_personas_say_what_sets_them_apart(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    _build(con, DAY, tmp_path)
    personas = con.execute(
        "SELECT name, description, stability, lifecycle_mix FROM decisions.personas ORDER BY name"
    ).fetchall()
    assert [name for name, *_ in personas] == [
        "long-standing, frequent buyers",
        "many features, heavy use",
        "quiet, big baskets",
    ]
    frequent = next(row for row in personas if "frequent buyers" in row[0])
    assert "orders in a year 15 against 1" in frequent[1]
    assert {stability for _, _, stability, _ in personas} == {"highly stable"}
    assert all(mix.startswith("active ") and ", at_risk " in mix for *_, mix in personas)
    trait = con.execute(
        "SELECT t.median, t.median_all FROM decisions.persona_traits t INNER JOIN decisions.personas USING (segment)"
        " WHERE name = ? AND behaviour = 'orders'",
        [frequent[0]],
    ).fetchall()
    assert trait == [(15.0, 1.0)]


def test_the_same_day_again_gives_the_same_bytes(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    _build(con, DAY, tmp_path)
    first = _digest(con, tmp_path)
    _build(con, DAY, tmp_path)
    assert _digest(con, tmp_path) == first
    con.execute("CREATE OR REPLACE TABLE marts.customer_360 AS FROM marts.customer_360 ORDER BY customer_key DESC")
    _build(con, DAY, tmp_path)
    assert _digest(con, tmp_path) == first


def test_the_next_day_keeps_segments_and_customers_in_them(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    _build(con, DAY, tmp_path)
    before = con.execute("SELECT customer_key, segment FROM decisions.micro_segments ORDER BY ALL").fetchall()
    # Everybody is a day further; one of the frequent buyers becomes a user, one is new, one is gone.
    con.execute("UPDATE marts.customer_360 SET days_since_last_activity = days_since_last_activity + 1")
    like = con.execute(
        "SELECT customer_key FROM marts.customer_360 WHERE orders_365d >= 12 ORDER BY 1 LIMIT 3"
    ).fetchall()
    changed, new, gone = (key for (key,) in like)
    con.execute(
        "UPDATE marts.customer_360 SET (orders_365d, average_basket, usage_days_30d, usage_events_30d,"
        " usage_events_prior_30d, usage_features_30d) = (0, NULL, 20, 100, 100, 4) WHERE customer_key = ?",
        [changed],
    )
    con.execute("DELETE FROM marts.customer_360 WHERE customer_key = ?", [gone])
    con.execute("UPDATE marts.customer_360 SET customer_key = 'ffff' WHERE customer_key = ?", [new])
    tomorrow = DAY + timedelta(days=1)
    found = _build(con, tomorrow, tmp_path)
    assert (found.moved, found.because, found.found_on) == (1, "", DAY.isoformat())
    after = dict(con.execute("SELECT customer_key, segment FROM decisions.micro_segments").fetchall())
    was = dict(before)
    assert {key for key, segment in after.items() if was.get(key, segment) != segment} == {changed}
    since = dict(con.execute("SELECT customer_key, since FROM decisions.micro_segments").fetchall())
    assert {key for key, day in since.items() if day == tomorrow} == {changed, "ffff"}
    assert con.execute("SELECT sum(arrived) FROM decisions.personas").fetchall() == [(1,)]
    # What the day kept is small: who changed, not everybody.
    kept = con.execute(f"SELECT count(*) FROM '{tmp_path}/segments/moves-{tomorrow}.parquet'").fetchall()
    assert kept == [(2,)]
    assert not (tmp_path / "segments" / f"found-{tomorrow}.json").exists()


def test_segments_found_anew_go_on_under_their_numbers(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    _build(con, DAY, tmp_path)
    names = con.execute("SELECT segment, name FROM decisions.personas ORDER BY 1").fetchall()
    later = DAY + timedelta(days=180)
    con.execute("UPDATE marts.customer_360 SET tenure_days = tenure_days + 1, orders_365d = orders_365d + 1")
    found = _build(con, later, tmp_path)
    assert found.because == "180 days have gone by"
    assert found.found_on == later.isoformat()
    assert con.execute("SELECT segment, name FROM decisions.personas ORDER BY 1").fetchall() == names
    assert found.moved == 0
    # An older day again looks at what was known before it only.
    assert _build(con, DAY + timedelta(days=1), tmp_path).found_on == DAY.isoformat()


def test_a_shift_of_the_sizes_is_a_reason_to_look_again(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    _build(con, DAY, tmp_path)
    con.execute("DELETE FROM marts.customer_360 WHERE orders_365d >= 12 AND customer_key > '2'")
    found = _build(con, DAY + timedelta(days=1), tmp_path)
    assert found.because.startswith("the sizes have shifted")
    assert found.moved == 0, "the segments are the same, so nobody has to move"


def test_a_feed_that_is_new_is_a_reason_to_look_again(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    _build(con, DAY, tmp_path)
    con.execute("UPDATE marts.customer_360 SET tickets_90d = (hash(customer_key) % 3)::INTEGER")
    found = _build(con, DAY + timedelta(days=1), tmp_path)
    assert found.because == "settings, feeds or the number of customers have changed"
    assert "tickets" in _found(tmp_path, DAY + timedelta(days=1))["behaviours"]


def test_what_is_missing_or_excluded_is_not_looked_at(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    _build(con, DAY, tmp_path, SETTINGS.model_copy(update={"excluded": ("tenure",)}))
    looked_at = set(_found(tmp_path, DAY)["behaviours"])
    # No feed: returns, price, tickets, opened. The same for everybody: events, use_trend.
    assert looked_at == {"silence", "orders", "basket", "use", "breadth"}


def test_few_customers_are_one_segment(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute("DELETE FROM marts.customer_360 WHERE customer_key > '4'")
    found = _build(con, DAY, tmp_path)
    assert found.segments == 1
    assert con.execute("SELECT name, share, stability, jaccard FROM decisions.personas").fetchall() == [
        ("all customers", 1.0, None, None)
    ]
    con.execute("DELETE FROM marts.customer_360")
    assert _build(con, DAY, tmp_path).customers == 0
    assert con.execute("SELECT count(*) FROM decisions.personas").fetchall() == [(0,)]


def test_a_small_day_keeps_the_segments(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    _build(con, DAY, tmp_path)
    con.execute("DELETE FROM marts.customer_360 WHERE customer_key > '4'")
    assert _build(con, DAY + timedelta(days=1), tmp_path).segments == 3


def test_a_damaged_file_is_named(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    _build(con, DAY, tmp_path)
    path = tmp_path / "segments" / f"found-{DAY}.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(RetentionError, match=f"found-{DAY}"):
        _build(con, DAY + timedelta(days=1), tmp_path)


def test_the_checks_see_who_is_missing_or_there_twice(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    _build(con, DAY, tmp_path)
    assert broken_rows(con) == {PARTITION: 0, SIZES: 0}
    con.execute("INSERT INTO decisions.micro_segments FROM decisions.micro_segments LIMIT 1")
    assert broken_rows(con)[PARTITION] == 1
    con.execute("DELETE FROM decisions.micro_segments WHERE segment = 1")
    found = broken_rows(con)
    assert found[PARTITION] > 100
    assert found[SIZES] == 3, "the one that is gone, and the shares of the others"
    con.execute("DELETE FROM marts.customer_360; DELETE FROM decisions.micro_segments; DELETE FROM decisions.personas")
    assert broken_rows(con) == {PARTITION: 0, SIZES: 0}


def test_nothing_personal_is_published() -> None:
    for table, columns in TABLES.items():
        refuse_personal_columns(table, [(name, kind.removesuffix(" NOT NULL")) for name, (kind, _) in columns.items()])
