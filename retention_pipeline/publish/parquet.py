"""The serving tables as Parquet files: the same rows in the same order, and the same bytes for the same rows."""

from __future__ import annotations

from hashlib import file_digest
from pathlib import Path

from duckdb import DuckDBPyConnection

from retention_pipeline.quoting import identifier, literal

# Parquet has no 128-bit integers: DuckDB would write them as floating-point numbers.
_WITHOUT_PARQUET_TYPE = {"HUGEINT": "DECIMAL(38,0)", "UHUGEINT": "DECIMAL(38,0)"}


def write_parquet(
    con: DuckDBPyConnection, database: str, table: str, path: Path, *, where: str = "", order: str = ""
) -> str:
    """Write `database.main.table` to `path` and return the SHA-256 of the file.

    Rows are written in the order of the table; with `where`, only those for which it holds, in the order of `order`.
    One thread writes: with several, the borders of row groups depend on who was faster.
    """
    columns = con.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = ? AND schema_name = 'main'"
        " AND table_name = ? ORDER BY column_index",
        [database, table],
    ).fetchall()
    chosen = f" WHERE {where} ORDER BY {order}" if where else ""
    threads = con.execute("SELECT current_setting('threads')").fetchall()[0][0]
    con.execute("SET threads = 1")
    try:
        con.execute(
            f"COPY (SELECT {', '.join(_selected(name, kind) for name, kind in columns)}"
            f" FROM {identifier(database)}.main.{identifier(table)}{chosen})"
            f" TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)"
        )
    finally:
        con.execute(f"SET threads = {int(threads)}")
    with path.open("rb") as handle:
        return file_digest(handle, "sha256").hexdigest()


def _selected(name: str, kind: str) -> str:
    quoted = identifier(name)
    wanted = _WITHOUT_PARQUET_TYPE.get(kind)
    return f"CAST({quoted} AS {wanted}) AS {quoted}" if wanted else quoted
