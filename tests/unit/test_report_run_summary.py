"""The summary of a run: what the run said, what the warehouse holds, and where to look next."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from retention_pipeline.report.outcome import RunOutcome
from retention_pipeline.report.run_summary import collect_summary, look_next, summarise
from retention_pipeline.report.summary import CheckSummary, RunSummary
from retention_pipeline.settings import StatePaths
from retention_pipeline.workspace.loading import Business
from retention_pipeline.workspace.schema import Retention
from tests.unit.report_samples import DAY, build_warehouse

OFFER = {"name": "voucher", "title": "A voucher", "effect": 0.1}
CONFIG = Retention.model_validate(
    {
        "business": "shop",
        "title": "Corner Shop",
        "kind": "transactional",
        "timezone": "Europe/London",
        "currency": "GBP",
        "salt": "a salt that is long enough",
        "first_day": "2025-01-01",
        "feeds": {"order_lines": [{"files": "orders_*.csv", "columns": {"order_id": "order"}}]},
        "plays": {
            "save": {"title": "Save customers at risk", "who": "is_active", "offers": [OFFER], "priority": 20},
            "win_back": {"title": "Win back", "who": "not is_active", "offers": [OFFER], "priority": 10},
        },
    }
)


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths(tmp_path / "shop")
    paths.root.mkdir()
    return paths


@pytest.fixture
def business(tmp_path: Path) -> Business:
    return Business(tmp_path, CONFIG)


def test_a_good_day(paths: StatePaths, business: Business) -> None:
    build_warehouse(paths.warehouse)
    (paths.lists / "2025-12-09").mkdir(parents=True)
    checks = (CheckSummary("raw/order_lines", "files_accepted", passed=True),)
    summary = summarise(business, paths, RunOutcome(DAY, True, checks), {"load_feeds": 1.5, "build_models": 3.0})
    assert (summary.title, summary.currency, summary.as_of) == ("Corner Shop", "GBP", DAY)
    assert (summary.succeeded, summary.published_day, summary.checks) == (True, None, checks)
    assert [feed.feed for feed in summary.feeds] == ["order_lines"]
    assert summary.month == date(2025, 11, 1)
    assert summary.model is not None
    # In the order in which plays choose their customers.
    assert [(play.play, play.title) for play in summary.plays] == [
        ("win_back", "Win back"),
        ("save", "Save customers at risk"),
    ]
    assert summary.seconds == (("load_feeds", 1.5), ("build_models", 3.0))
    assert [place.label for place in summary.look_next] == ["Lists"]
    assert summary.notes == ()


def test_a_run_that_broke_off_shows_feeds_and_no_figures_of_another_day(paths: StatePaths, business: Business) -> None:
    build_warehouse(paths.warehouse)
    outcome = RunOutcome(DAY, False, failures=("build_models: broken",), skipped=("churn_model", "serving"))
    summary = summarise(business, paths, outcome)
    assert (summary.month, summary.figures, summary.model, summary.plays) == (None, (), None, ())
    assert len(summary.feeds) == 1
    assert summary.failures == ("build_models: broken",)
    assert summary.notes == ("not run because of that: churn_model, serving",)


def test_a_run_that_failed_before_there_was_a_warehouse(paths: StatePaths, business: Business) -> None:
    summary = summarise(business, paths, RunOutcome(DAY, False, failures=("load_feeds: no file",)))
    assert summary == RunSummary(
        "Corner Shop", DAY, "GBP", succeeded=False, failures=("load_feeds: no file",), checks=(), seconds=()
    )


def test_held_feeds_and_the_reason_for_no_model(paths: StatePaths, business: Business) -> None:
    build_warehouse(paths.warehouse)
    with duckdb.connect(str(paths.warehouse)) as con:
        con.execute("DELETE FROM decisions.churn_model")
        con.execute("INSERT INTO control.held_feeds VALUES ('order_lines', 'orders_12.csv: too many bad rows')")
    said: dict[str, dict[str, object]] = {
        "churn/churn_model": {"model": "none", "reason": "the history is too short"},
        "decisions/churn_scores": {"model": "none"},
    }
    summary = summarise(business, paths, RunOutcome(DAY, True, metadata=said))
    assert summary.model is None
    assert summary.notes == ("the history is too short",)
    assert summary.held_back == ("order_lines is held back: orders_12.csv: too many bad rows",)
    assert summary.feeds[0].files_rejected == 1


def test_a_warehouse_without_any_table() -> None:
    summary = RunSummary("Corner Shop", DAY, "GBP")
    with duckdb.connect() as con:
        assert collect_summary(con, CONFIG, summary) == summary


def test_only_what_is_there_is_shown_as_next(paths: StatePaths) -> None:
    assert look_next(paths, DAY) == ()
    (paths.quality / "data_docs").mkdir(parents=True)
    for path in (paths.serving, paths.report / "2025-12-09.html", paths.quality / "data_docs" / "index.html"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = look_next(paths, DAY)
    assert [place.label for place in found] == ["Report", "Database", "Data docs"]
    assert all(place.path.is_absolute() and place.what for place in found)
