"""What results hold and what they must not, how they end, and what a validation leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from retention_pipeline.errors import RetentionError
from retention_pipeline.quality.checking import check_lists, check_marts, check_raw, check_scores
from retention_pipeline.quality.data_docs import loads_from_network
from retention_pipeline.quality.declaring import (
    BATCH,
    Expectation,
    Kind,
    NoRows,
    OneOf,
    Required,
    Severity,
    Suite,
    TableSuite,
)
from retention_pipeline.quality.results import CheckResult, ExpectationResult
from retention_pipeline.quality.running import run_suite
from retention_pipeline.settings import PROJECT, StatePaths
from retention_pipeline.warehouse import open_warehouse
from tests.pipelines import folder_digest
from tests.quality_samples import DAY, FEEDS, PERSONAL, PLAYS, add_batch, make_manifest, make_warehouse, plant


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return make_warehouse(tmp_path / "state")


def _check_all(paths: StatePaths) -> list:
    return [
        check_raw(paths, FEEDS, DAY),
        check_marts(paths, make_manifest(), DAY),
        check_scores(paths, DAY),
        check_lists(paths, PLAYS, DAY),
    ]


def _suite(*expectations: Expectation, table: str = "raw.customers", keys: tuple[str, ...] = ("_line",)) -> Suite:
    return Suite("trial", "Trial", (TableSuite(table, keys, expectations),))


def test_no_personal_value_leaves_the_warehouse(paths: StatePaths) -> None:
    """Faults in every feed column, so that every expectation on raw fails with rows to be shown."""
    plant(
        paths,
        "UPDATE raw.customers SET birth_year = 3000, created_at = TIMESTAMP '1899-01-01'",
        "UPDATE raw.customers SET customer_id = 'C-secret-1-1' WHERE _line < 4",
        "UPDATE raw.customers SET customer_id = NULL WHERE _line = 4",
        "UPDATE raw.order_lines SET kind = 'ann@example.org', currency = '+44 20 7946 0001', order_id = NULL",
        "INSERT INTO raw.order_lines FROM raw.order_lines",
    )
    results = _check_all(paths)
    failed = [r for result in results for r in result.results if not r.passed]
    assert len(failed) >= 8
    assert any(r.failing.rows for r in failed)
    with duckdb.connect(str(paths.warehouse), read_only=True) as con:
        written = con.execute("FROM decisions.quality_results").fetchall()
    pages = "".join(path.read_text(encoding="utf-8") for path in paths.quality.rglob("*") if path.is_file())
    for part in PERSONAL:
        assert part not in repr(results)
        assert part not in repr(written)
        assert part not in pages


def test_a_key_that_is_a_customer_id_is_shown_hashed(paths: StatePaths) -> None:
    suite = _suite(Expectation(Kind.ALLOWED, OneOf("gender", ("f", "m"))), keys=("customer_id", "_line"))
    (found,) = run_suite(paths.warehouse, suite).results
    assert found.unexpected_count == 5
    assert [row[1] for row in found.failing.rows] == ["1", "2", "3", "4", "5"]
    assert all(len(row[0]) == 12 and "secret" not in row[0] for row in found.failing.rows)


def test_an_exception_is_not_a_failure(paths: StatePaths) -> None:
    suite = _suite(
        Expectation(Kind.REQUIRED, Required("no_such_column")),
        Expectation(Kind.RANGE, NoRows(f"SELECT _line FROM {BATCH} WHERE no_such_column > 1")),
        Expectation(Kind.LEDGER, NoRows(f"SELECT _line FROM {BATCH} WHERE _line IN (SELECT i FROM no_such_table)")),
        Expectation(Kind.REQUIRED, Required("region")),
        Expectation(Kind.ALLOWED, OneOf("gender", ("f",))),
    )
    result = run_suite(paths.warehouse, suite)
    said = [(found.passed, bool(found.exception), found.unexpected_count) for found in result.results]
    assert said == [(False, True, 0), (False, True, 0), (False, True, 0), (True, False, 0), (False, False, 5)]
    assert "no_such_table" in result.results[2].exception
    assert len(result.blocking) == 4


def test_an_exception_does_not_quote_the_value_that_raised_it(paths: StatePaths) -> None:
    suite = _suite(Expectation(Kind.RANGE, NoRows(f"SELECT _line FROM {BATCH} WHERE CAST(email AS DATE) IS NULL")))
    (found,) = run_suite(paths.warehouse, suite).results
    assert not found.passed
    assert found.exception
    assert "ann" not in repr(found)


def test_a_check_is_as_bad_as_the_worst_that_failed() -> None:
    def result(passed: bool, severity: Severity) -> ExpectationResult:
        return ExpectationResult("t", Kind.RANGE, "e", "", severity, passed)

    both = CheckResult("t", Kind.RANGE, (result(True, Severity.ERROR), result(False, Severity.WARN)))
    assert (both.passed, both.severity) == (False, Severity.WARN)
    worse = CheckResult("t", Kind.RANGE, (result(False, Severity.ERROR), result(False, Severity.WARN)))
    assert (worse.passed, worse.severity) == (False, Severity.ERROR)


def test_without_a_warehouse_there_is_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(RetentionError, match="way out"):
        run_suite(tmp_path / "warehouse.duckdb", _suite())


def test_another_process_can_write_afterwards(paths: StatePaths) -> None:
    """Also where expectations failed and raised."""
    run_suite(
        paths.warehouse,
        _suite(
            Expectation(Kind.REQUIRED, Required("no_such_column")), Expectation(Kind.ALLOWED, OneOf("gender", ("f",)))
        ),
        docs=paths.quality,
    )
    script = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('CREATE TABLE written (i INTEGER)')"
    subprocess.run([sys.executable, "-c", script, paths.warehouse], check=True, timeout=60)


def test_a_validation_says_nothing_and_leaves_nothing_elsewhere(paths: StatePaths, tmp_path: Path) -> None:
    """A process of its own: nothing printed until its very end, no file outside the state folder."""
    plant(paths, "UPDATE raw.customers SET birth_year = 3000")
    script = (
        "import sys\nfrom pathlib import Path\nfrom retention_pipeline.settings import StatePaths\n"
        "from retention_pipeline.quality.checking import check_raw\nfrom tests.quality_samples import DAY, FEEDS\n"
        "assert not check_raw(StatePaths(Path(sys.argv[1])), [*FEEDS, 'tickets'], DAY).passed\n"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    env = {**os.environ, "HOME": str(elsewhere), "TMPDIR": str(elsewhere), "PYTHONPATH": str(PROJECT)}
    finished = subprocess.run(
        [sys.executable, "-W", "default", "-c", script, paths.root],
        cwd=elsewhere,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "", "")
    assert list(elsewhere.rglob("*")) == []
    assert {path.name for path in paths.root.iterdir()} == {"warehouse.duckdb", "quality"}


def test_the_pages_are_read_without_a_network_and_are_equal_for_equal_results(paths: StatePaths) -> None:
    plant(paths, "UPDATE marts.fct_orders SET status = 'void' WHERE order_id = 'O3'")
    _check_all(paths)
    docs = paths.quality / "data_docs"
    pages = sorted(docs.rglob("*.html"))
    assert len(pages) == 10
    for page in pages:
        assert not loads_from_network(page.read_text(encoding="utf-8")), page
    index = (docs / "index.html").read_text(encoding="utf-8")
    for page in pages:
        assert page.name == "index.html" or f'href="{page.relative_to(docs)}"' in index
    failed = (docs / "marts" / "marts.fct_orders.html").read_text(encoding="utf-8")
    assert "order_id O3" in failed
    first = folder_digest(docs)
    plant(paths, "DROP TABLE control.validated_batches")
    _check_all(paths)
    assert folder_digest(docs) == first


@pytest.mark.parametrize(
    ("html", "loads"),
    [
        ('<link rel="stylesheet" href="https://cdn.example.org/a.css">', True),
        ("<script src='//cdn.example.org/a.js'></script>", True),
        ("<style>body { background: url(http://example.org/a.png) }</style>", True),
        ('<style>@import "a.css"</style>', True),
        ('<a href="marts/marts.kpi_monthly.html">kpi_monthly</a> see https://example.org', False),
    ],
)
def test_what_counts_as_loading_from_the_network(html: str, loads: bool) -> None:
    assert loads_from_network(html) is loads


def test_pages_do_not_pile_up(paths: StatePaths) -> None:
    docs = paths.quality / "data_docs"
    check_marts(paths, make_manifest(), DAY)
    manifest = make_manifest()
    del manifest["nodes"]["model.kpi_monthly"]
    check_marts(paths, manifest, DAY.replace(day=30))
    assert sorted(path.name for path in (docs / "marts").iterdir()) == [
        "marts.customer_features.html",
        "marts.fct_orders.html",
        "results.json",
    ]
    assert "kpi_monthly" not in (docs / "index.html").read_text(encoding="utf-8")


def test_the_page_of_a_feed_without_new_files_stays(paths: StatePaths) -> None:
    folder = paths.quality / "data_docs" / "raw"
    check_raw(paths, FEEDS, DAY.replace(day=30))
    kept = (folder / "raw.customers.html").read_text(encoding="utf-8")
    with open_warehouse(paths.warehouse) as con:
        add_batch(con, "order_lines", batch=3, rows=2)
    check_raw(paths, FEEDS, DAY)
    assert (folder / "raw.customers.html").read_text(encoding="utf-8") == kept
    assert "2026-03-31" in (folder / "raw.order_lines.html").read_text(encoding="utf-8")
    index = (folder.parent / "index.html").read_text(encoding="utf-8")
    assert "2026-03-30" in index
    assert "2026-03-31" in index


def test_the_import_can_run_beside_other_work() -> None:
    script = (
        "import sys\nfrom retention_pipeline.quality.running import importing_meanwhile\n"
        "with importing_meanwhile():\n    pass\nassert 'retention_pipeline.quality.validating' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=PROJECT, check=True, timeout=120)
