"""Every odd file is read exactly, put into quarantine row by row, or refused with a message: never a wrong row."""

from __future__ import annotations

import os
from collections.abc import Iterator

import duckdb
import pytest

from retention_pipeline.feeds import taking
from retention_pipeline.feeds.loading import load_feeds
from tests.unit.odd_files import PLAIN, Odd, odd_files
from tests.unit.small_exports import COLUMNS, HEADER, business, fetch, load, row, rows, warehouse, write

CASES = {case.name: case for case in odd_files()}


@pytest.fixture(scope="module")
def shared() -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse() as opened:
        yield opened


@pytest.fixture
def con(shared: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    for table in ("raw.order_lines", "quarantine.order_lines", "raw.ledger"):
        shared.execute(f"DELETE FROM {table}")
    return shared


def test_the_corpus_is_large_and_every_name_in_it_is_used_once():
    assert len(CASES) == sum(1 for _ in odd_files()) >= 100


@pytest.mark.parametrize("name", CASES)
def test_an_odd_file_has_the_expected_outcome(con, tmp_path, name):
    case: Odd = CASES[name]
    write(tmp_path, case.file, case.content)
    options = case.options
    if "max_bad_share" not in options and not case.blocked:
        options += "\nmax_bad_share: 1"
    result = load(con, business(tmp_path, options, files="exports/*", columns=case.columns))
    bad = fetch(con, "SELECT _line, column_name, rule FROM quarantine.order_lines ORDER BY _line")
    good = fetch(con, f"SELECT _line, order_id, {case.show} FROM raw.order_lines ORDER BY _line")
    if case.refused or case.blocked:
        assert [problem.status for problem in result.problems] == ["refused" if case.refused else "blocked"]
        assert case.refused in result.problems[0].message
        assert good == [] and result.rows_read == 0
        return
    assert result.problems == ()
    assert good == case.good
    assert bad == list(case.bad)
    assert result.rows_read == len(good) + len(bad)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.good and case.is_plainly_mapped])
def test_a_bad_row_behind_the_odd_ones_changes_none_of_them(con, tmp_path, name):
    """The same file is no longer read in one pass, and gives the same rows."""
    case = CASES[name]
    end = b"\r" if b"\n" not in case.content else b"\n"
    header = case.content.split(end)[0].decode("utf-8-sig")
    broken = {"order": "bad", "time": "2024-01-05", "qty": "x", "price": "1"}
    line = ",".join(broken.get(column.strip("\r"), "") for column in header.split(","))
    ended = case.content if case.content.endswith(end) else case.content + end
    write(tmp_path, case.file, ended + line.encode() + end)
    load(con, business(tmp_path, "max_bad_share: 1", files="exports/*"))
    good = fetch(con, f"SELECT _line, order_id, {case.show} FROM raw.order_lines ORDER BY _line")
    bad = fetch(con, "SELECT _line, column_name, rule FROM quarantine.order_lines ORDER BY _line")
    assert good == case.good
    assert bad[: len(case.bad)] == list(case.bad) and len(bad) == len(case.bad) + 1


def test_folders_unfinished_files_and_links_that_lead_out_are_left_alone(con, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text(PLAIN)
    folder = tmp_path / "business"
    write(folder, "good.csv", PLAIN)
    write(folder, "half.csv.part", PLAIN + row("o3"))
    write(folder, "half.csv.tmp", PLAIN + row("o4"))
    (folder / "exports" / "folder.csv").mkdir()
    (folder / "exports" / "link.csv").symlink_to(secret)
    result = load(con, business(folder, files="exports/*"))
    assert (result.files_seen, result.rows_loaded, result.problems) == (1, 2, ())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused_and_the_rest_is_loaded(con, tmp_path):
    write(tmp_path, "a.csv", PLAIN).chmod(0)
    write(tmp_path, "b.csv", PLAIN)
    result = load(con, business(tmp_path))
    assert (result.files_refused, result.rows_loaded) == (1, 2)


def test_a_file_that_grows_while_it_is_read_is_left_for_the_next_run(con, tmp_path, monkeypatch):
    path = write(tmp_path, "a.csv", PLAIN)
    open_source = taking.open_source

    def growing(*arguments):
        source = open_source(*arguments)
        with path.open("a") as handle:
            handle.write(row("o3"))
        return source

    with monkeypatch.context() as patched:
        patched.setattr(taking, "open_source", growing)
        first = load(con, business(tmp_path))
    assert (first.rows_read, first.rows_in_raw, first.problems) == (0, 0, ())
    assert fetch(con, "SELECT count(*) FROM raw.ledger") == [(0,)]
    assert load(con, business(tmp_path)).rows_loaded == 3


def test_a_file_replaced_by_a_bad_one_keeps_its_rows_and_by_a_good_one_gives_them_up(con, tmp_path):
    write(tmp_path, "a.csv", HEADER + rows(3))
    load(con, business(tmp_path))
    write(tmp_path, "a.csv", HEADER.replace("price", "prise") + rows(4))
    assert load(con, business(tmp_path)).rows_loaded == 3
    write(tmp_path, "a.csv", HEADER + rows(5))
    result = load(con, business(tmp_path))
    assert (result.rows_loaded, result.rows_in_raw, result.problems) == (5, 8, ())


def test_the_same_bytes_under_another_name_are_loaded_once(con, tmp_path):
    write(tmp_path, "a.csv", PLAIN)
    write(tmp_path, "b.csv", PLAIN)
    result = load(con, business(tmp_path))
    assert (result.files_seen, result.rows_loaded, result.rows_in_raw) == (2, 2, 2)


def test_rows_with_one_key_all_stay_in_raw(con, tmp_path):
    columns = "      columns:\n        customer_id: id\n        country: land\n"
    write(tmp_path, "a.csv", HEADER + rows(1))
    write(tmp_path, "people.txt", "id,land\n1,FR\n1,DE\n2,FR\n")
    feeds = "  customers:\n    - files: exports/people.txt\n" + columns
    loaded = business(tmp_path, columns=COLUMNS + feeds)
    assert load_feeds(con, loaded)["customers"].rows_loaded == 3
    found = fetch(con, "SELECT _line, customer_id, country, _line_id FROM raw.customers ORDER BY _line")
    assert found == [(2, "1", "FR", None), (3, "1", "DE", None), (4, "2", "FR", None)]
