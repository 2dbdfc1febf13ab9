"""Odd and bad export files, made in code, each with what must become of it."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import zstandard

from tests.unit.small_exports import COLUMNS, HEADER, row, rows

PLAIN = HEADER + row("o1", text="a") + row("o2", text="b")
TWO = [(2, "o1", "a"), (3, "o2", "b")]


@dataclass(frozen=True)
class Odd:
    """A file and its outcome.

    Attributes:
        name: What is odd in it.
        content: Its bytes.
        good: (line, order_id, `show`) of the rows that must be loaded.
        bad: (line, column, rule) of the rows that must be in quarantine.
        refused: What the message of a refused file must hold.
        blocked: Whether so many rows are bad that nothing is loaded.
        options: Further lines of the mapping.
        show: SQL over raw of the third value of `good`.
        file: Name of the file.
        columns: The mapped columns.
    """

    name: str
    content: bytes
    good: list[tuple] | None = None
    bad: tuple[tuple, ...] = ()
    refused: str = ""
    blocked: bool = False
    options: str = ""
    show: str = "description"
    file: str = "x.csv"
    columns: str = COLUMNS

    @property
    def is_plainly_mapped(self) -> bool:
        """Whether it is a CSV file under the mapping of all others."""
        return not self.options and self.columns == COLUMNS and self.file.endswith(".csv")


def _text(name: str, text: str, good: list[tuple] | None = None, **more) -> Odd:
    return Odd(name, text.encode(), good, **more)


def _one(name: str, text: str, value: object, **more) -> Odd:
    """One good row, and the value that must come out of it."""
    return _text(name, HEADER + text, [(2, "o1", value)], **more)


def _bad_one(name: str, text: str, column: str | None, rule: str, **more) -> Odd:
    """A bad row before a good one."""
    return _text(
        name, HEADER + text + row("o2"), [(2 + text.count("\n"), "o2", None)], bad=((2, column, rule),), **more
    )


def odd_files() -> Iterator[Odd]:
    """All of them."""
    yield from _encodings()
    yield from _lines()
    yield from _quotes()
    yield from _headers()
    yield from _numbers()
    yield from _times()
    yield from _whole_files()
    yield from _sizes()
    yield from _texts()
    yield from _other_formats()


def _encodings() -> Iterator[Odd]:
    accented = HEADER + row("o1", text="é") + row("o2", text="b")
    both = [(2, "o1", "é"), (3, "o2", "b")]
    yield Odd("utf-8 with byte order mark", accented.encode("utf-8-sig"), both)
    for codec in ("utf-16", "utf-16-le", "utf-16-be"):
        yield Odd(f"{codec}", accented.encode(codec), both, options="encoding: utf-16")
    marked = b"\xfe\xff" + accented.encode("utf-16-be")
    yield Odd("utf-16-be with byte order mark", marked, both, options="encoding: utf-16")
    yield Odd("utf-16 with an odd number of bytes", marked[:-1], refused="is not utf-16", options="encoding: utf-16")
    yield Odd("latin-1", accented.encode("latin-1"), both, options="encoding: latin-1")
    yield Odd("cp1252 euro", accented.replace("é", "€").encode("cp1252"), [(2, "o1", "€"), (3, "o2", "b")],
              options="encoding: windows-1252")  # fmt: skip
    yield Odd("latin-1 declared as utf-8", accented.encode("latin-1"), refused="is not utf-8: line 2")
    yield Odd("utf-16 declared as utf-8", accented.encode("utf-16"), refused="byte order mark of UTF-16")
    unmapped = (HEADER.strip() + ",more\n" + row("o1").strip() + ",é\n").encode("latin-1")
    yield Odd("wrong byte in a column that is not mapped", unmapped, refused="is not utf-8: line 2")
    cut = HEADER.encode() + row("o1", text="é").encode()[:-2]
    yield Odd("cut within a letter", cut, refused="is not utf-8")
    overlong = HEADER.encode() + row("o1", text="X").encode().replace(b"X", b"\xc0\xaf")
    yield Odd("an overlong letter", overlong, refused="is not utf-8: line 2")
    surrogate = HEADER.encode() + row("o1", text="X").encode().replace(b"X", b"\xed\xa0\x80")
    yield Odd("a lone surrogate", surrogate, refused="is not utf-8: line 2")
    yield _one("a zero byte in a cell", row("o1", text="a\x00b"), "a\x00b")
    yield _bad_one("a zero byte in a number", row("o1", qty="1\x00"), "quantity", "type")


def _lines() -> Iterator[Odd]:
    yield Odd("lines end in CRLF", PLAIN.replace("\n", "\r\n").encode(), TWO)
    yield Odd("lines end in CR", PLAIN.replace("\n", "\r").encode(), TWO)
    yield _text("lines end differently", HEADER + row("o1", text="a").replace("\n", "\r\n") + row("o2", text="b"), TWO)
    yield _text("no end of the last line", PLAIN.rstrip("\n"), TWO)
    yield _text("CRLF and no end of the last line", PLAIN.rstrip("\n").replace("\n", "\r\n"), TWO)
    yield _text("empty lines", HEADER + "\n\n" + row("o1", text="a") + "\n" + row("o2") + "\n\n",
                [(4, "o1", "a"), (6, "o2", None)])  # fmt: skip
    yield _text("a line of spaces", HEADER + row("o1", text="a") + "   \n", [(2, "o1", "a")],
                bad=((3, None, "cell_count"),))  # fmt: skip
    yield _one("spaces at the end of a line", row("o1", text="a  "), "a  ")
    yield _one("spaces around a number", row("o1", qty="  7 "), Decimal(7), show="quantity")
    yield _text("too few and too many cells", HEADER + "o1,c\n" + row("o2") + row("o3").strip() + ",x\n",
                [(3, "o2", None)], bad=((2, None, "cell_count"), (4, None, "cell_count")))  # fmt: skip
    yield _text("an end-of-file mark of DOS", PLAIN + "\x1a", TWO, bad=((4, None, "cell_count"),))
    yield _text("a sum below the rows", PLAIN + "Total,,,3,,\n", TWO, bad=((4, "ordered_at", "required"),))
    yield _text("the header again", PLAIN + HEADER, TWO, bad=((4, "ordered_at", "type"),))


def _quotes() -> Iterator[Odd]:
    yield _text("line breaks in a cell", HEADER + row("o1", text='"a\nb\n\nc"') + row("o2"),
                [(2, "o1", "a\nb\n\nc"), (6, "o2", None)])  # fmt: skip
    yield _one("doubled quotation marks", row("o1", text='"say ""hi"""'), 'say "hi"')
    yield _text("a quotation mark never closed", HEADER + row("o1", text='"a') + rows(3, start=2),
                [(n + 1, f"o{n}", None) for n in (2, 3, 4)], bad=((2, None, "quote"),))  # fmt: skip
    yield _one("a quotation mark within a cell", row("o1", text='5" nail'), '5" nail')
    yield _text("text after a closed quotation mark", HEADER + row("o1", text='"a"b') + row("o2"),
                [(3, "o2", None)], bad=((2, None, "quote"),))  # fmt: skip
    yield _one("all cells quoted", ",".join(f'"{c}"' for c in row("o1", text="a").strip().split(",")) + "\n", "a")
    yield _one("a delimiter in a quoted cell", row("o1", text='"a,b"'), "a,b")
    yield _one("single quotation marks are text", row("o1", text="'a'"), "'a'")
    yield _one("a backslash is text", row("o1", text="a\\"), "a\\")


def _headers() -> Iterator[Odd]:
    yield _text("a column is missing", PLAIN.replace("price", "prise"), refused="'price' is nearest to 'prise'")
    yield _text("a mapped column twice", HEADER.strip() + ",qty\n", refused="holds 'qty' more than once")
    yield _text("another column twice", HEADER.strip() + ",n,n\n" + row("o1", text="a").strip() + ",1,2\n",
                [(2, "o1", "a")])  # fmt: skip
    yield _text("another case", PLAIN.replace("price", "Price"), refused="'price' is nearest to 'Price'")
    yield _text("spaces around names", PLAIN.replace("price", " price "), refused="'price'")
    yield _text("another order", "text,price,qty,time,customer,order\na,2.5,1,2024-01-05,c1,o1\n", [(2, "o1", "a")])
    yield _text("more columns", HEADER.strip() + ",more\n" + row("o1", text="a").strip() + ",x\n", [(2, "o1", "a")])
    yield _text("a name with a comma", PLAIN.replace("text\n", '"text, long"\n', 1), TWO,
                columns=COLUMNS.replace(": text", ': "text, long"'))  # fmt: skip
    yield _text("a name over two lines", PLAIN.replace("text\n", '"te\nxt"\n', 1), [(3, "o1", "a"), (4, "o2", "b")],
                columns=COLUMNS.replace(": text", ': "te\\nxt"'))  # fmt: skip
    yield _text("a name that is SQL", PLAIN.replace("text\n", '"x""; DROP TABLE raw.ledger --"\n', 1), TWO,
                columns=COLUMNS.replace(": text", ": 'x\"; DROP TABLE raw.ledger --'"))  # fmt: skip
    yield _text(
        "a column without a name", HEADER.strip() + ",\n" + row("o1", text="a").strip() + ",x\n", [(2, "o1", "a")]
    )
    yield _text("no header", row("o1") + row("o2"), refused="are not in the file")
    yield _text("semicolons for commas", PLAIN.replace(",", ";"), refused="separated by ';'")
    yield _text("semicolons as declared", PLAIN.replace(",", ";"), TWO, options="delimiter: ';'")
    yield _text("a line before the header", "Export of 2024\n" + PLAIN, refused="are not in the file")
    yield _text("the first line empty", "\n" + PLAIN, refused="the first line is empty")


def _numbers() -> Iterator[Odd]:
    def number(name: str, text: str, value: str, options: str = "") -> Odd:
        return _one(name, row("o1", price=text), Decimal(value), options=options, show="unit_price")

    comma = "decimal_mark: ','"
    yield number("decimal comma", '"2,5"', "2.5", comma)
    yield number("thousands marks", '"1.234.567,5"', "1234567.5", f"{comma}\nthousands_mark: '.'")
    yield number("no-break spaces for thousands", "1\u00a0234\u202f567.5", "1234567.5", "thousands_mark: ' '")
    yield number("scientific notation", "1.5E+2", "150")
    yield number("a plus sign", "+2.5", "2.5")
    yield number("more decimals than kept are rounded", "2.00005", "2.0001")
    yield number("leading zeros", "0002.50", "2.5")
    for name, text in {
        "a decimal comma not declared": '"2,5"', "infinity": "inf", "not a number": "NaN", "too many digits": "9" * 15,
        "hexadecimal": "0x1F", "digits in groups": "1_000", "a currency sign": "€2.50", "two points": "1.2.3",
        "a percentage": "5%", "a minus sign behind": "5-", "in brackets": "(5)", "wide digits": "２.５",  # noqa: RUF001
        "a typographic minus sign": "−5", "a word": "free", "an error of a spreadsheet": "#REF!",  # noqa: RUF001
    }.items():  # fmt: skip
        yield _bad_one(name, row("o1", price=text), "unit_price", "type")
    yield _text(
        "leading zeros of ids stay", HEADER + row("007", customer="0042"), [(2, "007", "0042")], show="customer_id"
    )
    yield _text("ids like numbers stay as they are", HEADER + row("1e5", customer="1.50"), [(2, "1e5", "1.50")],
                show="customer_id")  # fmt: skip


def _times() -> Iterator[Odd]:
    def time(name: str, text: str, value: datetime, options: str = "") -> Odd:
        return _one(name, row("o1", time=text), value, options=options, show="ordered_at")

    yield time("an offset", "2024-07-05T10:30:00+05:30", datetime(2024, 7, 5, 5))
    yield time("epoch seconds", "1720168200", datetime(2024, 7, 5, 8, 30), "time_format: epoch_seconds")
    yield time("epoch milliseconds", "1720168200000", datetime(2024, 7, 5, 8, 30), "time_format: epoch_milliseconds")
    yield time("day first", "05/07/2024", datetime(2024, 7, 4, 22), "time_format: '%d/%m/%Y'")
    yield time("29 February", "2024-02-29", datetime(2024, 2, 28, 23))
    yield time("the hour that is skipped", "2024-03-31 02:30:00", datetime(2024, 3, 31, 1, 30))
    yield time("the hour that comes twice", "2024-10-27 02:30:00", datetime(2024, 10, 27, 1, 30))
    yield time("far in the future", "2199-12-31 12:00:00", datetime(2199, 12, 31, 11))
    for name, text, rule in (
        ("29 February of a common year", "2023-02-29", "type"), ("before 1990", "1970-01-01", "before_1990"),
        ("an empty time", "", "required"), ("month first", "07/05/2024", "type"), ("a time alone", "10:30:00", "type"),
        ("a day of zeros", "0000-00-00", "type"), ("hour 25", "2024-01-05 25:00:00", "type"),
        ("endless", "infinity", "type"), ("milliseconds taken for ISO", "1720168200000", "type"),
        ("a number of a spreadsheet", "45296.5", "type"), ("a zone by name", "2024-07-05 10:30:00 CET", "type"),
    ):  # fmt: skip
        yield _bad_one(name, row("o1", time=text), "ordered_at", rule)
    late = "delivered: {pattern: '(?P<day>[0-9]{8})'}"
    yield _bad_one("after its delivery", row("o1", time="2024-03-01"), "ordered_at", "after_delivery", options=late,
                   file="x_20240131.csv")  # fmt: skip


def _whole_files() -> Iterator[Odd]:
    packed, zst, pages = gzip.compress(PLAIN.encode() * 50), zstandard.compress(PLAIN.encode()), io.BytesIO()
    with zipfile.ZipFile(pages, "w") as archive:
        archive.writestr("x.csv", PLAIN)
    yield Odd("no byte", b"", refused="is empty")
    yield Odd("a byte order mark only", b"\xef\xbb\xbf", refused="is empty")
    yield Odd("spaces only", b"  \n \n", refused="is empty")
    yield _text("a header only", HEADER, [])
    yield _text("a header without a line end", HEADER.strip(), [])
    yield Odd("a gzip that ends too early", packed[: len(packed) // 2], refused="ends too early", file="x.csv.gz")
    yield Odd("a zst that ends too early", zst[:-5], refused="ends too early", file="x.csv.zst")
    yield Odd("bytes behind a zst", zst + b"rest", refused="is damaged", file="x.csv.zst")
    yield Odd("a gzip in two members", gzip.compress(PLAIN.encode()[:40]) + gzip.compress(PLAIN.encode()[40:]), TWO,
              file="x.csv.gz")  # fmt: skip
    yield Odd("a zip archive called csv", pages.getvalue(), refused="a zip archive")
    yield Odd(
        "a page called csv", b"<!DOCTYPE html>\n<html><body>Please log in</body></html>\n", refused="not in the file"
    )
    yield Odd("a PDF called csv", b"%PDF-1.7\n" + PLAIN.encode(), refused="a PDF document")
    yield _text("every row is bad", HEADER + row(qty="x") * 3, blocked=True)
    edge = HEADER + rows(19) + row("o19", qty="x")
    yield _text("as many bad rows as allowed", edge, [(n + 2, f"o{n}", None) for n in range(19)],
                bad=((21, "quantity", "type"),), options="max_bad_share: 0.05")  # fmt: skip
    yield _text(
        "one bad row more than allowed", edge.replace(row("o0"), ""), blocked=True, options="max_bad_share: 0.05"
    )


def _sizes() -> Iterator[Odd]:
    long = "x" * 1_000_000
    yield _one("a cell of a million letters", row("o1", text=long), len(long), show="length(description)")
    longer = row("o1", text="x" * 3_000_000)
    yield _text(
        "a line that is too long", HEADER + longer + row("o2"), [(3, "o2", None)], bad=((2, None, "line_size"),)
    )
    names, cells = ",".join(f"n{n}" for n in range(1000)), ",".join("v" for _ in range(1000))
    yield _text("a thousand columns more", f"{HEADER.strip()},{names}\n{row('o1', text='a').strip()},{cells}\n",
                [(2, "o1", "a")])  # fmt: skip
    one = "      columns:\n        order_id: only\n        ordered_at: {sql: \"'2024-01-05'\"}\n"
    one += "        quantity: {sql: \"'1'\"}\n        unit_price: {sql: \"'1'\"}\n"
    yield _text("one column", "only\no1\no2\n", [(2, "o1", None), (3, "o2", None)], columns=one)
    yield _text("an empty line is an empty cell of a file with one column", "only\no1\n\no2\n",
                [(2, "o1", None), (4, "o2", None)], bad=((3, "order_id", "required"),), columns=one)  # fmt: skip


def _texts() -> Iterator[Odd]:
    for name, text in {
        "a formula": "=1+1", "a formula with an at sign": "@SUM(A1)", "emoji": "👩‍👩‍👧 ok",
        "right to left": "\u202e\u05e9\u05dc\u05d5\u05dd", "SQL": "'); DROP TABLE raw.order_lines; --",
        "a format of Python": "{0.__class__} %s", "a null in words": "NULL", "a tab": "a\tb", "a bell": "a\x07b",
        "a wide space": "\u3000a", "a next-line sign": "a\u0085b",
    }.items():  # fmt: skip
        yield _one(f"{name} in a cell", row("o1", text=text), text)
    yield _text("SQL in the name of the file", PLAIN, TWO, file="x'; DROP TABLE raw.ledger; --.csv")
    yield _text("marks of a pattern in the name of the file", PLAIN, TWO, file="x[1]{2}.csv")
    yield _text("letters beyond ASCII in the name of the file", PLAIN, TWO, file="ünï 👍.csv")
    yield _text("equal rows are all loaded", HEADER + row("o1") * 3, [(n, "o1", None) for n in (2, 3, 4)])


def _other_formats() -> Iterator[Odd]:
    parquet = "format: parquet"
    yield Odd("a Parquet file that ends too early", b"PAR1" + b"x" * 99, refused="ends too early", options=parquet)
    yield _text("a CSV file for Parquet", PLAIN, refused="cannot be read as Parquet", options=parquet)
    line = '{"order":"o1","customer":"c","time":"2024-01-05","qty":1,"price":1,"text":"a"}\n'
    jsonl = {"options": "format: jsonl", "file": "x.jsonl"}
    yield _text("JSON lines", line, [(1, "o1", "a")], **jsonl)
    yield _text("a line that is no JSON", line + "{oops\n" + line, [(1, "o1", "a"), (3, "o1", "a")],
                bad=((2, None, "json"),), **jsonl)  # fmt: skip
    yield _text("a JSON array for JSON lines", f"[{line.strip()},\n{line.strip()}]\n", blocked=True, **jsonl)
    yield _text("a text called xlsx", PLAIN, refused="workbook", options="format: xlsx", file="x.xlsx")
