"""For any mix of rows: nothing disappears, every good row comes out exactly, every line number is true, and neither the
way by which a file is read nor the order in which files come changes anything."""

from __future__ import annotations

import csv
import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_pipeline.feeds import taking
from retention_pipeline.feeds.straight import NotStraightError
from tests.unit.small_exports import COLUMNS, HEADER, business, fetch, load, quarantined, row, warehouse, write

_cell = st.text(alphabet="ab ,\"\n'é;=0", max_size=8)
_good = st.tuples(st.text(alphabet="abc1", min_size=1, max_size=3), st.integers(-99, 99), _cell)
_bad_number = st.sampled_from(["", "x", "1,5", "--1", "1_0"])


def _written(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


@st.composite
def _records(draw) -> tuple[str, str, tuple | None]:
    """Kind, text, and the good row that must come out."""
    kind = draw(st.sampled_from(["good", "good", "good", "number", "short", "long", "blank"]))
    order, quantity, text = draw(_good)
    if kind == "blank":
        return kind, "\n", None
    if kind == "short":
        return kind, _written([order, text + "x"]), None
    number = draw(_bad_number) if kind == "number" else str(quantity)
    cells = [order, "c", "2024-01-05", number, "2.5", text]
    if kind == "long":
        cells += ["y", "z"]
    return kind, _written(cells), (order, Decimal(quantity), text or None) if kind == "good" else None


@contextmanager
def _emptied(con: duckdb.DuckDBPyConnection) -> Iterator[Path]:
    """A folder for one example, in a warehouse without rows."""
    for table in ("raw.order_lines", "quarantine.order_lines", "raw.ledger"):
        con.execute(f"DELETE FROM {table}")
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse() as opened:
        yield opened


@settings(max_examples=40)
@given(records=st.lists(_records(), max_size=12), ends=st.booleans())
def test_rows_read_are_loaded_or_quarantined_and_good_rows_come_out_exactly(con, records, ends):
    text = HEADER + "".join(written for _, written, _ in records)
    if not ends and records and records[-1][0] != "blank":
        text = text.removesuffix("\n")
    expected_good, expected_bad, line = [], [], 2
    for kind, written, good_row in records:
        if good_row is not None:
            expected_good.append((line, *good_row))
        elif kind != "blank":
            expected_bad.append(line)
        line += written.count("\n")
    with _emptied(con) as folder:
        write(folder, "a.csv", text)
        result = load(con, business(folder, "max_bad_share: 1"))
    good = fetch(con, "SELECT _line, order_id, quantity, description FROM raw.order_lines ORDER BY _line")
    bad = [found for (found,) in fetch(con, "SELECT _line FROM quarantine.order_lines ORDER BY _line")]
    identities = fetch(con, "SELECT count(*), count(DISTINCT _line_id) FROM raw.order_lines")[0]
    assert result.problems == ()
    assert good == expected_good
    assert bad == expected_bad
    assert (result.rows_read, result.rows_loaded) == (len(good) + len(bad), len(good))
    assert identities == (len(good), len(good)), "repeats within a file are different lines"


@settings(max_examples=20)
@given(first=st.lists(_good, max_size=10), second=st.lists(_good, max_size=10))
def test_an_overlap_of_two_files_counts_each_line_as_often_as_the_fuller_file_holds_it(con, first, second):
    def text(rows: list[tuple[str, int, str]]) -> str:
        return HEADER + "".join(
            _written([order, "c", "2024-01-05", str(count), "1", cell]) for order, count, cell in rows
        )

    with _emptied(con) as folder:
        write(folder, "a.csv", text(first))
        write(folder, "b.csv", text(second))
        load(con, business(folder))
    distinct = fetch(con, "SELECT count(DISTINCT _line_id) FROM raw.order_lines")[0][0]
    union = Counter((o, n, c or None) for o, n, c in first) | Counter((o, n, c or None) for o, n, c in second)
    assert distinct == union.total()


_STAGED = "order_id, customer_id, ordered_at, quantity, unit_price, description, _known_on, _line_id"
"""What staging sees of a line, its batch and its place apart."""

_numbers = st.sampled_from(
    ["1", "-2", "+3", " 4 ", "5.", ".5", "6.25", "7e1", "007", "8.00005", "", "x", "1_0", "0x1", "1e0."]
)
_times = st.sampled_from(
    ["2024-01-05", "2024-01-05 10:00:00", "2024-03-31T02:30:00", "2024-01-05T10:00+02:00", "2024-01-05T10:00+02",
     "2024-01-05 10:00:00.5", "1989-01-01", "", "soon", "infinity", "2024-1-5", "2024-01-05 10:00:00Z"]
)  # fmt: skip
_line = st.tuples(
    st.sampled_from(["a", "b", "é", ""]), st.sampled_from(["c1", "c2", ""]), _times, _numbers, _numbers, _cell
)
_mostly_good = st.one_of(
    st.tuples(st.sampled_from("ab"), st.just("c"), st.just("2024-01-05"), st.sampled_from("12"), st.just("1"), _cell),
    _line,
)


def _refuse_straight(*_arguments):
    raise NotStraightError


def _raw(con: duckdb.DuckDBPyConnection) -> tuple:
    return (
        fetch(con, f"SELECT _line, {_STAGED} FROM raw.order_lines ORDER BY ALL"),
        quarantined(con),
        fetch(con, "SELECT status, rows_read, rows_loaded, rows_quarantined, first_day, last_day FROM raw.ledger"),
    )


@settings(max_examples=40)
@given(lines=st.lists(_mostly_good, max_size=6), delivered=st.booleans(), end=st.sampled_from(["\n", "\r\n"]))
def test_both_ways_of_reading_give_the_same_rows(con, lines, delivered, end):
    text = (HEADER + "".join(_written(list(cells)) for cells in lines)).replace("\n", end)
    options = "max_bad_share: 1" + ("\ndelivered: {pattern: '_(?P<day>[0-9]{8})'}" if delivered else "")
    with _emptied(con) as folder:
        write(folder, "a_20240105.csv", text)
        load(con, business(folder, options))
        straight = _raw(con)
    with _emptied(con) as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr(taking, "write_straight", _refuse_straight)
        write(folder, "a_20240105.csv", text)
        load(con, business(folder, options))
        careful = _raw(con)
    assert straight == careful


@settings(max_examples=20)
@given(
    lines=st.lists(
        st.tuples(
            st.one_of(st.none(), st.text("ab", max_size=2)),
            st.one_of(st.none(), st.integers(-5, 5), st.floats(allow_nan=True, allow_infinity=True, width=32)),
            st.one_of(st.none(), st.datetimes(datetime(1985, 1, 1), datetime(2030, 1, 1))),
        ),
        max_size=5,
    )
)
def test_both_ways_of_reading_give_the_same_rows_of_parquet(con, lines):
    texts, numbers, times = ([line[place] for line in lines] for place in range(3))
    found = []
    for way in ("straight", "careful"):
        with _emptied(con) as folder, pytest.MonkeyPatch.context() as patched:
            if way == "careful":
                patched.setattr(taking, "write_straight", _refuse_straight)
            (folder / "exports").mkdir()
            con.execute(
                "COPY (SELECT 'o' AS \"order\", unnest(?::VARCHAR[]) AS customer, unnest(?::TIMESTAMP[]) AS time, "
                "unnest(?::DOUBLE[]) AS qty, 1 AS price, 't' AS text) "
                f"TO '{folder}/exports/a.parquet' (FORMAT parquet)",
                [texts, times, numbers],
            )
            load(con, business(folder, "format: parquet\nmax_bad_share: 1", files="exports/*"))
            found.append(_raw(con))
    assert found[0] == found[1]


@settings(max_examples=15)
@given(data=st.data(), files=st.lists(st.lists(_mostly_good, min_size=1, max_size=4), min_size=1, max_size=4))
def test_the_order_in_which_files_come_changes_nothing(con, data, files):
    texts = {
        f"f{number}.csv": HEADER + "".join(_written(list(cells)) for cells in lines)
        for number, lines in enumerate(files)
    }
    staged = (
        f"SELECT DISTINCT {_STAGED} FROM raw.order_lines WHERE _batch_id IN "
        "(SELECT batch_id FROM raw.ledger WHERE status = 'loaded' AND superseded_by IS NULL) ORDER BY ALL"
    )
    with _emptied(con) as folder:
        for name, text in texts.items():
            write(folder, name, text)
        load(con, business(folder, "max_bad_share: 1"))
        at_once = fetch(con, staged)
        load(con, business(folder, "max_bad_share: 1"))
        assert fetch(con, staged) == at_once, "a second time nothing happens"
    with _emptied(con) as folder:
        for name in data.draw(st.permutations(sorted(texts))):
            write(folder, name, texts[name])
            load(con, business(folder, "max_bad_share: 1"))
        one_by_one = fetch(con, staged)
    assert one_by_one == at_once


@settings(max_examples=20)
@given(kinds=st.lists(st.sampled_from(["good", "skipped", "bad", "bad and skipped", "short"]), max_size=10))
def test_rows_read_are_loaded_quarantined_or_skipped(con, kinds):
    text = HEADER
    for number, kind in enumerate(kinds):
        if kind == "short":
            text += "o,c\n"
            continue
        quantity = "x" if "bad" in kind else "1"
        text += row(f"o{number}", qty=quantity, text="test" if "skipped" in kind else "")
    with _emptied(con) as folder:
        write(folder, "a.csv", text)
        result = load(con, business(folder, "max_bad_share: 1\nskip: {sql: \"text = 'test'\"}"))
    loaded = [order for (order,) in fetch(con, "SELECT order_id FROM raw.order_lines ORDER BY _line")]
    skipped = sum("skipped" in kind for kind in kinds)
    assert loaded == [f"o{number}" for number, kind in enumerate(kinds) if kind == "good"]
    assert (result.rows_read, result.rows_skipped) == (len(kinds), skipped)
    assert result.rows_read == result.rows_loaded + result.rows_quarantined + result.rows_skipped


def test_identities_of_another_hash_are_made_anew(con):
    with _emptied(con) as folder:
        write(folder, "a.csv", HEADER + row("o1") * 3 + row("o2"))
        load(con, business(folder))
        before = fetch(con, "SELECT _line, _line_id FROM raw.order_lines ORDER BY _line")
        con.execute("UPDATE raw.order_lines SET _line_id = 7")
        con.execute("UPDATE raw.line_id_sample SET sample = 'of another version'")
        load(con, business(folder))
        assert fetch(con, "SELECT _line, _line_id FROM raw.order_lines ORDER BY _line") == before
    assert len({identity for _, identity in before}) == 4


def test_a_plain_file_is_read_in_one_pass(con, monkeypatch):
    """Both ways give the same rows, so only this tells that the short one is taken."""

    def careful(*_arguments):
        raise AssertionError("read a second time")

    monkeypatch.setattr(taking, "read_batch", careful)
    with _emptied(con) as folder:
        write(folder, "a.csv", HEADER + row("o1", text="é") * 2 + row("o2", qty=" 1e0 "))
        con.execute(
            f"COPY (FROM read_csv('{folder}/exports/a.csv', all_varchar = true)) TO '{folder}/exports/b.parquet'"
        )
        second = COLUMNS + "    - files: exports/*.parquet\n      format: parquet\n" + COLUMNS
        assert load(con, business(folder, columns=second)).rows_loaded == 6
        assert fetch(con, "SELECT _batch_id, _line FROM raw.order_lines ORDER BY ALL") == [
            (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (2, 3),
        ]  # fmt: skip
        assert fetch(con, "SELECT count(DISTINCT _line_id) FROM raw.order_lines") == [(3,)]
