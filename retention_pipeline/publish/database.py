"""Builds the serving database from tables of the warehouse, and checks it before anybody sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from retention_pipeline.errors import RetentionError
from retention_pipeline.publish.tables import PublishedTable, refuse_personal_columns
from retention_pipeline.quoting import identifier, literal
from retention_pipeline.warehouse import open_warehouse

STORAGE_VERSION = "v1.0.0"
"""Clients from 1.0 on read it, and so the drivers of BI tools, which lag behind by a year or two."""

SERVING = "serving"
PUBLICATION = "publication"
PUBLICATION_DESCRIPTION = "What was published, for which day. One row per table."

_PUBLICATION_COLUMNS = {
    "as_of": "The day that was computed.",
    "table_name": "A table of this database, and of the Parquet folder.",
    "description": "What one row of the table is.",
    "rows": "Rows of the table.",
    "content_hash": "SHA-256 of the table's Parquet file: equal hashes, equal rows in the same order.",
}
_EMAIL = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}"


@contextmanager
def building(warehouse: Path, target: Path) -> Iterator[DuckDBPyConnection]:
    """A connection with the warehouse attached read-only and the new database at `target` to be filled.

    Raises:
        RetentionError: The warehouse is missing, locked, or is no DuckDB file.
    """
    with open_warehouse(warehouse, read_only=True):
        pass
    con = duckdb.connect()
    try:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"SET temp_directory = {literal(str(target.parent / 'spill'))}")
        con.execute(f"ATTACH {literal(str(warehouse))} AS warehouse (READ_ONLY)")
        con.execute(f"ATTACH {literal(str(target))} AS {SERVING} (STORAGE_VERSION {literal(STORAGE_VERSION)})")
        yield con
        con.execute(f"DETACH {SERVING}")
    finally:
        con.close()


def copy_table(con: DuckDBPyConnection, table: PublishedTable) -> int:
    """Copy a table with its descriptions and return its rows.

    Raises:
        RetentionError: The table is not in the warehouse, or holds what must not be published.
    """
    columns = _source_columns(con, table)
    refuse_personal_columns(table.source, columns)
    names = [name for name, _ in columns]
    _refuse_unknown(table, names)
    source, target = f"warehouse.{table.quoted_source}", f"{SERVING}.main.{identifier(table.name)}"
    order = ", ".join(f"{identifier(name)} NULLS LAST" for name in _total_order(con, table, names))
    con.execute(f"CREATE TABLE {target} AS SELECT * FROM {source} ORDER BY {order}")
    _describe(con, target, table.description, {n: d for n, d in table.column_descriptions.items() if n in names})
    _compare(con, table, source, target)
    _refuse_addresses(con, table.source, target, columns)
    return int(con.execute(f"SELECT count(*) FROM {target}").fetchall()[0][0])


def write_publication(con: DuckDBPyConnection, rows: list[tuple[object, ...]]) -> None:
    """Write the table that says what was published: (as_of, table_name, description, rows, content_hash)."""
    target = f"{SERVING}.main.{PUBLICATION}"
    con.execute(
        f"CREATE TABLE {target} (as_of DATE NOT NULL, table_name VARCHAR NOT NULL, description VARCHAR NOT NULL,"
        " rows BIGINT NOT NULL, content_hash VARCHAR NOT NULL)"
    )
    if rows:
        con.executemany(f"INSERT INTO {target} VALUES (?, ?, ?, ?, ?)", rows)
    _describe(con, target, PUBLICATION_DESCRIPTION, _PUBLICATION_COLUMNS)


def check_database(path: Path, rows: dict[str, int]) -> None:
    """Open the finished database anew and read every value of it.

    Raises:
        RetentionError: A table is missing, one too many, a view, or has other rows than it was given.
    """
    with duckdb.connect(str(path), read_only=True) as con:
        objects = con.execute("SELECT table_name, table_type FROM information_schema.tables ORDER BY 1").fetchall()
        views = [name for name, kind in objects if kind != "BASE TABLE"]
        # hash() of the whole row makes DuckDB decode every column; a bare count would read only the metadata.
        found = {
            name: int(con.execute(f"SELECT count(hash(t)) FROM main.{identifier(name)} t").fetchall()[0][0])
            for name, _ in objects
        }
    if views or found != rows:
        wrong = sorted({*views, *(name for name in found.keys() | rows.keys() if found.get(name) != rows.get(name))})
        raise RetentionError(
            f"the new serving database does not hold what the warehouse holds: {', '.join(wrong)}",
            where=path.name,
            expected="every published table with all its rows",
            way_out="run the day again; if it happens twice, check the disk",
        )


def _source_columns(con: DuckDBPyConnection, table: PublishedTable) -> list[tuple[str, str]]:
    columns = con.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = 'warehouse' AND schema_name = ?"
        " AND table_name = ? ORDER BY column_index",
        list(table.schema_and_table),
    ).fetchall()
    if not columns:
        raise RetentionError(
            "the table is to be published, but is not in the warehouse",
            where=table.source,
            expected="a table that this day's run has built",
            way_out="run the whole day, or look which step before it failed",
        )
    return columns


def _refuse_unknown(table: PublishedTable, names: list[str]) -> None:
    unknown = sorted(set(table.order_by) - set(names))
    if unknown:
        raise RetentionError(
            f"rows cannot be ordered by {', '.join(unknown)}: there is no such column",
            where=table.source,
            expected=f"columns of the table: {', '.join(names)}",
            way_out="correct the declaration of the published table",
        )


def _total_order(con: DuckDBPyConnection, table: PublishedTable, names: list[str]) -> list[str]:
    """The columns that order the rows completely: those declared where they are unique, else all."""
    if table.order_by:
        grain = ", ".join(identifier(name) for name in table.order_by)
        doubled = con.execute(
            f"SELECT 1 FROM warehouse.{table.quoted_source} GROUP BY {grain} HAVING count(*) > 1 LIMIT 1"
        ).fetchall()
        if not doubled:
            return list(table.order_by)
    return [*table.order_by, *(name for name in names if name not in table.order_by)]


def _describe(con: DuckDBPyConnection, target: str, description: str, columns: dict[str, str]) -> None:
    if description:
        con.execute(f"COMMENT ON TABLE {target} IS {literal(description)}")
    for name, text in columns.items():
        if text:
            con.execute(f"COMMENT ON COLUMN {target}.{identifier(name)} IS {literal(text)}")


def _compare(con: DuckDBPyConnection, table: PublishedTable, source: str, target: str) -> None:
    counted = [con.execute(f"SELECT count(*), bit_xor(hash(t)) FROM {side} t").fetchall() for side in (source, target)]
    if counted[0] != counted[1]:
        raise RetentionError(
            "the copy has other rows than the table",
            where=table.source,
            expected="the same rows",
            way_out="run the day again; if it happens twice, check the disk",
        )


def _refuse_addresses(con: DuckDBPyConnection, source: str, target: str, columns: list[tuple[str, str]]) -> None:
    """Refuse a column whose name is harmless and whose values are e-mail addresses."""
    for name, kind in columns:
        if not kind.startswith("VARCHAR"):
            continue
        text = f"CAST({identifier(name)} AS VARCHAR)"
        found = con.execute(
            f"SELECT 1 FROM {target} WHERE contains({text}, '@') AND regexp_matches({text}, ?) LIMIT 1", [_EMAIL]
        ).fetchall()
        if found:
            raise RetentionError(
                f"not published: {name} holds e-mail addresses",
                where=source,
                expected="no value that identifies a person",
                way_out="leave the column out of the model, or map the right source column in retention.yaml",
            )
