"""The pictures: the same bytes for the same rows, small, and drawn whatever is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

from retention_pipeline.report.pictures import draw_pictures
from retention_pipeline.report.plots import (
    active_customers_plot,
    calibration_plot,
    churn_rate_plot,
    cohort_heat_map,
    list_sizes_plot,
)
from retention_pipeline.settings import PROJECT
from tests.unit.report_samples import build_warehouse

MONTHS = [date(2024 + (8 + number) // 12, (8 + number) % 12 + 1, 1) for number in range(16)]


def texts(picture: bytes) -> list[str]:
    root = ElementTree.fromstring(picture)
    return ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]


def digests(path: Path) -> dict[str, str]:
    with duckdb.connect(str(path), read_only=True) as con:
        return {name: sha256(picture).hexdigest() for name, picture in draw_pictures(con).items()}


def test_all_pictures_are_drawn_from_a_warehouse(tmp_path: Path) -> None:
    path = build_warehouse(tmp_path / "warehouse.duckdb")
    with duckdb.connect(str(path), read_only=True) as con:
        pictures = draw_pictures(con)
    assert list(pictures) == ["active_customers", "churn_rate", "cohorts", "calibration", "list_sizes"]
    assert max(map(len, pictures.values())) < 15_000
    # December is not over: it is no full month.
    assert "2025-11" in texts(pictures["churn_rate"])
    assert "2025-12" not in texts(pictures["churn_rate"])
    assert "180 + 20" in texts(pictures["list_sizes"])


def test_another_process_draws_the_same_bytes(tmp_path: Path) -> None:
    path = build_warehouse(tmp_path / "warehouse.duckdb")
    program = (
        "import sys; from pathlib import Path; from tests.unit.test_report_plots import digests;"
        " print(sorted(digests(Path(sys.argv[1])).items()))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        cwd=PROJECT,
        env={"PYTHONHASHSEED": "7", "HOME": str(tmp_path), "LANG": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == str(sorted(digests(path).items()))


@pytest.mark.parametrize("missing", ["marts.kpi_monthly", "marts.cohort_retention", "decisions.churn_calibration"])
def test_a_picture_without_its_table_is_absent(tmp_path: Path, missing: str) -> None:
    path = build_warehouse(tmp_path / "warehouse.duckdb")
    before = digests(path)
    with duckdb.connect(str(path)) as con:
        con.execute(f"DROP TABLE {missing}")
    after = digests(path)
    assert 0 < len(after) < len(before)
    assert after.items() <= before.items()


def test_nothing_is_drawn_of_empty_tables(tmp_path: Path) -> None:
    path = build_warehouse(tmp_path / "warehouse.duckdb")
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE marts.kpi_monthly SET is_complete = false")
        for table in ("marts.cohort_retention", "decisions.churn_calibration", "decisions.campaign_summary"):
            con.execute(f"DELETE FROM {table}")
    assert digests(path) == {}


def test_nothing_is_drawn_of_an_empty_warehouse() -> None:
    with duckdb.connect() as con:
        assert draw_pictures(con) == {}


@pytest.mark.parametrize(
    ("draw", "rows"),
    [
        (cohort_heat_map, []),
        (cohort_heat_map, [(MONTHS[0], 1, None, 30)]),
        (churn_rate_plot, [(MONTHS[0], None, None, None)]),
        (active_customers_plot, []),
        (calibration_plot, [(None, None, 0)]),
        (list_sizes_plot, []),
    ],
)
def test_without_values_a_picture_says_so(draw: Callable[[list], bytes], rows: list) -> None:
    assert texts(draw(rows)) == ["No data yet"]


def test_one_month_is_enough() -> None:
    assert "2024-09" in texts(churn_rate_plot([(MONTHS[0], 0.0, None, None)]))
    assert "2024-09" in texts(active_customers_plot([(MONTHS[0], 0)]))


def test_months_are_labelled_from_the_newest_back_and_never_crowded() -> None:
    labels = [text for text in texts(active_customers_plot([(month, 5) for month in MONTHS])) if "-" in text]
    assert len(labels) <= 7
    assert MONTHS[-1].strftime("%Y-%m") in labels


def test_the_heat_map_shows_the_newest_cohorts_in_percent() -> None:
    rows = [(month, age, 0.42, 1200) for month in MONTHS for age in range(16)]
    shown = texts(cohort_heat_map(rows))
    assert "2024-09 (1,200)" not in shown
    assert "2025-12 (1,200)" in shown
    assert shown.count("42") == 15 * 14


def test_one_customer_in_a_bin_and_lists_without_customers() -> None:
    assert "observed churn, %" in texts(calibration_plot([(0.3, 1.0, 1), (0.1, 0.0, 1)]))
    assert "0 + 0" in texts(list_sizes_plot([("win_back", 0, 0)]))


def test_pictures_have_no_background_and_no_name_twice() -> None:
    picture = churn_rate_plot([(month, 0.1, 0.08, 0.12) for month in MONTHS]).decode()
    names = re.findall(r' id="([^"]+)"', picture)
    assert len(names) == len(set(names))
    assert "#ffffff" not in picture
    assert "<metadata>" not in picture
