"""JSON lines: columns from keys, nested values by path, bad lines with their numbers."""

import gzip
import json
from datetime import datetime
from decimal import Decimal

import pytest
import zstandard

from tests.unit.small_exports import COLUMNS, business, fetch, load, quarantined, warehouse, write

JSONL = "format: jsonl"
ROW = {"order": "o1", "customer": "c1", "time": "2024-01-05 10:00:00", "qty": 1, "price": 2.5, "text": "a"}


def lines(*rows, end="\n"):
    return "".join(json.dumps(row, ensure_ascii=False) + end for row in rows)


def read(folder, content, options="", columns=COLUMNS, name="a.jsonl"):
    write(folder, name, content)
    return business(folder, f"{JSONL}\n{options}", files="exports/*", columns=columns)


def with_text(sql):
    return COLUMNS.replace("description: text", f"description: {sql}")


def test_keys_are_columns_wherever_they_first_appear(tmp_path):
    content = lines(
        ROW | {"order": "o1"}, {"text": "b", "price": "1.5", **ROW, "order": 17850}, {k: ROW[k] for k in list(ROW)[:5]}
    )
    with warehouse() as con:
        result = load(con, read(tmp_path, content))
        assert fetch(
            con, "SELECT _line, order_id, ordered_at, quantity, unit_price, description FROM raw.order_lines"
        ) == [
            (1, "o1", datetime(2024, 1, 5, 9), 1, Decimal("2.5"), "a"),
            (2, "17850", datetime(2024, 1, 5, 9), 1, Decimal("2.5"), "a"),
            (3, "o1", datetime(2024, 1, 5, 9), 1, Decimal("2.5"), None),
        ]
        assert fetch(con, "SELECT columns FROM raw.ledger") == [(list(ROW),)]
    assert result.problems == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('naïve “x”\n\t\\ "', 'naïve “x”\n\t\\ "'),
        ("1.0", "1.0"),
        (1, "1"),
        (1.50, "1.5"),
        (True, "true"),
        ([1, "a"], '[1,"a"]'),
        ({"b": None}, '{"b":null}'),
        (None, None),
        ("", None),
        ("null", "null"),
    ],
)
def test_values_become_texts(tmp_path, value, text):
    with warehouse() as con:
        load(con, read(tmp_path, lines(ROW | {"text": value})))
        assert fetch(con, "SELECT description FROM raw.order_lines") == [(text,)]


def test_declared_texts_are_missing(tmp_path):
    with warehouse() as con:
        load(con, read(tmp_path, lines(ROW, ROW | {"text": "n/a"}, ROW | {"text": ""}), "missing: ['n/a', '-']"))
        assert fetch(con, "SELECT description FROM raw.order_lines ORDER BY _line") == [("a",), (None,), ("",)]


@pytest.mark.parametrize(
    "used", ["context.traits.email", '{sql: "\\"context.traits.email\\""}', "{sql: \"context->'traits'->>'email'\"}"]
)
def test_nested_values_have_a_dotted_path(tmp_path, used):
    nested = ROW | {"context": {"traits": {"email": "a@example.com"}}}
    with warehouse() as con:
        result = load(con, read(tmp_path, lines(ROW, nested, ROW | {"context": 7}), columns=with_text(used)))
        assert fetch(con, "SELECT description FROM raw.order_lines ORDER BY _line") == [
            (None,), ("a@example.com",), (None,),
        ]  # fmt: skip
    assert result.problems == ()


def test_a_key_that_holds_a_dot_comes_before_a_path(tmp_path):
    odd = ROW | {"a.b": "key", "a": {"b": "path"}, 'q"t': "quoted", "$x": "dollar", "é": "accent"}
    columns = with_text("a.b") + "        sku: 'q\"t'\n        category: $x\n        currency: {sql: upper(é)}\n"
    with warehouse() as con:
        load(con, read(tmp_path, lines(odd | {"é": "eur"}), columns=columns))
        assert fetch(con, "SELECT description, sku, category, currency FROM raw.order_lines") == [
            ("key", "quoted", "dollar", "EUR")
        ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"])
def test_a_line_that_is_no_object_is_a_bad_row_with_its_number(tmp_path, end, name):
    good = json.dumps(ROW)
    content = end.join([good, "", "not json", "  ", "[1, 2]", good, '{"order": 1', '"text"', "", "", good, ""]).encode()
    pack = {"gz": gzip.compress, "zst": zstandard.compress}.get(name.rsplit(".", 1)[1], bytes)
    with warehouse() as con:
        result = load(con, read(tmp_path, pack(content), "max_bad_share: 1", name=name))
        assert fetch(con, "SELECT _line FROM raw.order_lines ORDER BY 1") == [(1,), (6,), (11,)]
        texts = "SELECT _line, column_name, rule, row_text FROM quarantine.order_lines ORDER BY _line"
        assert fetch(con, texts) == [
            (3, None, "json", "not json"), (5, None, "json", "[1, 2]"), (7, None, "json", '{"order": 1'),
            (8, None, "json", '"text"'),
        ]  # fmt: skip
    assert (result.rows_read, result.rows_loaded, result.rows_quarantined) == (7, 3, 4)


def test_a_bad_value_goes_to_quarantine_with_its_line_as_it_was(tmp_path):
    bad = ROW | {"qty": "many", "extra": [1]}
    with warehouse() as con:
        load(con, read(tmp_path, lines(ROW, bad), "max_bad_share: 1"))
        assert quarantined(con) == [(2, "quantity", "type", "many")]
        assert fetch(con, "SELECT row_text FROM quarantine.order_lines") == [(json.dumps(bad),)]


@pytest.mark.parametrize(
    ("name", "codec"),
    [("utf-8", "utf-8-sig"), ("utf-16", "utf-16"), ("latin-1", "latin-1"), ("windows-1252", "cp1252")],
)
def test_encodings_as_for_other_texts(tmp_path, name, codec):
    with warehouse() as con:
        load(con, read(tmp_path, lines(ROW | {"text": "é"}).encode(codec), f"encoding: {name}"))
        assert fetch(con, "SELECT _line, description FROM raw.order_lines") == [(1, "é")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lines(ROW | {"text": "é"}).encode("latin-1"), "is not utf-8: line 1"),
        (lines(ROW).encode("utf-16"), "byte order mark of UTF-16"),
        (gzip.compress(lines(ROW).encode(), mtime=0), "gzip data"),
        (lines({k: v for k, v in ROW.items() if k != "order"}), "'order' of the mapping is not in the file"),
        (lines(ROW | {"text": "x" * 17_000_000}), "at most 16,000,000 bytes"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path, content, message):
    with warehouse() as con:
        result = load(con, read(tmp_path, content))
        assert fetch(con, "SELECT count(*) FROM raw.order_lines") == [(0,)]
    assert message in result.problems[0].message
    assert "xxxx" not in result.problems[0].message


@pytest.mark.parametrize(
    "bad",
    [
        '{"a": "\x01"}',
        "\x01",
        "\x02\x02",
        '{"text": "\\ud800"}',
        '{"a":' * 20_000,
        "{'a': 1}",
        '{"a": 1} {"b": 2}',
        "\x00",
    ],
)
def test_a_line_that_only_looks_like_json_harms_no_other(tmp_path, bad):
    with warehouse() as con:
        result = load(con, read(tmp_path, lines(ROW) + bad + "\n" + lines(ROW), "max_bad_share: 1"))
        assert result.problems == ()
        assert fetch(con, "SELECT _line FROM raw.order_lines ORDER BY 1") == [(1,), (3,)]
        assert fetch(con, "SELECT _line, rule FROM quarantine.order_lines") == [(2, "json")]


def test_values_nested_deeply_are_read(tmp_path):
    deep = json.dumps(ROW)[:-1] + ', "deep": ' + "[" * 5000 + "]" * 5000 + "}\n"
    with warehouse() as con:
        assert load(con, read(tmp_path, deep)).problems == ()


def test_long_lines_are_read(tmp_path):
    with warehouse() as con:
        result = load(con, read(tmp_path, lines(ROW | {"text": "x" * 5_000_000}, ROW)))
        assert fetch(con, "SELECT length(description) FROM raw.order_lines ORDER BY _line") == [(5_000_000,), (1,)]
    assert result.problems == ()


@pytest.mark.parametrize("content", ["", "\n\n", "  \n"])
def test_a_day_without_a_line_is_an_empty_delivery(tmp_path, content):
    with warehouse() as con:
        result = load(con, read(tmp_path, content))
    assert (result.problems, result.files_new, result.rows_read) == ((), 1, 0)


def test_a_truncated_archive_is_refused(tmp_path):
    with warehouse() as con:
        result = load(con, read(tmp_path, gzip.compress(lines(ROW).encode())[:-5], name="a.jsonl.gz"))
    assert "ends too early" in result.problems[0].message


def test_order_and_line_numbers_hold_in_a_long_file_with_lookups_and_filled_cells(tmp_path):
    count = 30_000
    rows = [
        ROW | {"order": f"o{i}", "customer": f"c{i}" if i % 2 == 0 else None, "text": str(i % 50), "g": i // 2}
        for i in range(count)
    ]
    content = lines(*rows[:7]) + "\n" + lines(*rows[7:])
    write(tmp_path, "names.csv", "id,name\n" + "".join(f"{i},name {i}\n" for i in range(40)))
    write(tmp_path, "a.jsonl", content)
    options = "fill_down: {by: g, columns: [customer]}\nlookups: {n: {files: names.csv, on: id, equals: text}}"
    loaded = business(tmp_path, f"{JSONL}\n{options}", files="exports/*.jsonl", columns=with_text("n.name"))
    with warehouse() as con:
        result = load(con, loaded)
        found = fetch(con, "SELECT _line, order_id, customer_id, description FROM raw.order_lines ORDER BY rowid")
    assert result.problems == ()
    assert found == [
        (i + 1 + (i >= 7), f"o{i}", f"c{i - i % 2}", f"name {i % 50}" if i % 50 < 40 else None) for i in range(count)
    ]
