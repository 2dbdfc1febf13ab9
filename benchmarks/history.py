"""A shop with a history of any length and the same customers, and the file of one day more."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb

from retention_pipeline.settings import PROJECT

LAST_DAY = date(2024, 6, 30)
"""The last day of every history; the day after is the one whose cost is measured."""

NEXT_DAY = LAST_DAY + timedelta(days=1)
MONTHS = 12
CUSTOMERS = 10_000

_LINES = """
    SELECT customer || strftime(day, '%y%j') AS "InvoiceNo", (20000 + hash(customer, day, n) % 4000)::VARCHAR
             AS "StockCode", 'PRODUCT ' || (20000 + hash(customer, day, n) % 4000) AS "Description",
           1 + hash(customer, day, n, 1) % 24 AS "Quantity",
           strftime(day::TIMESTAMP + to_minutes(480 + (customer % 540)), '%Y-%m-%d %H:%M:%S') AS "InvoiceDate",
           (hash(customer, day, n, 2) % 1500) / 100.0 AS "UnitPrice", customer || '.0' AS "CustomerID",
           'United Kingdom' AS "Country"
    FROM (
        SELECT 10000 + c AS customer, day::DATE AS day FROM range({customers}) customers(c),
            generate_series(DATE '{first}', DATE '{last}', INTERVAL 1 DAY) days(day)
        -- Everybody buys at a rate of their own, and now and then not at all for half a year.
        WHERE hash(c, day) % (20 + hash(c) % 60) = 0 AND hash(c, year(day) * 2 + quarter(day) // 3) % 4 > 0
    ), range(1, 13) lines(n)
    WHERE n <= 1 + hash(customer, day) % 12
    ORDER BY day, customer, n
"""


def write_history(folder: Path, times: int, customers: int = CUSTOMERS) -> Path:
    """Write `times` years of order lines of the same customers, a file a month, that end on the same day.

    Every size has the same lines in the years that it shares with another, so a day more has the same lines in all.
    """
    exports = folder / "exports"
    if (folder / "retention.yaml").is_file():
        return folder
    exports.mkdir(parents=True, exist_ok=True)
    months = [_month(back) for back in range(MONTHS * times)]
    with duckdb.connect() as con:
        for first in months:
            last = _month_end(first)
            lines = _LINES.format(customers=customers, first=first, last=last)
            con.execute(f"COPY ({lines}) TO '{_file(exports, first)}' (FORMAT CSV, HEADER, COMPRESSION zstd)")
    text = (PROJECT / "data" / "online_retail" / "retention.yaml").read_text(encoding="utf-8")
    text = text.replace("business: online_retail", "business: bench")
    text = text.replace("first_day: 2009-12-01", f"first_day: {months[-1]}")
    text = text.replace("history_days: 180", "history_days: 60")
    (folder / "retention.yaml").write_text(text, encoding="utf-8")
    return folder


def write_next_day(folder: Path, customers: int = CUSTOMERS) -> None:
    """Let the file of the day after arrive."""
    lines = _LINES.format(customers=customers, first=NEXT_DAY, last=NEXT_DAY)
    with duckdb.connect() as con:
        con.execute(f"COPY ({lines}) TO '{_file(folder / 'exports', NEXT_DAY)}' (FORMAT CSV, HEADER, COMPRESSION zstd)")


def remove_next_day(folder: Path) -> None:
    """Let there be no file of the day after."""
    _file(folder / "exports", NEXT_DAY).unlink(missing_ok=True)


def _file(exports: Path, day: date) -> Path:
    return exports / f"invoices_fy2011_{day}.csv.zst"


def _month(back: int) -> date:
    months = LAST_DAY.year * 12 + LAST_DAY.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)


def _month_end(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
