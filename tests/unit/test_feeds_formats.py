"""Formats, encodings, and how numbers and times are written: the same rows come out of each."""

import gzip
from datetime import date, datetime
from decimal import Decimal

import duckdb
import pytest
import zstandard

from tests.unit.small_exports import COLUMNS, HEADER, business, fetch, load, quarantined, row, rows, warehouse, write

ALL = "max_bad_share: 1"
TEXT = HEADER + row("o1", text="Café à la crème") + row("o2", text='"two\nlines, one cell"') + row("o3", text="naïve")


def packed(kind: str, text: str) -> bytes:
    data = text.encode()
    middle = len(data) // 2
    return {
        "csv": data,
        "csv.gz": gzip.compress(data),
        "csv.zst": zstandard.compress(data),
        "two.csv.gz": gzip.compress(data[:middle]) + gzip.compress(data[middle:]),
        "two.csv.zst": zstandard.compress(data[:middle]) + zstandard.compress(data[middle:]),
    }[kind]


def texts(con: duckdb.DuckDBPyConnection) -> list[tuple]:
    return fetch(con, "SELECT _line, order_id, description FROM raw.order_lines ORDER BY _line")


EXPECTED = [(2, "o1", "Café à la crème"), (3, "o2", "two\nlines, one cell"), (5, "o3", "naïve")]


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "csv.zst", "two.csv.gz", "two.csv.zst"])
def test_plain_and_packed_files_give_the_same_rows(tmp_path, kind):
    write(tmp_path, f"a.{kind}", packed(kind, TEXT))
    with warehouse() as con:
        result = load(con, business(tmp_path, files="exports/*"))
        assert texts(con) == EXPECTED
    assert result.problems == ()


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("utf-8", "utf-8"),
        ("utf-8", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-16-le"),
        ("utf-16", "utf-16-be"),
        ("latin-1", "latin-1"),
        ("windows-1252", "cp1252"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_encodings_give_the_same_rows(tmp_path, name, codec, pack):
    write(tmp_path, f"a.csv{'.gz' if pack is gzip.compress else ''}", pack(TEXT.encode(codec)))
    with warehouse() as con:
        result = load(con, business(tmp_path, f"encoding: {name}", files="exports/*"))
        assert texts(con) == EXPECTED
    assert result.problems == ()


def test_windows_1252_has_letters_that_latin_1_has_not(tmp_path):
    write(tmp_path, "a.csv", (HEADER + row(text="“10 €”")).encode("cp1252"))
    with warehouse() as con:
        load(con, business(tmp_path, "encoding: windows-1252"))
        assert texts(con) == [(2, "o1", "“10 €”")]


def test_tab_and_semicolon_separated_files(tmp_path):
    write(tmp_path, "a.tsv", TEXT.replace(",", "\t"))
    write(tmp_path, "b.csv", (HEADER + row("o9", text="x")).replace(",", ";"))
    both = COLUMNS + "    - files: exports/*.csv\n      delimiter: ';'\n" + COLUMNS
    with warehouse() as con:
        load(con, business(tmp_path, "format: tsv", files="exports/*.tsv", columns=both))
        assert len(texts(con)) == 4


def test_parquet_is_read_with_its_own_types(tmp_path):
    (tmp_path / "exports").mkdir(parents=True)
    target = tmp_path / "exports" / "a.parquet"
    with duckdb.connect() as con:
        con.execute(
            "COPY (SELECT 'o' || i AS \"order\", CASE WHEN i <> 2 THEN 17850.0::DOUBLE + i END AS customer, "
            "TIMESTAMP '2024-07-05 00:30:00' AS time, TIMESTAMPTZ '2024-07-05 00:30:00+00' AS instant, "
            "DATE '2024-07-05' AS day, i::DOUBLE / 2 AS qty, 1.25::DECIMAL(10,2) AS price, {'a': i} AS text "
            f"FROM range(4) t(i)) TO '{target}' (FORMAT parquet)"
        )
    columns = COLUMNS.replace("description: text", "sku: {sql: to_json(text)}")
    with warehouse() as con:
        load(con, business(tmp_path, "format: parquet", files="exports/*.parquet", columns=columns))
        found = fetch(
            con, "SELECT _line, customer_id, ordered_at, _known_on, quantity, sku FROM raw.order_lines ORDER BY 1"
        )
        assert found[1] == (
            2, "17851", datetime(2024, 7, 4, 22, 30), date(2024, 7, 5), Decimal("0.500"), '{"a":1}',
        )  # fmt: skip
        assert [customer for _, customer, *_ in found] == ["17850", "17851", None, "17853"]
        for source, utc in (("instant", datetime(2024, 7, 5, 0, 30)), ("day", datetime(2024, 7, 4, 22, 0))):
            other = columns.replace(": time", f": {source}")
            load(con, business(tmp_path, "format: parquet", files="exports/*.parquet", columns=other))
            newest = "FROM raw.order_lines WHERE _batch_id = (SELECT max(batch_id) FROM raw.ledger)"
            assert fetch(con, f"SELECT DISTINCT ordered_at, _known_on {newest}") == [(utc, date(2024, 7, 5))]


def test_missing_texts_are_missing_in_parquet_too(tmp_path):
    (tmp_path / "exports").mkdir(parents=True)
    with duckdb.connect() as con:
        con.execute(
            "COPY (SELECT 'o' || i AS \"order\", ['', 'NA', 'c'][i] AS customer, '2024-01-05' AS time, i AS qty, "
            "1 AS price, "
            f"'t' AS text FROM range(1, 4) t(i)) TO '{tmp_path / 'exports' / 'a.parquet'}' (FORMAT parquet)"
        )
    with warehouse() as con:
        load(con, business(tmp_path, "format: parquet\nmissing: ['', NA]", files="exports/*.parquet"))
        assert fetch(con, "SELECT customer_id FROM raw.order_lines ORDER BY _line") == [(None,), (None,), ("c",)]


def test_bad_values_in_parquet_go_to_quarantine_with_their_row_number(tmp_path):
    (tmp_path / "exports").mkdir(parents=True)
    with duckdb.connect() as con:
        con.execute(
            "COPY (SELECT CASE WHEN i <> 3 THEN 'o' || i END AS \"order\", 'c' AS customer, '2024-01-05' AS time, "
            "CASE WHEN i = 1 THEN 'NaN'::DOUBLE ELSE i END AS qty, 1 AS price, '' AS text FROM range(5) t(i)) "
            f"TO '{tmp_path / 'exports' / 'a.parquet'}' (FORMAT parquet)"
        )
    with warehouse() as con:
        load(con, business(tmp_path, f"format: parquet\n{ALL}", files="exports/*.parquet"))
        assert quarantined(con) == [(2, "quantity", "type", "nan"), (4, "order_id", "required", None)]


@pytest.mark.parametrize(
    ("options", "text", "number"),
    [
        ("decimal_mark: ','", '"1234,5"', "1234.5"),
        ("decimal_mark: ','\nthousands_mark: '.'", '"1.234,5"', "1234.5"),
        ("thousands_mark: ','", '"-1,234,567.25"', "-1234567.25"),
        ("thousands_mark: ' '", "1\u00a0234.5", "1234.5"),
        ('thousands_mark: "\'"', "1'234.50", "1234.5"),
        ("thousands_mark: ','", "1234.5", "1234.5"),
    ],
)
def test_decimal_and_thousands_marks(tmp_path, options, text, number):
    write(tmp_path, "a.csv", HEADER + row(price=text))
    with warehouse() as con:
        load(con, business(tmp_path, options))
        assert fetch(con, "SELECT unit_price FROM raw.order_lines") == [(Decimal(number),)]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("decimal_mark: ','", "1234.5"),
        ("thousands_mark: ','", '"1,5"'),
        ("thousands_mark: ','", '"12,34,567"'),
        ("thousands_mark: '.'\ndecimal_mark: ','", "1.2"),
    ],
)
def test_a_mark_in_the_wrong_place_is_a_bad_row_and_never_a_wrong_number(tmp_path, options, text):
    write(tmp_path, "a.csv", HEADER + row(price=text))
    with warehouse() as con:
        load(con, business(tmp_path, f"{options}\n{ALL}"))
        assert quarantined(con) == [(2, "unit_price", "type", text.strip('"'))]


PARIS_SUMMER = datetime(2024, 7, 5, 8, 30)


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ("", "2024-07-05 10:30:00", PARIS_SUMMER),
        ("", "2024-07-05T10:30", PARIS_SUMMER),
        ("", "2024-07-05 10:30:00.250", datetime(2024, 7, 5, 8, 30, 0, 250_000)),
        ("", "2024-07-05T10:30:00Z", datetime(2024, 7, 5, 10, 30)),
        ("", "2024-07-05T10:30:00+05:30", datetime(2024, 7, 5, 5, 0)),
        ("", "2024-07-05 10:30:00-0400", datetime(2024, 7, 5, 14, 30)),
        ("", "2024-07-05", datetime(2024, 7, 4, 22, 0)),
        ("timezone: America/New_York", "2024-07-05 10:30:00", datetime(2024, 7, 5, 14, 30)),
        ("timezone: UTC", "2024-07-05 10:30:00", datetime(2024, 7, 5, 10, 30)),
        ("time_format: '%d/%m/%Y %H:%M'", "05/07/2024 10:30", PARIS_SUMMER),
        ("time_format: ['%d.%m.%Y', '%d.%m.%Y %H:%M']", "05.07.2024 10:30", PARIS_SUMMER),
        ("time_format: '%Y-%m-%d %H:%M:%S %z'", "2024-07-05 10:30:00 +0530", datetime(2024, 7, 5, 5, 0)),
        ("time_format: epoch_seconds", "1720168200", PARIS_SUMMER),
        ("time_format: epoch_seconds", "1720168200.25", datetime(2024, 7, 5, 8, 30, 0, 250_000)),
        ("time_format: epoch_milliseconds", "1720168200000", PARIS_SUMMER),
    ],
)
def test_times_become_utc(tmp_path, options, text, expected):
    write(tmp_path, "a.csv", HEADER + row(time=text))
    with warehouse() as con:
        load(con, business(tmp_path, options))
        assert fetch(con, "SELECT ordered_at FROM raw.order_lines") == [(expected,)]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("time_format: '%d/%m/%Y'", "2024-07-05"),
        ("time_format: '%d/%m/%Y'", "13/13/2024"),
        ("", "07/05/2024"),
        ("", "2024-07-05 10:30:00 Europe/Paris"),
        ("time_format: epoch_seconds", "2024-07-05"),
        ("time_format: epoch_milliseconds", "99999999999999999999"),
    ],
)
def test_a_time_in_another_notation_is_a_bad_row(tmp_path, options, text):
    write(tmp_path, "a.csv", HEADER + row(time=text))
    with warehouse() as con:
        load(con, business(tmp_path, f"{options}\n{ALL}"))
        assert quarantined(con) == [(2, "ordered_at", "type", text)]


@pytest.mark.parametrize("moment", ["2024-03-31 02:30:00", "2024-10-27 02:30:00", "2024-12-31 23:59:59"])
@pytest.mark.parametrize("zone", ["Europe/Paris", "America/Los_Angeles"])
def test_the_business_day_is_that_of_the_utc_time_in_the_business_zone(tmp_path, moment, zone):
    write(tmp_path, "a.csv", HEADER + row(time=moment))
    with warehouse() as con:
        load(con, business(tmp_path, f"timezone: {zone}"))
        day = "timezone('Europe/Paris', timezone('UTC', ordered_at))::DATE"
        assert fetch(con, f"SELECT _known_on = {day} FROM raw.order_lines") == [(True,)]


def test_missing_texts_are_missing_also_in_expressions_and_quoted(tmp_path):
    columns = COLUMNS + "        category: {sql: \"coalesce(text, 'none')\"}\n"
    write(tmp_path, "a.csv", HEADER + row("o1", text="n/a") + row("o2", text='"n/a"') + row("o3", text="x") + row("o4"))
    with warehouse() as con:
        load(con, business(tmp_path, "missing: ['n/a']", columns=columns))
        found = fetch(con, "SELECT description, category FROM raw.order_lines ORDER BY _line")
    assert found == [(None, "none"), (None, "none"), ("x", "x"), ("", "")]


def test_where_nothing_is_declared_missing_an_empty_cell_is_an_empty_text(tmp_path):
    write(tmp_path, "a.csv", HEADER + row("o1", text=""))
    with warehouse() as con:
        load(con, business(tmp_path, "missing: []"))
        assert fetch(con, "SELECT description FROM raw.order_lines") == [("",)]


def test_booleans_json_dates_and_keys_of_other_feeds(tmp_path):
    write(tmp_path, "orders.csv", HEADER + rows(1))
    write(
        tmp_path, "people.txt", "id,test,born,extra\n1,Yes,1980,x\n2,0,1981.0,\n3,maybe,1982,\n4,,1983.5,\n5,,1800,\n"
    )
    write(tmp_path, "use.txt", "id,day,n\n1,2024-07-05,3\n1,2024-07-05T23:30:00Z,4\n1,2024-07-05,2.5\n1,x,-1\n")
    feeds = COLUMNS + (
        "  customers:\n    - files: exports/people.txt\n      max_bad_share: 1\n      columns:\n"
        "        customer_id: id\n"
        "        is_test: test\n        birth_year: born\n        attributes: {sql: \"json_object('extra', extra)\"}\n"
        "  usage:\n    - files: exports/use.txt\n      max_bad_share: 1\n      columns:\n        customer_id: id\n"
        "        used_on: day\n        events: n\n"
    )
    with warehouse() as con:
        loaded = business(tmp_path, columns=feeds)
        assert load(con, loaded, "customers").rules == {"range": 1, "type": 2}
        assert fetch(
            con, "SELECT customer_id, is_test, birth_year, attributes, _known_on, _line_id FROM raw.customers"
        ) == [
            ("1", True, 1980, '{"extra":"x"}', None, None),
            ("2", False, 1981, '{"extra":null}', None, None),
        ]
        assert fetch(con, "SELECT used_on, _known_on, events FROM raw.usage ORDER BY _line") == [
            (date(2024, 7, 5), date(2024, 7, 5), 3),
            (date(2024, 7, 6), date(2024, 7, 6), 4),
        ]
        assert quarantined(con, "usage") == [(4, "events", "type", "2.5"), (5, "used_on", "type", "x")]


def test_the_zone_of_the_session_has_no_say(tmp_path):
    write(tmp_path, "a.csv", HEADER + row(time="2024-07-05T10:30:00Z") + row(time="2024-07-05 10:30:00"))
    with warehouse() as con:
        con.execute("SET TimeZone = 'Asia/Tokyo'")
        load(con, business(tmp_path))
        found = fetch(con, "SELECT ordered_at FROM raw.order_lines ORDER BY _line")
    assert found == [(datetime(2024, 7, 5, 10, 30),), (datetime(2024, 7, 5, 8, 30),)]
