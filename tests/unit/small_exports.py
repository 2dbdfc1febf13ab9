"""Businesses of a few rows for the tests of reading: one feed, files of any kind, a warehouse in memory."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from retention_pipeline.feeds.loading import FeedLoad, load_feeds
from retention_pipeline.warehouse import create_layout
from retention_pipeline.workspace.loading import Business, load_business

HEAD = """\
business: small
title: Small shop
kind: transactional
timezone: Europe/Paris
currency: EUR
salt: nothing-to-see-here
first_day: 2024-01-01
feeds:
"""

COLUMNS = """\
      columns:
        order_id: order
        customer_id: customer
        ordered_at: time
        quantity: qty
        unit_price: price
        description: text
"""

HEADER = "order,customer,time,qty,price,text\n"


def row(order: str = "o1", customer: str = "c1", time: str = "2024-01-05 10:00:00", qty: str = "1", price: str = "2.50",
        text: str = "") -> str:  # fmt: skip
    """A line of an export."""
    return f"{order},{customer},{time},{qty},{price},{text}\n"


def rows(count: int, start: int = 0) -> str:
    """Good lines, all different."""
    return "".join(row(f"o{number}") for number in range(start, start + count))


def business(folder: Path, options: str = "", *, files: str = "exports/*.csv", columns: str = COLUMNS) -> Business:
    """A shop with one mapping of order lines; `options` are further lines of the mapping."""
    folder.mkdir(parents=True, exist_ok=True)
    extra = textwrap.indent(textwrap.dedent(options), "      ")
    text = f"{HEAD}  order_lines:\n    - files: {files}\n{extra.rstrip()}\n{columns}"
    (folder / "retention.yaml").write_text(text, encoding="utf-8")
    return load_business(folder)


def write(folder: Path, name: str, content: str | bytes) -> Path:
    """An export file of `folder`."""
    path = folder / "exports" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@contextmanager
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty warehouse in memory."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        create_layout(con)
        yield con


def load(con: duckdb.DuckDBPyConnection, loaded: Business, feed: str = "order_lines") -> FeedLoad:
    """Load everything and give what came of one feed."""
    return load_feeds(con, loaded)[feed]


def fetch(con: duckdb.DuckDBPyConnection, sql: str) -> list[tuple]:
    """The rows of a query."""
    return con.execute(sql).fetchall()


def quarantined(con: duckdb.DuckDBPyConnection, feed: str = "order_lines") -> list[tuple]:
    """Line, column, rule and value of every bad row, by line."""
    return fetch(con, f"SELECT _line, column_name, rule, value FROM quarantine.{feed} ORDER BY _batch_id, _line")
