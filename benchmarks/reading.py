"""Reading a file into `raw` beside bare DuckDB `COPY` of it into a typed table.

The files hold a value in every column of the feed, in types and notations that `COPY` understands, and times in UTC.
They are compared twice: with `COPY` into a table of the feed's columns, and into one of the layout of `raw`, where the
columns of batch, line, day and identity stay empty: storing an empty column costs about as much as storing a full one.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.feeds.tables import PROVENANCE

FORMATS = ("csv", "parquet")
FEEDS = ("order_lines", "usage")

_SELECT = {
    "order_lines": """
        SELECT (100000 + i // 12)::VARCHAR AS order_id, (10000 + hash(i // 12, 5) % 55000)::VARCHAR AS customer_id,
               TIMESTAMP '2010-01-01 08:00:00' + to_seconds((i // 12) * 60) AS ordered_at,
               (20000 + hash(i, 1) % 4000)::VARCHAR AS sku, 'PRODUCT ' || (20000 + hash(i, 1) % 4000) AS description,
               ['Garden', 'Kitchen', 'Gifts', 'Toys', 'Office'][(1 + hash(i, 1) % 5)::INTEGER] AS category,
               (1 + hash(i, 2) % 24)::DECIMAL(18,3) AS quantity,
               (hash(i, 4) % 1500 / 100.0)::DECIMAL(18,4) AS unit_price,
               (CASE WHEN hash(i, 7) % 8 = 0 THEN hash(i, 4) % 150 / 100.0 ELSE 0 END)::DECIMAL(18,4) AS discount,
               (hash(i, 4) % 1500 / 500.0)::DECIMAL(18,4) AS tax,
               (hash(i, 4) % 1500 / 250.0)::DECIMAL(18,4) AS unit_cost, 'GBP' AS currency,
               CASE WHEN hash(i, 8) % 50 = 0 THEN 'return' ELSE 'purchase' END AS kind""",
    "usage": """
        SELECT (10000 + i % 20000)::VARCHAR AS customer_id, DATE '2010-01-01' + (i // 100000)::INTEGER AS used_on,
               ['a', 'b', 'c', 'd', 'e'][(1 + i % 100000 // 20000)::INTEGER] AS feature,
               (1 + hash(i, 2) % 40)::BIGINT AS events, (hash(i, 3) % 6000 / 100.0)::DOUBLE AS minutes""",
}

_SETTINGS = """\
business: reading
title: Reading
kind: transactional
timezone: UTC
currency: GBP
salt: nothing-to-see-here
first_day: 2010-01-01
feeds:
"""


def write_export(folder: Path, feed: str, kind: str, rows: int) -> Path:
    """A business whose only export is one file of `rows` rows of `feed`; the same file for the same size."""
    file = export_file(folder, kind)
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        options = "FORMAT parquet" if kind == "parquet" else "FORMAT csv, HEADER"
        with duckdb.connect() as con:
            con.execute(f"COPY ({_SELECT[feed]} FROM range({rows}) t(i) ORDER BY i) TO '{file}' ({options})")
    columns = "".join(f"        {column.name}: {column.name}\n" for column in CONTRACTS[feed].columns)
    mapping = f"  {feed}:\n    - files: exports/{file.name}\n      format: {kind}\n      columns:\n{columns}"
    (folder / "retention.yaml").write_text(_SETTINGS + mapping, encoding="utf-8")
    return folder


def export_file(folder: Path, kind: str) -> Path:
    """The one export of a business that `write_export` made."""
    return folder / "exports" / f"export.{kind}"


def typed_columns(feed: str, *, as_raw: bool) -> str:
    """The columns of the feed with their types, as a table declares them; `as_raw`: with those that `raw` adds."""
    contract = CONTRACTS[feed]
    added = [(name, kind.removesuffix(" NOT NULL")) for name, kind in PROVENANCE] if as_raw else []
    own = [(column.name, column.type.value) for column in contract.columns]
    return ", ".join(f'"{name}" {kind}' for name, kind in (*added, *own))


def column_names(feed: str) -> str:
    """The names of the feed's own columns, for `COPY`."""
    return ", ".join(f'"{column.name}"' for column in CONTRACTS[feed].columns)
