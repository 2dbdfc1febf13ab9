"""Bad input in a whole run: what is good goes through, what depends on a bad file waits, and nothing is lost."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from retention_pipeline.settings import StatePaths
from tests.businesses import small_shop
from tests.pipelines import folder_digest, retention, table_digests

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bad_files")]

DAY = date(2011, 10, 14)
NEXT = date(2011, 10, 15)
NAME = "invoices_fy2011_2011-10.csv"


@pytest.fixture(scope="module")
def business(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small shop with its exports up to the day."""
    return small_shop(tmp_path_factory.mktemp("bad_files") / "small_shop", until=DAY)


@pytest.fixture(scope="module")
def paths(business: Path, tmp_path_factory: pytest.TempPathFactory) -> StatePaths:
    """The state after a good run of the day, whose newest file holds three bad rows."""
    newest = business / "exports" / NAME
    rows = newest.read_text(encoding="utf-8")
    bad = (
        "900001,22423,CAKESTAND,six,2011-10-14 10:00:00,12.75,17850.0,United Kingdom\n"
        "900002,22423,CAKESTAND,6,14 October,12.75,17850.0,United Kingdom\n"
        ",22423,CAKESTAND,6,2011-10-14 10:00:00,12.75,17850.0,United Kingdom\n"
    )
    newest.write_text(rows + bad, encoding="utf-8")
    state = tmp_path_factory.mktemp("bad_files_state")
    finished = retention("run", "--business", str(business), "--as-of", DAY.isoformat(), state=state)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    (state / "page.txt").write_text(finished.stdout, encoding="utf-8")
    return StatePaths(state / "small_shop")


def test_bad_rows_are_kept_apart_and_counted(paths: StatePaths) -> None:
    with duckdb.connect(str(paths.warehouse), read_only=True) as con:
        found = con.execute("SELECT column_name, rule FROM quarantine.order_lines ORDER BY _line", []).fetchall()
        read, loaded, bad = con.execute(
            "SELECT sum(rows_read), sum(rows_loaded), sum(rows_quarantined) FROM raw.ledger"
        ).fetchall()[0]
        kept = con.execute("SELECT count(*) FROM raw.order_lines").fetchall()[0][0]
    assert found == [("quantity", "type"), ("ordered_at", "type"), ("order_id", "required")]
    assert (read, bad, kept) == (loaded + 3, 3, loaded)


def test_the_page_counts_bad_rows_and_shows_none(paths: StatePaths) -> None:
    page = (paths.root.parent / "page.txt").read_text(encoding="utf-8")
    assert "quantity type 1" in page
    assert "14 October" not in page
    assert "900001" not in page


def test_a_file_that_cannot_be_read_holds_back_what_depends_on_it(business: Path, paths: StatePaths) -> None:
    published, lists = table_digests(paths.serving, ("main",)), folder_digest(paths.lists)
    broken = business / "exports" / "invoices_fy2011_2011-11.csv"
    broken.write_text("InvoiceNo,StockCode,Quantity\n1,2,3\n", encoding="utf-8")
    command = ("run", "--business", str(business), "--as-of", NEXT.isoformat())
    finished = retention(*command, state=paths.root.parent)
    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert broken.name in finished.stdout
    assert "InvoiceDate" in finished.stdout
    assert "Traceback" not in finished.stdout + finished.stderr
    assert table_digests(paths.serving, ("main",)) == published
    assert folder_digest(paths.lists) == lists

    shutil.move(broken, business / broken.name)
    mended = retention(*command, state=paths.root.parent)
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert (paths.lists / NEXT.isoformat() / "winback.csv").is_file()
    assert table_digests(paths.serving, ("main",)) != published


def test_a_feed_that_stops_is_late_and_nobody_appears_silent(business: Path, paths: StatePaths) -> None:
    """Declared to come every day, silent since the 14th: the models stay as they were, and the page says why."""
    published, lists = table_digests(paths.serving, ("main",)), folder_digest(paths.lists)
    configured = business / "retention.yaml"
    text = configured.read_text(encoding="utf-8")
    rhythm = "delivery:\n  order_lines: {every_days: 1, tolerance_days: 2}   # closed on Saturdays\n"
    configured.write_text(rhythm + text, encoding="utf-8")
    finished = retention("run", "--business", str(business), "--as-of", "2011-10-20", state=paths.root.parent)
    configured.write_text(text, encoding="utf-8")
    assert finished.returncode == 1, finished.stdout + finished.stderr
    page = " ".join(finished.stdout.split())
    assert "order_lines: is late: the last that arrived is of 2011-10-14" in page
    assert "delivered_in_time" in page
    assert "Traceback" not in finished.stdout + finished.stderr
    assert table_digests(paths.serving, ("main",)) == published
    assert folder_digest(paths.lists) == lists
