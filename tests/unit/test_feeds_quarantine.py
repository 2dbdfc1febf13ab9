"""Rows that break a rule: which rule, on which line, with what beside them, and that every other row is loaded."""

import json

import pytest

from tests.unit.small_exports import COLUMNS, HEADER, business, fetch, load, quarantined, row, rows, warehouse, write

ALL = "max_bad_share: 1"


@pytest.mark.parametrize(
    ("bad", "column", "rule", "value"),
    [
        (row(order=""), "order_id", "required", None),
        (row(time=""), "ordered_at", "required", None),
        (row(time="05/01/2024"), "ordered_at", "type", "05/01/2024"),
        (row(time="2024-02-30 10:00:00"), "ordered_at", "type", "2024-02-30 10:00:00"),
        (row(time="infinity"), "ordered_at", "type", "infinity"),
        (row(time="1989-12-31 22:59:59"), "ordered_at", "before_1990", "1989-12-31 22:59:59"),
        (row(qty="two"), "quantity", "type", "two"),
        (row(qty="1_000"), "quantity", "type", "1_000"),
        (row(qty="0x10"), "quantity", "type", "0x10"),
        (row(qty="nan"), "quantity", "type", "nan"),
        (row(price="2.50 EUR"), "unit_price", "type", "2.50 EUR"),
        (row(price="99999999999999999999"), "unit_price", "type", "99999999999999999999"),
        (row(price="'1,5'").replace("'", '"'), "unit_price", "type", "1,5"),
    ],
)
def test_a_bad_value_goes_to_quarantine_with_line_column_rule_and_value(tmp_path, bad, column, rule, value):
    write(tmp_path, "a.csv", HEADER + rows(2) + bad + rows(2, start=2))
    with warehouse() as con:
        result = load(con, business(tmp_path, ALL))
        assert quarantined(con) == [(4, column, rule, value)]
        assert fetch(con, "SELECT _line, order_id FROM raw.order_lines ORDER BY _line") == [
            (2, "o0"),
            (3, "o1"),
            (5, "o2"),
            (6, "o3"),
        ]
    assert (result.rows_read, result.rows_loaded, result.rows_quarantined) == (5, 4, 1)
    assert result.rules == {rule: 1} and result.problems == ()


@pytest.mark.parametrize("good", ["12", " 12 ", "+12", "12.", "1.2e1", "0012.000"])
def test_numbers_in_any_plain_notation_are_read(tmp_path, good):
    write(tmp_path, "a.csv", HEADER + row(qty=good))
    with warehouse() as con:
        load(con, business(tmp_path))
        assert fetch(con, "SELECT quantity = 12 FROM raw.order_lines") == [(True,)]


@pytest.mark.parametrize(
    ("constant", "value", "rule"),
    [("kind", "gift", "enumeration"), ("discount", "-1", "range"), ("currency", "EURO", "currency")],
)
def test_enumerations_ranges_and_currencies_are_held(tmp_path, constant, value, rule):
    columns = COLUMNS.replace("description", constant)
    write(tmp_path, "a.csv", HEADER + row(text=value))
    with warehouse() as con:
        load(con, business(tmp_path, ALL, columns=columns))
        assert quarantined(con) == [(2, constant, rule, value)]


def test_the_first_broken_rule_of_a_row_is_told_and_the_row_counts_once(tmp_path):
    write(tmp_path, "a.csv", HEADER + row(order="", qty="x", price="y"))
    with warehouse() as con:
        result = load(con, business(tmp_path, ALL))
        assert quarantined(con) == [(2, "order_id", "required", None)]
    assert result.rows_quarantined == 1


def test_the_whole_row_is_kept_beside_its_fault(tmp_path):
    header = HEADER.replace("text", "text,unmapped")
    write(tmp_path, "a.csv", header + 'o1,c1,2024-01-05,x,2.5,"a ""b"", c",kept\n')
    with warehouse() as con:
        load(con, business(tmp_path, ALL))
        found = json.loads(fetch(con, "SELECT row_text FROM quarantine.order_lines")[0][0])
    assert found == {
        "order": "o1", "customer": "c1", "time": "2024-01-05", "qty": "x", "price": "2.5", "text": 'a "b", c',
        "unmapped": "kept",
    }  # fmt: skip


def test_rows_with_too_few_or_too_many_cells_are_bad_rows(tmp_path):
    write(
        tmp_path, "a.csv", HEADER + row("o1") + "o2,c1\n" + row("o3") + row("o4").strip() + "x,y,z\n" + "\n" + row("o5")
    )
    with warehouse() as con:
        result = load(con, business(tmp_path, ALL))
        bad = fetch(con, "SELECT _line, column_name, rule, row_text FROM quarantine.order_lines ORDER BY _line")
        good = fetch(con, "SELECT _line, order_id FROM raw.order_lines ORDER BY _line")
    assert bad == [
        (3, None, "cell_count", "o2,c1"),
        (5, None, "cell_count", "o4,c1,2024-01-05 10:00:00,1,2.50,x,y,z"),
    ]
    assert good == [(2, "o1"), (4, "o3"), (7, "o5")]
    assert (result.rows_read, result.rows_loaded, result.rules) == (5, 3, {"cell_count": 2})


def test_lines_are_those_of_the_file_with_line_breaks_in_cells_empty_lines_and_bad_rows(tmp_path):
    text = (
        HEADER
        + row("o1", text='"one\n\ntwo"')  # lines 2-4, the empty one within the cell
        + "\n\n"  # 5, 6
        + row("o2")  # 7
        + row("o3", qty="x", text='"a\nb"')  # 8-9
        + '"o4\n\n\n",c1\n'  # 10-13
        + "\n"  # 14
        + row("o5", text='"""quoted"""')  # 15
    )
    write(tmp_path, "a.csv", text)
    with warehouse() as con:
        load(con, business(tmp_path, ALL))
        good = fetch(con, "SELECT _line, order_id, description FROM raw.order_lines ORDER BY _line")
        bad = fetch(con, "SELECT _line, rule FROM quarantine.order_lines ORDER BY _line")
    assert good == [(2, "o1", "one\n\ntwo"), (7, "o2", None), (15, "o5", '"quoted"')]
    assert bad == [(8, "type"), (10, "cell_count")]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_are_counted_however_they_end(tmp_path, newline):
    text = HEADER + row("o1", text='"a\nb"') + "o2\n" + "\n" + row("o3")
    write(tmp_path, "a.csv", text.replace("\n", newline).encode())
    with warehouse() as con:
        load(con, business(tmp_path, ALL))
        good = fetch(con, "SELECT _line, description FROM raw.order_lines ORDER BY _line")
        bad = fetch(con, "SELECT _line, row_text FROM quarantine.order_lines")
    assert good == [(2, f"a{newline}b"), (6, None)]
    assert bad == [(4, "o2")]


def test_lines_that_end_in_different_ways_are_all_read(tmp_path):
    write(tmp_path, "a.csv", (HEADER + row("o1") + row("o2").replace("\n", "\r\n") + row("o3") + "o4\r\n").encode())
    with warehouse() as con:
        result = load(con, business(tmp_path, ALL))
        assert fetch(con, "SELECT _line, order_id FROM raw.order_lines ORDER BY 1") == [(2, "o1"), (3, "o2"), (4, "o3")]
        assert quarantined(con) == [(5, None, "cell_count", None)]
    assert result.problems == ()


def test_a_quotation_mark_that_never_closes_takes_no_other_row_with_it(tmp_path):
    text = (
        HEADER
        + rows(5)
        + row("bad", text='"never closed')
        + rows(50, start=5)
        + row("bad2", text='"again')
        + row("last")
    )
    write(tmp_path, "a.csv", text)
    with warehouse() as con:
        result = load(con, business(tmp_path, ALL))
        lines = fetch(con, "SELECT list(_line ORDER BY _line) FROM raw.order_lines")[0][0]
        bad = fetch(con, "SELECT _line, rule, row_text FROM quarantine.order_lines ORDER BY _line")
    assert [line for line, rule, text in bad if rule == "quote"] == [7, 58]
    assert bad[0][2] == 'bad,c1,2024-01-05 10:00:00,1,2.50,"never closed'
    assert lines == [*range(2, 7), *range(8, 58), 59]
    assert (result.rows_read, result.rows_loaded) == (58, 56)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_is_wrong_in_a_column_that_is_not_mapped_counts_too(tmp_path, newline):
    header = HEADER.replace("text", "text,unmapped")
    lines = [row(f"o{number}", qty="x" if number == 4 else "1").strip() for number in range(7)]
    cells = ["", '"two\n\nlines"', '"q"uo', ",", "", '"never closed', ""]
    body = "".join(f"{line},{cell}\n" for line, cell in zip(lines, cells, strict=True))
    write(tmp_path, "a.csv", (header + body).replace("\n", newline))
    with warehouse() as con:
        load(con, business(tmp_path, ALL))
        good = fetch(con, "SELECT _line, order_id FROM raw.order_lines ORDER BY _line")
        bad = fetch(con, "SELECT _line, rule, value FROM quarantine.order_lines ORDER BY _line")
    assert good == [(2, "o0"), (3, "o1"), (7, "o3"), (10, "o6")]
    assert bad == [(6, "quote", None), (8, "type", "x"), (9, "quote", None)]


def test_quotation_marks_within_a_cell_are_text(tmp_path):
    write(tmp_path, "a.csv", HEADER + row("o1", text='12" ruler') + row("o2", text='5" and 6"') + row("o3"))
    with warehouse() as con:
        load(con, business(tmp_path))
        assert fetch(con, "SELECT description FROM raw.order_lines ORDER BY _line") == [
            ('12" ruler',), ('5" and 6"',), (None,),
        ]  # fmt: skip


def test_an_expression_that_fails_on_a_row_makes_that_row_bad_and_no_other(tmp_path):
    columns = COLUMNS.replace(": text", ": {sql: 'text::INTEGER * 2'}")
    write(tmp_path, "a.csv", HEADER + row("o1", text="4") + row("o2", text="four") + row("o3"))
    with warehouse() as con:
        load(con, business(tmp_path, ALL, columns=columns))
        assert fetch(con, "SELECT order_id, description FROM raw.order_lines ORDER BY _line") == [
            ("o1", "8"),
            ("o3", None),
        ]
        assert quarantined(con) == [(3, "description", "expression", None)]


def test_a_file_with_a_header_only_is_loaded_with_no_row(tmp_path):
    write(tmp_path, "a.csv", HEADER)
    with warehouse() as con:
        result = load(con, business(tmp_path))
    assert (result.rows_read, result.files_new, result.problems) == (0, 1, ())


def test_a_file_of_bad_rows_only_says_so(tmp_path):
    write(tmp_path, "a.csv", HEADER + "o1\no2\n")
    with warehouse() as con:
        result = load(con, business(tmp_path))
    assert result.files_blocked == 1 and "2 of 2 rows" in result.problems[0].message
