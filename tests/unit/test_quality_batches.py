"""Raw is validated batch by batch: once, unless a batch blocked or its suite has changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.quality.batches import read_new_batches
from retention_pipeline.quality.checking import check_raw
from retention_pipeline.quality.declaring import Expectation, Kind, OneOf, Required, Within
from retention_pipeline.quality.raw import raw_suite
from retention_pipeline.settings import StatePaths
from retention_pipeline.warehouse import open_warehouse
from tests.quality_samples import DAY, FEEDS, add_batch, make_warehouse, plant


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return make_warehouse(tmp_path / "state")


def _new(paths: StatePaths) -> dict[str, tuple[int, ...]]:
    return read_new_batches(paths.warehouse, raw_suite(FEEDS))[0]


def _failed(paths: StatePaths) -> list[tuple[str, str, int]]:
    return [(r.kind, r.column, r.unexpected_count) for r in check_raw(paths, FEEDS, DAY).results if not r.passed]


def _recorded(paths: StatePaths) -> list[tuple[object, ...]]:
    with duckdb.connect(str(paths.warehouse), read_only=True) as con:
        return con.execute("FROM decisions.quality_results ORDER BY ALL").fetchall()


def _load(paths: StatePaths, feed: str, batch: int) -> None:
    with open_warehouse(paths.warehouse) as con:
        add_batch(con, feed, batch=batch, rows=4)


def test_only_new_batches_are_looked_at(paths: StatePaths) -> None:
    assert _new(paths) == {"customers": (1,), "order_lines": (2,)}
    assert _failed(paths) == []
    assert _new(paths) == {}
    plant(paths, "UPDATE raw.order_lines SET discount = -1 WHERE _batch_id = 2")
    assert _failed(paths) == []
    _load(paths, "order_lines", 3)
    plant(paths, "UPDATE raw.order_lines SET discount = -1 WHERE _batch_id = 3 AND _line < 3")
    assert _new(paths) == {"order_lines": (3,)}
    assert _failed(paths) == [(Kind.RANGE, "discount", 2)]


def test_a_batch_that_blocks_is_looked_at_again(paths: StatePaths) -> None:
    plant(paths, "UPDATE raw.order_lines SET order_id = NULL WHERE _line = 1")
    for _ in range(2):
        assert _failed(paths) == [(Kind.REQUIRED, "order_id", 1)]
    assert _new(paths) == {"order_lines": (2,)}
    plant(paths, "UPDATE raw.order_lines SET order_id = 'O1' WHERE _line = 1")
    assert _failed(paths) == []
    assert _new(paths) == {}


def test_a_warning_stays_for_as_long_as_its_batch_is_in_force(paths: StatePaths) -> None:
    """And what is written down for a day is the same, whichever run looked at the file."""
    plant(paths, "UPDATE raw.customers SET customer_id = 'C-secret-1-1' WHERE _line < 4")
    warned = [(Kind.KEYS, "", 1)]
    assert _failed(paths) == warned
    written = _recorded(paths)
    assert _failed(paths) == warned
    assert _recorded(paths) == written
    _load(paths, "customers", 3)
    assert _failed(paths) == warned
    plant(paths, "UPDATE raw.ledger SET superseded_by = 3 WHERE batch_id = 1")
    assert _failed(paths) == []


def test_other_expectations_mean_looking_again(paths: StatePaths) -> None:
    assert _failed(paths) == []
    suite = raw_suite(FEEDS)
    stricter = Expectation(Kind.RANGE, Within("unit_price", maximum=5))
    tables = tuple(
        replace(table, expectations=(*table.expectations, stricter)) if table.table == "raw.order_lines" else table
        for table in suite.tables
    )
    assert read_new_batches(paths.warehouse, suite)[0] == {}
    assert read_new_batches(paths.warehouse, replace(suite, tables=tables))[0] == {"order_lines": (2,)}


def test_files_that_were_not_loaded_are_not_looked_at(paths: StatePaths) -> None:
    plant(
        paths,
        "UPDATE raw.ledger SET status = 'refused', rows_loaded = 0 WHERE batch_id = 2",
        "DELETE FROM raw.order_lines",
    )
    assert _new(paths) == {"customers": (1,)}
    assert _failed(paths) == []


def test_a_run_without_a_day_keeps_no_results_but_marks_its_batches(paths: StatePaths) -> None:
    assert check_raw(paths, FEEDS, None).passed
    assert _new(paths) == {}
    with duckdb.connect(str(paths.warehouse), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'quality_results'").fetchall() == [
            (0,)
        ]


@pytest.mark.parametrize("feed", CONTRACTS)
def test_every_rule_of_a_contract_is_expected(feed: str) -> None:
    contract = CONTRACTS[feed]
    (table,) = raw_suite([feed]).tables
    rules = [expectation.rule for expectation in table.expectations]
    for column in contract.columns:
        assert (Required(column.name) in rules) is column.required, column.name
        if column.values:
            assert OneOf(column.name, column.values) in rules
        if (column.minimum, column.maximum) != (None, None):
            assert Within(column.name, column.minimum, column.maximum) in rules
        assert (column.name not in table.keys) or not column.personal
    assert any(e.kind is Kind.KEYS for e in table.expectations) is bool(contract.keys)
    beside = [e for e in table.expectations if e.kind is Kind.REQUIRED and not isinstance(e.rule, Required)]
    assert len(beside) == bool(contract.one_of)
