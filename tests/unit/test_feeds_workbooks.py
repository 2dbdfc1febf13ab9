"""Excel workbooks: typed cells become the texts that a CSV file would hold, with the rows' numbers in the sheet."""

import zipfile
from datetime import date, datetime, time
from decimal import Decimal

import pytest
import xlsxwriter

from retention_pipeline.feeds import workbooks
from tests.unit.small_exports import COLUMNS, business, fetch, load, quarantined, warehouse, write

NAMES = ["order", "customer", "time", "qty", "price", "text"]
XLSX = "format: xlsx"
FORMATS = {
    datetime: "yyyy-mm-dd hh:mm:ss",
    date: "dd/mm/yyyy",
    time: "hh:mm",
}


def workbook(path, *sheets):
    """Write (name, [(row, column, value), ...]) sheets; a text that begins with = is a formula with its value."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path, {"default_date_format": "dd/mm/yyyy"}) as book:
        formats = {kind: book.add_format({"num_format": text}) for kind, text in FORMATS.items()}
        for name, cells in sheets:
            sheet = book.add_worksheet(name)
            for line, column, value in cells:
                if isinstance(value, tuple):
                    sheet.write_formula(line, column, value[0], None, value[1])
                elif type(value) in formats:
                    sheet.write_datetime(line, column, value, formats[type(value)])
                else:
                    sheet.write(line, column, value)
    return path


def table(*rows, top=0, left=0):
    """Cells of a header and rows below it."""
    return [
        (top + line, left + column, value)
        for line, cells in enumerate([NAMES, *rows])
        for column, value in enumerate(cells)
        if value is not None
    ]


GOOD = ["o1", "c1", datetime(2024, 1, 5, 10), 1, 2.5, "a"]


def read(folder, *rows, options="", columns=COLUMNS, **place):
    workbook(folder / "exports" / "a.xlsx", ("Data", table(*rows, **place)))
    return business(folder, f"{XLSX}\n{options}", files="exports/*.xlsx", columns=columns)


def test_typed_cells_become_text_with_the_row_of_the_sheet(tmp_path):
    rows = [
        [17850.0, 12345678901234, datetime(2024, 1, 5, 10, 0, 30), 1.0, 0.1 + 0.2, 'two\nlines, "quoted"'],
        [],
        ["007", " c ", date(2024, 7, 5), -2.5, 1999.99, True],
        ["o3", None, "2024-01-05", ("=1+1", 2), 1e-3, ("=NA()", "#N/A")],
        ["o4", "c", ("=DATE(2024,1,5)", 45296), 1, 1, time(10, 30)],
    ]
    with warehouse() as con:
        loaded = read(tmp_path, *rows, top=2, left=1, options="max_bad_share: 1")
        result = load(con, loaded)
        found = fetch(
            con,
            "SELECT _line, order_id, customer_id, ordered_at, quantity, unit_price, description FROM raw.order_lines",
        )
        assert found == [
            (4, "17850", "12345678901234", datetime(2024, 1, 5, 9, 0, 30), 1, Decimal("0.3"), 'two\nlines, "quoted"'),
            (6, "007", " c ", datetime(2024, 7, 4, 22), Decimal("-2.5"), Decimal("1999.99"), "true"),
            (7, "o3", None, datetime(2024, 1, 4, 23), 2, Decimal("0.001"), None),
        ]
        # A date without the format of a date is a number, and no number is taken for a time.
        assert quarantined(con) == [(8, "ordered_at", "type", "45296")]
        assert fetch(con, "SELECT row_text::JSON->>'text' FROM quarantine.order_lines") == [("10:30:00",)]
    assert (result.rows_read, result.problems) == (4, ())


def test_declared_texts_and_empty_cells_are_missing(tmp_path):
    with warehouse() as con:
        load(con, read(tmp_path, [*GOOD[:5], "n/a"], [*GOOD[:5], None], GOOD, options="missing: [n/a]"))
        assert fetch(con, "SELECT description FROM raw.order_lines ORDER BY _line") == [(None,), (None,), ("a",)]


def test_merged_cells_hold_their_value_once(tmp_path):
    path = tmp_path / "exports" / "a.xlsx"
    path.parent.mkdir()
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for line, column, value in table(["o1", "c1", "2024-01-05", 1, 2], [None, "c1", "2024-01-05", 1, 2]):
            sheet.write(line, column, value)
        sheet.merge_range(1, 0, 2, 0, "o1")
    with warehouse() as con:
        load(con, business(tmp_path, f"{XLSX}\nmax_bad_share: 1", files="exports/*.xlsx"))
        assert fetch(con, "SELECT _line, order_id FROM raw.order_lines") == [(2, "o1")]
        assert quarantined(con) == [(3, "order_id", "required", None)]


def test_a_sheet_is_found_by_name_and_the_first_is_the_default(tmp_path):
    other = table([*GOOD[:5], "other"])
    workbook(tmp_path / "exports" / "a.xlsx", ("Data", table(GOOD)), ("Other sheet", other), ("Empty", []))
    found = {}
    for sheet in ("", "sheet: Data", "sheet: Other sheet"):
        with warehouse() as con:
            load(con, business(tmp_path, f"{XLSX}\n{sheet}", files="exports/*.xlsx"))
            found[sheet] = fetch(con, "SELECT description FROM raw.order_lines")
    assert found == {"": [("a",)], "sheet: Data": [("a",)], "sheet: Other sheet": [("other",)]}
    with warehouse() as con:
        message = (
            load(con, business(tmp_path, f"{XLSX}\nsheet: Othersheet", files="exports/*.xlsx")).problems[0].message
        )
        assert "'Data', 'Other sheet', 'Empty'" in message
        assert "`sheet: Other sheet`" in message
        empty = load(con, business(tmp_path, f"{XLSX}\nsheet: Empty", files="exports/*.xlsx")).problems[0].message
        assert "the sheet is empty" in empty


def test_skip_fill_down_and_lookups_work_on_sheets(tmp_path):
    rows = [
        ["o1", "c1", date(2024, 1, 5), 1, None, "x"],
        [],
        ["o1", None, None, 2, None, "y"],
        ["o2", "c", None, 1, None, "skip"],
    ]
    options = (
        "max_bad_share: 1\nskip: {sql: text = 'skip'}\nfill_down: {by: order, columns: [customer, time]}\n"
        "lookups: {item: {files: items.csv, on: id, equals: text}}"
    )
    columns = COLUMNS.replace(": price", ": item.amount")
    write(tmp_path, "items.csv", "id,amount\nx,1\nz,2\n")
    with warehouse() as con:
        result = load(con, read(tmp_path, *rows, options=options, columns=columns))
        assert fetch(con, "SELECT _line, customer_id, unit_price FROM raw.order_lines") == [(2, "c1", Decimal(1))]
        assert quarantined(con) == [(4, "unit_price", "required", None)]
    assert result.rows_skipped == 1


def packed_with(path, name, content):
    """The workbook with one of its parts replaced."""
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    parts[name] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, data in parts.items():
            archive.writestr(part, data)


def problem_of(folder):
    with warehouse() as con:
        result = load(con, business(folder, XLSX, files="exports/*.xlsx"))
        assert fetch(con, "SELECT count(*) FROM raw.order_lines") == [(0,)]
    return result.problems[0].message


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: data[: len(data) // 2], "damaged or ends too early"),
        (lambda data: data[:200] + bytes(60) + data[260:], "cannot be read as xlsx"),
        (lambda data: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + data, "protected by a password"),
        (lambda data: b"order,customer\n", "an xlsx workbook\n  found:    other data"),
        (lambda data: b"", "an empty file"),
    ],
)
def test_what_is_no_whole_workbook_is_refused(tmp_path, spoil, message):
    path = workbook(tmp_path / "exports" / "a.xlsx", ("Data", table(GOOD)))
    path.write_bytes(spoil(path.read_bytes()))
    assert message in problem_of(tmp_path)


def test_an_archive_that_is_no_workbook_is_refused(tmp_path):
    (tmp_path / "exports").mkdir()
    with zipfile.ZipFile(tmp_path / "exports" / "a.xlsx", "w") as archive:
        archive.writestr("data.csv", "order\n")
    assert "cannot be read as xlsx" in problem_of(tmp_path)


@pytest.mark.parametrize("honest", [True, False])
def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch, honest):
    monkeypatch.setattr(workbooks, "MOST_BYTES", 1 << 20)
    path = workbook(tmp_path / "exports" / "a.xlsx", ("Data", table(GOOD)))
    packed_with(path, "xl/sharedStrings.xml", b" " * (1 << 22))
    if not honest:
        size = (1 << 22).to_bytes(4, "little")
        path.write_bytes(path.read_bytes().replace(size, (1000).to_bytes(4, "little")))
    assert path.stat().st_size < 20_000
    assert ("at most 1 MiB when unpacked" if honest else "cannot be read as xlsx") in problem_of(tmp_path)


def test_two_cells_at_the_ends_of_a_sheet_do_not_fill_the_memory(tmp_path):
    workbook(tmp_path / "exports" / "a.xlsx", ("Data", [*table(GOOD), (1_048_575, 16_383, "far")]))
    assert "a sheet of 1,048,576 by 16,384 cells" in problem_of(tmp_path)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ('<row r="1"><c r="A9999999999994"><v>1</v></c></row>', "is too large for a workbook"),
        # Cells without a reference are counted by nobody, and the library asks for 750 GB.
        (f'<row r="1">{"<c><v>1</v></c>" * 30_000}</row><row r="1048576"><c><v>1</v></c></row>', "too much memory"),
    ],
)
def test_what_would_end_the_process_is_refused_like_any_other_file(tmp_path, cells, message):
    path = workbook(tmp_path / "exports" / "a.xlsx", ("Data", table(GOOD)))
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheet = f'<worksheet xmlns="{space}"><sheetData>{cells}</sheetData></worksheet>'
    packed_with(path, "xl/worksheets/sheet1.xml", sheet.encode())
    assert message in problem_of(tmp_path)


def test_rows_and_columns_that_were_only_formatted_do_no_harm(tmp_path):
    with warehouse() as con:
        result = load(con, read(tmp_path, [*GOOD, None, "beyond the header"], *[[]] * 500, GOOD))
        assert fetch(con, "SELECT _line FROM raw.order_lines ORDER BY 1") == [(2,), (503,)]
    assert result.rows_read == 2
