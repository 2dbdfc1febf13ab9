"""A shop of any size in the shape of the exports that ship: made by DuckDB, the same files for the same size."""

from __future__ import annotations

from pathlib import Path

import duckdb

from retention_pipeline.settings import PROJECT

LINES_PER_CUSTOMER = 180
MONTHS = 24


def write_shop(folder: Path, rows: int) -> Path:
    """Write `rows` order lines in monthly CSV files (zstd) under `folder`, with the shop's configuration.

    Customers buy at a rate of their own and stop for good at a random day, so that there is something to predict.
    Everything random is a hash of the line's number: the same size gives the same files.
    """
    exports = folder / "exports"
    if (folder / "retention.yaml").is_file():
        return folder
    exports.mkdir(parents=True, exist_ok=True)
    customers = max(rows // LINES_PER_CUSTOMER, 100)
    with duckdb.connect() as con:
        con.execute(
            f"""
            CREATE TABLE lines AS
            WITH drawn AS (
              SELECT i,
                     10000 + floor(pow((hash(i, 1) % 1000003) / 1000003.0, 1.6) * {customers})::BIGINT AS customer,
                     (hash(i, 2) % 1000003) / 1000003.0 AS moment,
                     hash(i, 3) AS product, hash(i, 4) AS amount
              FROM range({rows}) t(i)
            ), lived AS (
              SELECT *, hash(customer, 5) % 600 AS joined, 60 + hash(customer, 6) % 700 AS lifetime FROM drawn
            )
            SELECT i, customer,
                   TIMESTAMP '2010-01-01 08:00:00'
                     + to_days((least(joined, 640) + moment * least(lifetime, 729 - least(joined, 640)))::INTEGER)
                     + to_minutes((customer % 540)::BIGINT) AS moment,
                   20000 + product % 4000 AS product, 1 + amount % 24 AS quantity,
                   (amount // 24) % 1500 / 100.0 AS price
            FROM lived
            """
        )
        con.execute("CREATE TABLE ordered AS SELECT * FROM lines ORDER BY moment, customer, i")
        for month in range(MONTHS):
            first = f"DATE '2010-01-01' + INTERVAL {month} MONTH"
            name = f"invoices_fy2011_{2010 + month // 12}-{month % 12 + 1:02d}.csv.zst"
            con.execute(
                f"""
                COPY (
                  SELECT (customer::VARCHAR || strftime(moment, '%y%j'))::VARCHAR AS "InvoiceNo",
                         product::VARCHAR AS "StockCode", 'PRODUCT ' || product AS "Description",
                         quantity AS "Quantity", strftime(moment, '%Y-%m-%d %H:%M:%S') AS "InvoiceDate",
                         price AS "UnitPrice", customer || '.0' AS "CustomerID", 'United Kingdom' AS "Country"
                  FROM ordered WHERE moment >= {first} AND moment < {first} + INTERVAL 1 MONTH
                  ORDER BY moment, customer, i
                ) TO '{exports / name}' (FORMAT CSV, HEADER, COMPRESSION zstd)
                """
            )
    text = (PROJECT / "data" / "online_retail" / "retention.yaml").read_text(encoding="utf-8")
    lines = text.replace("business: online_retail", "business: bench")
    (folder / "retention.yaml").write_text(lines, encoding="utf-8")
    return folder
