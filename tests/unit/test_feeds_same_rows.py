"""The same table in every format gives the same rows, and every line is accounted for, whatever stands in it."""

import csv
import io
import json
import tempfile
from pathlib import Path

import duckdb
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.small_exports import business, fetch, load, warehouse, write

NAMES = ["order", "customer", "time", "qty", "price", "text"]
ROWS = [
    [f"o{i}", f"c{i % 3}" if i % 4 else "", f"2024-01-{i % 28 + 1:02} 10:00:00", "x" if i == 7 else str(i), "2.5",
     ["", "é“", "a,b;c", "NA", "1.0", "=1+1"][i % 6]]
    for i in range(40)
]  # fmt: skip
OPTIONS = "max_bad_share: 1\nmissing: ['', NA]\nsource: shop\nskip: {sql: qty = '3'}\n"
VALUES = "_known_on, _line_id, order_id, customer_id, ordered_at, quantity, unit_price, description"


def as_csv(rows):
    text = io.StringIO()
    csv.writer(text).writerows([NAMES, *rows])
    return text.getvalue()


def as_lines(rows):
    return "".join(json.dumps(dict(zip(NAMES, cells, strict=True))) + "\n" for cells in rows)


def write_sheet(path, rows):
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        for line, cells in enumerate([NAMES, *rows]):
            for column, cell in enumerate(cells):
                sheet.write_string(line, column, cell)


def write_parquet(path, rows):
    path.with_suffix(".json").write_text(as_lines(rows))
    with duckdb.connect() as con:
        types = ", ".join(f"\"{name}\": 'VARCHAR'" for name in NAMES)
        source = f"read_json('{path.with_suffix('.json')}', format = 'newline_delimited', columns = {{{types}}})"
        con.execute(f"COPY (FROM {source}) TO '{path}' (FORMAT parquet)")


def loaded(folder, kind, first_line):
    options = f"{OPTIONS}format: {kind}"
    with warehouse() as con:
        result = load(con, business(folder, options, files=f"exports/a.{kind}"))
        rows = fetch(con, f"SELECT _line - {first_line}, {VALUES} FROM raw.order_lines ORDER BY _line")
        bad = fetch(
            con, f"SELECT _line - {first_line}, column_name, rule, value FROM quarantine.order_lines ORDER BY 1"
        )
    return rows, bad, (result.rows_read, result.rows_loaded, result.rows_quarantined, result.rows_skipped)


def test_every_format_gives_the_same_rows(tmp_path):
    folder = tmp_path / "exports"
    write(tmp_path, "a.csv", as_csv(ROWS))
    write(tmp_path, "a.tsv", as_csv(ROWS).replace('"a,b;c"', "a\x00b;c").replace(",", "\t").replace("\x00", ","))
    write(tmp_path, "a.jsonl", as_lines(ROWS))
    write_sheet(folder / "a.xlsx", ROWS)
    write_parquet(folder / "a.parquet", ROWS)
    first = {"csv": 2, "tsv": 2, "jsonl": 1, "xlsx": 2, "parquet": 1}
    found = {kind: loaded(tmp_path, kind, line) for kind, line in first.items()}
    _, bad, counts = found["csv"]
    assert counts == (40, 38, 1, 1)
    assert bad == [(7, "quantity", "type", "x")]
    assert found == dict.fromkeys(found, found["csv"])


GOOD = json.dumps(dict(zip(NAMES, ["o1", "c1", "2024-01-05", "1", "2.5", "t"], strict=True)))
LINE = st.sampled_from(
    [GOOD, GOOD.replace('"1"', '"x"'), GOOD.replace('"o1"', "null"), "", "  ", "\t", "{", "[1]", "7", "null", '"t"',
     GOOD + GOOD, GOOD + ",", "{}", GOOD.replace('"t"', '"skip"'), GOOD.replace(", ", " ,\t")]
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(LINE, st.sampled_from(["\n", "\r\n"])), max_size=30), st.booleans())
def test_lines_of_json_are_read_quarantined_or_skipped_each_with_its_number(lines, is_last_ended):
    content = "".join(text + end for text, end in lines)
    if not is_last_ended:
        content = content.removesuffix("\n").removesuffix("\r")
    expected = {"good": [], "bad": [], "skipped": []}
    for number, (text, _) in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            expected["bad"].append((number, "json"))
        elif row.get("text") == "skip":
            expected["skipped"].append(number)
        elif row.get("order") is None:
            expected["bad"].append((number, "required"))
        elif row["qty"] == "x":
            expected["bad"].append((number, "type"))
        else:
            expected["good"].append((number,))
    with tempfile.TemporaryDirectory() as name, warehouse() as con:
        write(Path(name), "a.jsonl", content.encode())
        options = "format: jsonl\nmax_bad_share: 1\nskip: {sql: text = 'skip'}"
        result = load(con, business(Path(name), options, files="exports/a.jsonl"))
        if result.problems:
            assert set(map(tuple, expected["good"])) == set()
            assert "not in the file" in result.problems[0].message
            return
        assert fetch(con, "SELECT _line FROM raw.order_lines ORDER BY 1") == expected["good"]
        assert fetch(con, "SELECT _line, rule FROM quarantine.order_lines ORDER BY 1") == expected["bad"]
    assert result.rows_skipped == len(expected["skipped"])
    assert result.rows_read == sum(map(len, expected.values()))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx", "parquet"])
def test_an_export_without_a_row_is_an_empty_delivery(tmp_path, kind):
    (tmp_path / "exports").mkdir()
    writers = {
        "csv": lambda path: path.write_text(as_csv([])),
        "jsonl": lambda path: path.write_text(""),
        "xlsx": lambda path: write_sheet(path, []),
        "parquet": lambda path: write_parquet(path, []),
    }
    writers[kind](tmp_path / "exports" / f"a.{kind}")
    rows, bad, counts = loaded(tmp_path, kind, 1)
    assert (rows, bad, counts) == ([], [], (0, 0, 0, 0))
