"""The shop that ships, run as a user runs it: golden figures, and the same bytes again."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from retention_pipeline.settings import StatePaths
from tests.pipelines import ONLINE_RETAIL, folder_digest, retention, table_digests

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("online_retail")]

DERIVED = ("staging", "intermediate", "marts", "decisions")

# Source of the figures: the data's own checked counts, in the attribution beside the exports.
GOLDEN = {
    "SELECT count(*) FROM raw.order_lines": 1_067_370,
    "SELECT count(*) FROM staging.stg_order_lines": 1_044_847,
    "SELECT count(DISTINCT order_id) FROM staging.stg_order_lines": 53_628,
    "SELECT count(DISTINCT customer_id) FROM staging.stg_order_lines": 5_942,
    "SELECT count(*) FROM raw.order_lines WHERE customer_id IS NULL": 243_007,
    "SELECT count(*) FROM quarantine.order_lines": 0,
    "SELECT count(*) FROM marts.fct_orders": 53_628,
}


@pytest.mark.parametrize(("query", "figure"), GOLDEN.items())
def test_golden_figures(online_retail_warehouse: Path, query: str, figure: int) -> None:
    with duckdb.connect(str(online_retail_warehouse), read_only=True) as con:
        assert con.execute(query).fetchall() == [(figure,)]


def test_lines_without_customer_stay_in_revenue(online_retail_warehouse: Path) -> None:
    with duckdb.connect(str(online_retail_warehouse), read_only=True) as con:
        all_lines, of_orders = con.execute(
            "SELECT (SELECT sum(revenue) FROM marts.kpi_monthly), (SELECT sum(net_revenue) FROM marts.fct_orders)"
        ).fetchall()[0]
        without = con.execute(
            "SELECT sum(revenue_without_customer), sum(orders_without_customer) FROM marts.kpi_monthly"
        ).fetchall()[0]
    assert all_lines == of_orders
    assert without[0] > 0
    assert without[1] > 0


def test_page_has_no_warning_and_no_person(online_retail_page: str) -> None:
    lowered = online_retail_page.lower()
    assert "warning" not in lowered
    assert "deprecat" not in lowered
    assert "traceback" not in lowered
    assert "@" not in online_retail_page
    assert "lists" in lowered


def test_every_play_has_its_two_files(online_retail: StatePaths) -> None:
    day = online_retail.lists / "2011-12-09"
    names = {path.name for path in day.iterdir()}
    for play in ("winback", "weak_signal", "loyalty_vip"):
        assert {f"{play}.csv", f"{play}.parquet"} <= names


def test_same_day_twice_changes_nothing(copy_of_online_retail: Path) -> None:
    paths = StatePaths(copy_of_online_retail / "online_retail")
    lists, tables = folder_digest(paths.lists), table_digests(paths.warehouse, DERIVED)
    parquet, serving = folder_digest(paths.parquet), table_digests(paths.serving, ("main",))
    finished = retention("run", "--business", str(ONLINE_RETAIL), state=copy_of_online_retail)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert folder_digest(paths.lists) == lists
    assert folder_digest(paths.parquet) == parquet
    assert table_digests(paths.warehouse, DERIVED) == tables
    assert table_digests(paths.serving, ("main",)) == serving


def test_from_nothing_again_gives_the_same_bytes(online_retail: StatePaths, tmp_path: Path) -> None:
    finished = retention("run", "--business", str(ONLINE_RETAIL), state=tmp_path)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    again = StatePaths(tmp_path / "online_retail")
    assert folder_digest(again.lists) == folder_digest(online_retail.lists)
    assert folder_digest(again.parquet) == folder_digest(online_retail.parquet)
    assert table_digests(again.warehouse, DERIVED) == table_digests(online_retail.warehouse, DERIVED)
    shutil.rmtree(tmp_path)


def test_an_older_day_leaves_serving_alone(copy_of_online_retail: Path) -> None:
    paths = StatePaths(copy_of_online_retail / "online_retail")
    target, parquet = paths.serving.resolve(), folder_digest(paths.parquet)
    before = folder_digest(paths.lists / "2011-12-09")
    finished = retention("run", "--business", str(ONLINE_RETAIL), "--as-of", "2011-10-14", state=copy_of_online_retail)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert paths.serving.resolve() == target
    assert folder_digest(paths.parquet) == parquet
    assert folder_digest(paths.lists / "2011-12-09") == before
    assert (paths.lists / "2011-10-14" / "winback.csv").is_file()
