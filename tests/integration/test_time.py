"""Time is an argument: what a day computes depends only on what was known by its end."""

from __future__ import annotations

import csv
import random
import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from retention_pipeline.settings import StatePaths
from tests.businesses import small_shop
from tests.pipelines import compute_day, folder_digest, run_here, table_digests

pytestmark = pytest.mark.slow

FACTS = ("staging", "intermediate", "marts")
LAST_DAY = date(2011, 12, 9)


def _sampled_days() -> list[date]:
    """Ten days over the last five months, the last day of the data among them."""
    drawn = random.Random(7).sample(range(1, 150), 9)
    return sorted(LAST_DAY - timedelta(days=back) for back in [0, *drawn])


def test_day_by_day_equals_all_at_once(shop: Path, tmp_path: Path) -> None:
    """The exports grow from day to day in one state, whose models are brought up to date; in the other all files are
    there from the start, and each day is built from scratch."""
    growing, whole = tmp_path / "growing", tmp_path / "whole"
    for day in _sampled_days():
        exports = small_shop(tmp_path / "exports_of_the_day", until=day)
        compute_day(exports, growing, day)
        compute_day(shop, whole, day, anew=True)
        grown, complete = StatePaths(growing / "small_shop"), StatePaths(whole / "small_shop")
        assert table_digests(grown.warehouse, FACTS) == table_digests(complete.warehouse, FACTS), day
        assert folder_digest(grown.lists) == folder_digest(complete.lists), day
    # A whole run, with all checks, in a state of its own: the same facts.
    at_once = tmp_path / "at_once"
    assert run_here(shop, at_once, LAST_DAY).succeeded
    once = table_digests(StatePaths(at_once / "small_shop").warehouse, FACTS)
    assert once == table_digests(StatePaths(whole / "small_shop").warehouse, FACTS)


@pytest.mark.parametrize("fresh", [True, False], ids=["fresh state", "same state"])
def test_rows_dated_after_the_day_do_not_change_it(shop: Path, tmp_path: Path, fresh: bool) -> None:
    day = date(2011, 9, 20)
    business = tmp_path / "business"
    shutil.copytree(shop, business)
    before, after = tmp_path / "before", tmp_path / ("after" if fresh else "before")
    assert run_here(business, before, day).succeeded
    paths = StatePaths(before / "small_shop")
    decided = table_digests(paths.serving, ("main",))
    features, lists = _features(paths, day), folder_digest(paths.lists)
    changed = _change_rows_after(business / "exports", day)
    assert changed > 100
    assert run_here(business, after, day).succeeded
    paths = StatePaths(after / "small_shop")
    assert _features(paths, day) == features
    assert folder_digest(paths.lists) == lists
    assert table_digests(paths.serving, ("main",)) == decided


def _features(paths: StatePaths, day: date) -> list[tuple[object, ...]]:
    with duckdb.connect(str(paths.warehouse), read_only=True) as con:
        return con.execute("SELECT * FROM marts.customer_features WHERE as_of <= ? ORDER BY ALL", [day]).fetchall()


def _change_rows_after(exports: Path, day: date) -> int:
    """Alter, drop and add well-formed rows dated after `day`; returns how many were touched."""
    rng, touched = random.Random(11), 0
    for path in sorted(exports.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as handle:
            header, *rows = list(csv.reader(handle))
        when, quantity = header.index("InvoiceDate"), header.index("Quantity")
        kept: list[list[str]] = []
        for row in rows:
            if row[when][:10] <= day.isoformat():
                kept.append(row)
                continue
            fate = rng.random()
            if fate < 0.3:
                touched += 1
                continue
            if fate < 0.6:
                row = [*row]
                row[quantity] = str(int(float(row[quantity])) * 3 + 1)
                touched += 1
            kept.append(row)
            if fate > 0.9:
                later = [*row]
                later[when] = f"{date.fromisoformat(row[when][:10]) + timedelta(days=1)} 11:11:00"
                kept.append(later)
                touched += 1
        with path.open("w", newline="", encoding="utf-8") as handle:
            csv.writer(handle, lineterminator="\n").writerows([header, *kept])
    return touched


def test_cancellations_and_use_after_the_day_do_not_change_it(learners: Path, tmp_path: Path) -> None:
    """What a learner does later, and how the course ended, stands in the same row of the same file."""
    day = date(2014, 3, 20)
    business = tmp_path / "business"
    shutil.copytree(learners, business)
    before, after = tmp_path / "before", tmp_path / "after"
    assert run_here(business, before, day).succeeded
    assert _change_enrolments_after(business / "exports" / "enrolments.csv", day) > 100
    _change_use_after(business / "exports", day)
    assert run_here(business, after, day).succeeded
    known, again = StatePaths(before / "small_learners"), StatePaths(after / "small_learners")
    assert len(_features(known, day)) > 1000
    assert _features(again, day) == _features(known, day)
    assert folder_digest(again.lists) == folder_digest(known.lists)
    assert table_digests(again.serving, ("main",)) == table_digests(known.serving, ("main",))


def _change_enrolments_after(path: Path, day: date) -> int:
    """Turn round everything that became known after `day`; returns how many enrolments were touched."""
    with path.open(newline="", encoding="utf-8") as handle:
        header, *rows = list(csv.reader(handle))
    registered, ended, left, result = (
        header.index(name) for name in ("registered_on", "ends_on", "unregistered_on", "final_result")
    )
    kept, touched = [], 0
    for number, row in enumerate(rows):
        if row[registered] > day.isoformat():
            touched += 1
            continue
        if row[left] > day.isoformat():
            row[left], row[result] = "", "Pass"
            touched += 1
        elif not row[left] and row[ended] > day.isoformat() and number % 2:
            row[left], row[result] = (day + timedelta(days=1 + number % 20)).isoformat(), "Withdrawn"
            touched += 1
        kept.append(row)
    with path.open("w", newline="", encoding="utf-8") as handle:
        csv.writer(handle, lineterminator="\n").writerows([header, *kept])
    return touched


def _change_use_after(exports: Path, day: date) -> None:
    with duckdb.connect() as con:
        for path in sorted(exports.glob("usage_*.parquet")):
            con.execute(
                "CREATE OR REPLACE TABLE used AS SELECT * REPLACE"
                " (CASE WHEN used_on > $day THEN clicks * 3 + 1 ELSE clicks END AS clicks)"
                " FROM read_parquet($path) WHERE used_on <= $day OR student_id % 3 > 0",
                {"day": day, "path": str(path)},
            )
            con.execute(f"COPY used TO '{path}' (FORMAT PARQUET)")
