"""The keys of a mapping beyond its columns: whose ids they are, which rows are none, which cells are filled."""

from datetime import datetime
from decimal import Decimal

import duckdb
import pytest

from retention_pipeline.feeds.expressions import define_functions
from retention_pipeline.workspace.loading import load_business
from tests.unit.small_exports import COLUMNS, HEADER, business, fetch, load, quarantined, row, warehouse, write

PEOPLE = """\
  customers:
    - files: exports/people.txt
      source: billing
      max_bad_share: 1
      columns:
        customer_id: id
        referred_by: by
  identities:
    - files: exports/people.txt
      source: billing
      constants:
        source: support
      columns:
        customer_id: id
        source_id: other
        merged_into: by
"""


def shop(folder, options="", **kwargs):
    """A business whose primary source is `crm`."""
    business(folder, options, **kwargs)
    path = folder / "retention.yaml"
    path.write_text(path.read_text() + "identity:\n  primary: crm\n")
    return load_business(folder)


def test_ids_of_a_source_get_its_name_in_front_and_null_stays_null(tmp_path):
    write(tmp_path, "people.txt", "id,by,other\n1,,z1\n2,1,z2\n")
    write(tmp_path, "a.csv", HEADER + row())
    with warehouse() as con:
        load(con, shop(tmp_path, "source: crm", columns=COLUMNS + PEOPLE))
        assert fetch(con, "SELECT customer_id, referred_by FROM raw.customers ORDER BY 1") == [
            ("billing:1", None),
            ("billing:2", "billing:1"),
        ]
        links = "SELECT customer_id, source, source_id, merged_into FROM raw.identities ORDER BY 1"
        assert fetch(con, links) == [("billing:1", "support", "z1", None), ("billing:2", "support", "z2", "billing:1")]
        assert fetch(con, "SELECT customer_id FROM raw.order_lines") == [("c1",)]


def test_ids_of_the_primary_source_stand_and_floats_are_ids_before_they_are_prefixed(tmp_path):
    (tmp_path / "exports").mkdir()
    with duckdb.connect() as con:
        con.execute(
            "COPY (SELECT 'o1' AS \"order\", 17850.0::DOUBLE AS customer, '2024-01-05' AS time, 1 AS qty, 1 AS price, "
            f"'' AS text) TO '{tmp_path}/exports/a.parquet' (FORMAT parquet)"
        )
    people = PEOPLE.replace("billing", "crm")
    for source, expected in (("crm", "17850"), ("billing", "billing:17850")):
        with warehouse() as con:
            options = f"format: parquet\nsource: {source}"
            load(con, shop(tmp_path, options, files="exports/*.parquet", columns=COLUMNS + people))
            assert fetch(con, "SELECT customer_id FROM raw.order_lines") == [(expected,)]


def test_another_primary_source_loads_the_files_again(tmp_path):
    write(tmp_path, "a.csv", HEADER + row())
    with warehouse() as con:
        load(con, business(tmp_path, "source: crm"))
        assert load(con, shop(tmp_path, "source: crm")).files_new == 1
        current = "SELECT customer_id FROM raw.order_lines o JOIN raw.ledger l ON l.batch_id = o._batch_id "
        assert fetch(con, current + "WHERE l.superseded_by IS NULL") == [("c1",)]


def test_skipped_rows_are_counted_and_neither_loaded_nor_quarantined(tmp_path):
    content = HEADER + row("o1") + row("o2", qty="x", text="test") + row("o3", qty="x") + row("o4", text="TEST")
    write(tmp_path, "a.csv", content + "too,few\n")
    with warehouse() as con:
        result = load(con, business(tmp_path, "max_bad_share: 1\nskip: {sql: lower(text) = 'test'}"))
        assert fetch(con, "SELECT order_id, _line FROM raw.order_lines") == [("o1", 2)]
        assert quarantined(con) == [(4, "quantity", "type", "x"), (6, None, "cell_count", None)]
        ledger = fetch(con, "SELECT rows_read, rows_loaded, rows_quarantined, rows_skipped FROM raw.ledger")
    assert ledger == [(5, 1, 2, 2)]
    assert (result.rows_read, result.rows_loaded, result.rows_quarantined, result.rows_skipped) == (5, 1, 2, 2)


def test_a_row_for_which_skip_cannot_be_told_is_a_bad_row(tmp_path):
    write(tmp_path, "a.csv", HEADER + row("o1", text="no") + row("o2", text="perhaps") + row("o3", text="yes") + row())
    with warehouse() as con:
        load(con, business(tmp_path, "max_bad_share: 1\nskip: {sql: text::BOOLEAN}"))
        assert fetch(con, "SELECT order_id, _line FROM raw.order_lines ORDER BY 2") == [("o1", 2), ("o1", 5)]
        assert fetch(con, "SELECT _line, column_name, rule FROM quarantine.order_lines") == [(3, "skip", "expression")]


def test_skipped_rows_do_not_dilute_the_share_of_bad_ones(tmp_path):
    write(tmp_path, "a.csv", HEADER + row(qty="x") + row(text="test") * 99)
    with warehouse() as con:
        result = load(con, business(tmp_path, "skip: {sql: text = 'test'}"))
    assert result.files_blocked == 1
    assert "1 of 1 rows (100.0%)" in result.problems[0].message


def test_blank_cells_take_the_value_of_the_first_row_of_their_group(tmp_path):
    content = (
        HEADER
        + row("o1", "c1", "2024-01-05", "1")
        + row("o1", "", "", "2", text="a")
        + row("o2", "", "2024-01-06", "3")
        + row("o2", "", " ", "x")
        + row("o1", "", "", "4")
        + row("", "", "", "5")
    )
    write(tmp_path, "a.csv", content)
    with warehouse() as con:
        options = "max_bad_share: 1\nfill_down: {by: order, columns: [customer, time]}"
        result = load(con, business(tmp_path, options))
        assert fetch(con, "SELECT _line, order_id, customer_id, ordered_at, quantity FROM raw.order_lines") == [
            (2, "o1", "c1", datetime(2024, 1, 4, 23), 1),
            (3, "o1", "c1", datetime(2024, 1, 4, 23), 2),
            (4, "o2", None, datetime(2024, 1, 5, 23), 3),
            (6, "o1", "c1", datetime(2024, 1, 4, 23), 4),
        ]
        assert quarantined(con) == [(5, "quantity", "type", "x"), (7, "order_id", "required", None)]
        texts = fetch(con, "SELECT row_text::JSON->>'time' FROM quarantine.order_lines ORDER BY _line")
    assert texts == [(" ",), (None,)]
    assert result.rows_read == 6


def test_filling_keeps_order_lines_and_rejects_in_a_long_file(tmp_path):
    lines = [
        row(f"o{i // 3}", f"c{i // 3}" if i % 3 == 0 else "", text='"two\nlines"' if i % 7 == 0 else "")
        for i in range(9000)
    ]
    lines.insert(5000, "only,three,cells\n")
    write(tmp_path, "a.csv", HEADER + "".join(lines))
    with warehouse() as con:
        result = load(con, business(tmp_path, "fill_down: {by: order, columns: [customer]}"))
        found = fetch(con, "SELECT _line, order_id, customer_id FROM raw.order_lines ORDER BY _line")
        assert quarantined(con)[0][1:3] == (None, "cell_count")
        bad_line = quarantined(con)[0][0]
    expected, line = [], 2
    for text in lines:
        if text.startswith("only"):
            assert line == bad_line
        else:
            order = text.split(",")[0]
            expected.append((line, order, f"c{order[1:]}"))
        line += text.count("\n")
    assert found == expected
    assert result.rows_read == 9001


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("'500', 'EUR'", "5"),
        ("'-500', 'eur'", "-5"),
        ("'500', ' jpy '", "500"),
        ("'500', 'KWD'", "0.5"),
        ("'500', 'CLF'", "0.05"),
        ("500, 'USD'", "5"),
        ("500.0::DOUBLE, 'USD'", "5"),
        ("'0.5', 'USD'", "0.005"),
        ("'500', 'ISK'", "500"),
        ("'500', 'ISK', 'stripe'", "5"),
        ("'500', 'MGA'", "5"),
        ("'500', 'MGA', 'stripe'", "500"),
        ("'500', 'EUR', 'stripe'", "5"),
        ("'99999999999999999999', 'EUR'", "999999999999999999.99"),
        ("'five', 'EUR'", None),
        ("'1,000', 'EUR'", None),
        ("'1e3', 'EUR'", None),
        ("'500', 'QQQ'", None),
        ("'500', NULL", None),
        ("NULL, 'EUR'", None),
        ("'500', 'EUR', 'other'", None),
    ],
)
def test_minor_units_become_amounts_of_their_currency(arguments, expected):
    with warehouse() as con:
        define_functions(con)
        assert fetch(con, f"SELECT minor_units({arguments})") == [(Decimal(expected) if expected else None,)]


def test_minor_units_in_a_mapping(tmp_path):
    columns = COLUMNS.replace("unit_price: price", 'unit_price: {sql: "minor_units(price, text)"}')
    columns += "        currency: {sql: upper(text)}\n"
    write(
        tmp_path,
        "a.csv",
        HEADER + row(price="1999", text="eur") + row(price="1999", text="jpy") + row(price="?", text="eur"),
    )
    with warehouse() as con:
        load(con, business(tmp_path, "max_bad_share: 1", columns=columns))
        assert fetch(con, "SELECT unit_price, currency FROM raw.order_lines ORDER BY _line") == [
            (Decimal("19.99"), "EUR"), (Decimal(1999), "JPY"),
        ]  # fmt: skip
        assert quarantined(con) == [(4, "unit_price", "required", None)]


def test_a_column_that_may_be_absent_is_missing_where_it_is(tmp_path):
    columns = COLUMNS + "        category: group\n        sku: {sql: \"coalesce(code, 'none')\"}\n"
    write(tmp_path, "a.csv", HEADER + row())
    write(tmp_path, "b.csv", HEADER.strip() + ",group,code\n" + row().strip() + ",toys,7\n")
    with warehouse() as con:
        result = load(con, business(tmp_path, "optional: [group, code]", columns=columns))
        assert fetch(con, "SELECT category, sku FROM raw.order_lines ORDER BY 1") == [("toys", "7"), (None, "none")]
        refused = load(con, business(tmp_path, "optional: [group]", columns=columns))
    assert result.problems == ()
    assert [problem.path for problem in refused.problems] == ["exports/a.csv"]


def test_an_expression_that_repeats_a_failing_part_makes_one_bad_row_and_no_bad_file(tmp_path):
    columns = (
        COLUMNS
        + "        category: {sql: \"CASE WHEN text::INT < 10 THEN 'few' WHEN text::INT < 50 THEN 'some' END\"}\n"
    )
    write(tmp_path, "a.csv", HEADER + row("o1", text="1") + row("o2", text="many") + row("o3", text="20"))
    with warehouse() as con:
        con.execute("SET disabled_optimizers = 'join_order'")
        load(con, business(tmp_path, "max_bad_share: 1", columns=columns))
        assert fetch(con, "SELECT order_id, category FROM raw.order_lines") == [("o1", "few"), ("o3", "some")]
        assert fetch(con, "SELECT _line, column_name, rule FROM quarantine.order_lines") == [
            (3, "category", "expression")
        ]
        assert fetch(con, "SELECT current_setting('disabled_optimizers')") == [("join_order",)]
