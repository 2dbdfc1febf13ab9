"""For any mix of rows: nothing disappears, every good row comes out exactly, every line number is true."""

from __future__ import annotations

import csv
import io
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.small_exports import HEADER, business, fetch, load, warehouse, write

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
    for kind, written, row in records:
        if row is not None:
            expected_good.append((line, *row))
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
