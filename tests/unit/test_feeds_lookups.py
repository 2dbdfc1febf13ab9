"""Values looked up in other files of the same export: one row for each key, and a change is a new delivery."""

import gzip
import re
import tempfile
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_pipeline.workspace.loading import ConfigurationError
from tests.unit.small_exports import COLUMNS, HEADER, business, fetch, load, quarantined, row, warehouse, write

MAPPED = COLUMNS.replace("unit_price: price", "unit_price: item.amount")
LOOKUP = "lookups: {item: {files: items*.csv, on: id, equals: text}}"


def shop(folder, options=LOOKUP, columns=MAPPED, files="exports/a*.csv"):
    return business(folder, options, files=files, columns=columns)


def prices(con):
    return fetch(
        con,
        "SELECT order_id, unit_price FROM raw.order_lines JOIN raw.ledger ON batch_id = _batch_id "
        "WHERE superseded_by IS NULL ORDER BY _line",
    )


def orders(*keys):
    return HEADER + "".join(row(f"o{number}", text=key) for number, key in enumerate(keys))


def test_a_lookup_never_multiplies_rows_and_the_last_row_of_a_key_counts(tmp_path):
    write(tmp_path, "a.csv", orders("x", "y", "x", "z", ""))
    write(tmp_path, "items1.csv", "id,amount\nx,1\ny,2\nx,3\n,9\n")
    write(tmp_path, "items2.csv", "amount,id,more\n4,y,m\n")
    with warehouse() as con:
        result = load(con, shop(tmp_path, f"{LOOKUP}\nmax_bad_share: 1"))
        assert prices(con) == [("o0", Decimal(3)), ("o1", Decimal(4)), ("o2", Decimal(3))]
        assert quarantined(con) == [(5, "unit_price", "required", None), (6, "unit_price", "required", None)]
        text = fetch(con, "SELECT row_text FROM quarantine.order_lines WHERE _line = 5")[0][0]
    assert result.rows_read == 5
    assert '"text":"z"' in text
    assert "item." not in text


@pytest.mark.parametrize("newest", [("9", "10", "8"), ("2024-01-31", "2024-02-01 00:00:00", ""), ("a", "b", "")])
def test_the_row_with_the_greatest_value_counts(tmp_path, newest):
    write(tmp_path, "a.csv", orders("x"))
    amounts = "".join(f"x,{amount},{value}\n" for amount, value in zip((1, 2, 3), newest, strict=True))
    write(tmp_path, "items.csv", f"id,amount,changed\n{amounts}")
    with warehouse() as con:
        load(con, shop(tmp_path, LOOKUP.replace("equals: text", "equals: text, newest: changed")))
        assert prices(con) == [("o0", Decimal(2))]


def test_the_row_with_the_smallest_value_counts_and_the_first_of_equals(tmp_path):
    write(tmp_path, "a.csv", orders("x", "y"))
    write(tmp_path, "items.csv", "id,amount,age\nx,1,10\nx,2,9\nx,3,\ny,4,1\ny,5,1\n")
    with warehouse() as con:
        load(con, shop(tmp_path, LOOKUP.replace("equals: text", "equals: text, oldest: age")))
        assert prices(con) == [("o0", Decimal(2)), ("o1", Decimal(4))]


def test_only_some_rows_of_a_lookup_take_part(tmp_path):
    write(tmp_path, "a.csv", orders("x", "y", "z"))
    write(tmp_path, "items.csv", "id,amount,Kind,line\nx,1,price,1\nx,2,cost,no\ny,4,cost,1\nz,5,price,no\n")
    where = "where: {sql: \"kind = 'price' AND line::INTEGER = 1\"}"
    with warehouse() as con:
        options = f"{LOOKUP.replace('equals: text', f'equals: text, {where}')}\nmax_bad_share: 1"
        result = load(con, shop(tmp_path, options))
        assert prices(con) == [("o0", Decimal(1))]
    assert result.rows_quarantined == 2


def test_a_key_of_several_columns(tmp_path):
    write(tmp_path, "a.csv", HEADER + row("o1", "c1", text="x") + row("o2", "c2", text="x") + row("o3", "c1", text="y"))
    write(tmp_path, "items.csv", "id,who,amount\nx,c1,1\nx,c2,2\ny,,3\nx,c1,4\n")
    options = "max_bad_share: 1\nlookups: {item: {files: items.csv, on: [id, who], equals: [text, customer]}}"
    with warehouse() as con:
        load(con, shop(tmp_path, options))
        assert prices(con) == [("o1", Decimal(4)), ("o2", Decimal(2))]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("on: [id, who], equals: text", "different numbers of columns"),
        ("on: id, equals: text, newest: a, oldest: b", "exclude each other"),
        ("on: id, equals: text, where: {sql: count(*) > 1}", "the expression"),
        ("on: id, equals: text, where: {sql: 'id IN (SELECT 1)'}", "a subquery"),
    ],
)
def test_a_lookup_that_makes_no_sense_is_a_mistake(tmp_path, keys, problem):
    with pytest.raises(ConfigurationError, match=re.escape(problem)):
        shop(tmp_path, f"lookups: {{item: {{files: items.csv, {keys}}}}}")


def test_a_lookup_may_go_on_from_an_earlier_one(tmp_path):
    write(tmp_path, "a.csv", orders("x", "y", "nobody"))
    write(tmp_path, "items.csv", "id,plan_id,Nick Name\nx,p1,X\ny,p2,Y\n")
    write(tmp_path, "sub/plans.csv", "id,amount,currency\np1,500,jpy\np2,500,eur\n")
    options = (
        "max_bad_share: 1\nlookups:\n  item: {files: items.csv, on: id, equals: text}\n"
        "  plan: {files: sub/plans.csv, on: id, equals: item.plan_id}"
    )
    columns = (
        COLUMNS.replace("unit_price: price", 'unit_price: {sql: "minor_units(\\"plan.amount\\", \\"plan.currency\\")"}')
        + "        sku: item.Nick Name\n        currency: {sql: 'upper(\"plan.currency\")'}\n"
    )
    with warehouse() as con:
        result = load(con, shop(tmp_path, options, columns))
        assert result.problems == ()
        found = fetch(con, "SELECT order_id, unit_price, currency, sku FROM raw.order_lines ORDER BY _line")
    assert found == [("o0", Decimal(500), "JPY", "X"), ("o1", Decimal(5), "EUR", "Y")]


@pytest.mark.parametrize("kind", ["tsv", "jsonl", "parquet", "gz", "utf-16"])
def test_lookups_of_every_format(tmp_path, kind):
    write(tmp_path, "a.csv", orders("17850", "x"))
    name, extra = f"items.{kind}", f"format: {kind}"
    if kind == "tsv":
        write(tmp_path, name, "id\tamount\n17850\t2.5\nx\t3\n")
    elif kind == "jsonl":
        write(tmp_path, name, '{"id": 17850, "amount": 2.5}\n{"id": "x", "amount": "3"}\n')
    elif kind == "gz":
        write(tmp_path, name := "items.csv.gz", gzip.compress(b"id,amount\n17850,2.5\nx,3\n"))
        extra = "format: csv"
    elif kind == "utf-16":
        write(tmp_path, name := "items.csv", "id,amount\n17850,2.5\nx,3\n".encode("utf-16"))
        extra = "encoding: utf-16"
    else:
        with duckdb.connect() as con:
            con.execute(
                "COPY (SELECT * FROM (VALUES (17850.0::DOUBLE, 2.5::DOUBLE), (NULL, 1)) t(id, amount)) "
                f"TO '{tmp_path}/exports/items.parquet' (FORMAT parquet)"
            )
    with warehouse() as con:
        options = f"lookups: {{item: {{files: {name}, on: id, equals: text, {extra}}}}}\nmax_bad_share: 1"
        result = load(con, shop(tmp_path, options))
        assert result.problems == ()
        expected = [("o0", Decimal("2.5"))] + ([] if kind == "parquet" else [("o1", Decimal(3))])
        assert prices(con) == expected


def test_a_number_in_parquet_finds_its_text_in_csv(tmp_path):
    (tmp_path / "exports").mkdir()
    with duckdb.connect() as con:
        con.execute(
            "COPY (SELECT 'o' || i AS \"order\", 'c' AS customer, DATE '2024-01-05' AS time, 1 AS qty, 1 AS price, "
            "CASE WHEN i < 2 THEN i END::DOUBLE AS text FROM range(3) t(i)) "
            f"TO '{tmp_path}/exports/a.parquet' (FORMAT parquet)"
        )
    write(tmp_path, "items.csv", "id,amount\n0,5\n1,6\n")
    with warehouse() as con:
        load(con, shop(tmp_path, f"format: parquet\nmax_bad_share: 1\n{LOOKUP}", files="exports/a.parquet"))
        assert prices(con) == [("o0", Decimal(5)), ("o1", Decimal(6))]


def test_a_changed_lookup_makes_a_new_batch_that_replaces_the_old_one(tmp_path):
    write(tmp_path, "a.csv", orders("x"))
    write(tmp_path, "items.csv", "id,amount\nx,1\n")
    with warehouse() as con:
        assert load(con, shop(tmp_path)).files_new == 1
        assert load(con, shop(tmp_path)).files_new == 0
        write(tmp_path, "items.csv", "id,amount\nx,2\n")
        assert load(con, shop(tmp_path)).files_new == 1
        assert prices(con) == [("o0", Decimal(2))]
        write(tmp_path, "items2.csv", "id,amount\nx,3\n")
        assert load(con, shop(tmp_path)).files_new == 1
        assert prices(con) == [("o0", Decimal(3))]
        assert fetch(con, "SELECT count(*) FROM raw.order_lines") == [(3,)]


def test_a_missing_lookup_refuses_the_file_until_it_is_there(tmp_path):
    write(tmp_path, "a.csv", orders("x"))
    with warehouse() as con:
        message = load(con, shop(tmp_path)).problems[0].message
        assert load(con, shop(tmp_path)).problems[0].message == message
        write(tmp_path, "items.csv", "id,amount\nx,1\n")
        assert load(con, shop(tmp_path)).problems == ()
        assert prices(con) == [("o0", Decimal(1))]
    for part in ("exports/a.csv: the lookup 'item' finds no file", "'items*.csv'", "way out"):
        assert part in message


def test_an_optional_lookup_gives_nulls_where_it_has_no_file(tmp_path):
    write(tmp_path, "a.csv", orders("x"))
    columns = COLUMNS + '        sku: item.code\n        category: {sql: "coalesce(\\"plan.name\\", \'none\')"}\n'
    options = (
        "lookups:\n  item: {files: items.csv, on: id, equals: text, optional: true}\n"
        "  plan: {files: plans.csv, on: id, equals: item.plan}"
    )
    write(tmp_path, "plans.csv", "id,name\np,Basic\n")
    with warehouse() as con:
        assert load(con, shop(tmp_path, options, columns)).problems == ()
        assert fetch(con, "SELECT sku, category FROM raw.order_lines") == [(None, "none")]
        write(tmp_path, "items.csv", "id,code,plan\nx,c,p\n")
        load(con, shop(tmp_path, options, columns))
        newest = "SELECT sku, category FROM raw.order_lines ORDER BY _batch_id DESC LIMIT 1"
        assert fetch(con, newest) == [("c", "Basic")]


def test_a_column_of_a_lookup_may_be_absent_where_that_is_said(tmp_path):
    write(tmp_path, "a.csv", orders("x"))
    write(tmp_path, "items.csv", "id,amount\nx,1\n")
    columns = MAPPED + "        sku: item.code\n"
    with warehouse() as con:
        refused = load(con, shop(tmp_path, columns=columns)).problems[0].message
        assert load(con, shop(tmp_path, f"{LOOKUP}\noptional: [item.code]", columns)).problems == ()
        assert fetch(con, "SELECT sku, unit_price FROM raw.order_lines") == [(None, Decimal(1))]
    assert "exports/items.csv: 'code' of the lookup 'item' is not in the file" in refused


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,amount\nx\n", "line 2 is no row (cell_count)"),
        (b"ids,amount\nx,1\n", "'id' is nearest to 'ids'"),
        (b"", "is empty"),
        ("id,amount\né,1\n".encode("latin-1"), "is not utf-8"),
        (gzip.compress(b"id,amount\n", mtime=0), "gzip data"),
    ],
)
def test_a_lookup_that_cannot_be_read_whole_refuses_the_file(tmp_path, content, message):
    write(tmp_path, "a.csv", orders("x"))
    write(tmp_path, "items.csv", content)
    with warehouse() as con:
        result = load(con, shop(tmp_path))
        assert fetch(con, "SELECT count(*) FROM duckdb_tables() WHERE temporary") == [(0,)]
    assert result.problems[0].message.startswith("exports/items.csv: ")
    assert message in result.problems[0].message
    assert result.problems[0].path == "exports/a.csv"


def test_lookups_lie_in_the_folder_of_each_file(tmp_path):
    for folder, amount in (("jan", 1), ("feb", 2)):
        write(tmp_path, f"{folder}/a.csv", orders(f"{folder}"))
        write(tmp_path, f"{folder}/items.csv", f"id,amount\njan,{amount}\nfeb,{amount}\n")
    with warehouse() as con:
        load(con, shop(tmp_path, files="exports/*/a.csv"))
        assert fetch(con, "SELECT description, unit_price FROM raw.order_lines ORDER BY 1") == [
            ("feb", Decimal(2)), ("jan", Decimal(1)),
        ]  # fmt: skip


def test_a_key_that_the_file_lacks_finds_nothing(tmp_path):
    write(tmp_path, "a.csv", HEADER + row())
    write(tmp_path, "items.csv", "id,code\nx,c\n")
    columns = COLUMNS + "        sku: item.code\n"
    options = "optional: [item_id, group]\nlookups: {item: {files: items.csv, on: id, equals: item_id}}\n"
    with warehouse() as con:
        fill = "fill_down: {by: group, columns: [customer]}"
        assert load(con, shop(tmp_path, options + fill, columns)).problems == ()
        assert fetch(con, "SELECT sku, customer_id FROM raw.order_lines") == [(None, "c1")]


KEY = st.sampled_from(["", "x", "y", "X", "x "])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(KEY, KEY), max_size=12),
    st.lists(st.lists(st.tuples(KEY, KEY, st.integers(0, 12)), max_size=8), min_size=1, max_size=3),
    st.sampled_from(["", ", newest: age", ", oldest: age"]),
)
def test_each_row_finds_what_a_dictionary_would_find(rows, files, order):
    found = {}
    flat = [
        (item, who, age, amount) for amount, (item, who, age) in enumerate(entry for file in files for entry in file)
    ]
    better = {"": lambda new, old: True, ", newest: age": int.__ge__, ", oldest: age": int.__lt__}[order]
    for item, who, age, amount in flat:
        if item and who and ((item, who) not in found or better(age, found[item, who][0])):
            found[item, who] = (age, amount)
    with tempfile.TemporaryDirectory() as name, warehouse() as con:
        folder, amounts = Path(name), iter(range(len(flat)))
        write(folder, "a.csv", HEADER + "".join(row(f"o{n}", who, text=item) for n, (item, who) in enumerate(rows)))
        for number, file in enumerate(files):
            lines = "".join(f"{item},{who},{age},{next(amounts)}\n" for item, who, age in file)
            write(folder, f"items{number}.csv", f"id,who,age,amount\n{lines}")
        lookup = f"lookups: {{item: {{files: items*.csv, on: [id, who], equals: [text, customer]{order}}}}}"
        columns = COLUMNS + "        sku: item.amount\n"
        result = load(con, shop(folder, lookup, columns))
        loaded = fetch(con, "SELECT order_id, sku FROM raw.order_lines ORDER BY _line")
    assert result.problems == ()
    assert loaded == [(f"o{n}", str(found[key][1]) if key in found else None) for n, key in enumerate(rows)]


def test_deliveries_with_their_lookups_end_alike_day_by_day_and_in_one_go(tmp_path):
    columns = MAPPED + "        sku: item.code\n"

    def deliver(day):
        write(tmp_path, f"2024-01-{day:02}/a.csv", orders(f"k{day}", f"k{day}", "old"))
        write(tmp_path, f"2024-01-{day:02}/items.csv", f"id,amount,code\nk{day},{day},c\nold,{day},d\n")

    current = (
        "SELECT path, _line, unit_price, sku FROM raw.order_lines JOIN raw.ledger ON batch_id = _batch_id "
        "WHERE superseded_by IS NULL ORDER BY path, _line"
    )
    with warehouse() as con:
        for day in (2, 1, 3):
            deliver(day)
            assert load(con, shop(tmp_path, columns=columns, files="exports/*/a.csv")).files_new == 1
        by_day = fetch(con, current)
    with warehouse() as con:
        load(con, shop(tmp_path, columns=columns, files="exports/*/a.csv"))
        assert fetch(con, current) == by_day
    assert len(by_day) == 9
