"""Builds the serving database from tables of the warehouse, and checks it before anybody sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
UNDATED = "undated"
"""The part of a table's rows that have no month."""

PUBLICATION = "publication"
PUBLICATION_DESCRIPTION = "What was published, for which day. One row per table."

_PUBLICATION_COLUMNS = {
    "as_of": "The day that was computed.",
    "table_name": "A table of this database, and of the Parquet folder.",
    "description": "What one row of the table is.",
    "rows": "Rows of the table.",
    "content_hash": "SHA-256 of the table's Parquet: equal hashes, equal rows in the same order.",
}
_EMAIL = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z]{2,}"


@dataclass(frozen=True)
class Part:
    """Rows of a table, and a hash over them that does not depend on their order."""

    rows: int
    content: str


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


def source_columns(con: DuckDBPyConnection, table: PublishedTable) -> list[tuple[str, str]]:
    """Name and type of each column that is to be published.

    Raises:
        RetentionError: The table is not in the warehouse, lacks a column that is named, or would show persons.
    """
    columns = _source_columns(con, table)
    refuse_personal_columns(table.source, columns)
    _refuse_unknown(table, [name for name, _ in columns])
    return columns


def source_parts(con: DuckDBPyConnection, table: PublishedTable) -> dict[str, Part]:
    """The parts of a table as they are in the warehouse, by name: its months, or one without a name."""
    # Once as XOR and once as a sum: of two rows that are equal, either alone might lose sight.
    month = f"strftime({identifier(table.by_month_of)}, '%Y-%m')" if table.by_month_of else "''"
    found = con.execute(
        f"SELECT coalesce(month, '{UNDATED}'), sum(rows)::BIGINT, concat(bit_xor(xor), ' ', sum(added)) FROM ("
        f" SELECT {month} AS month, count(*) AS rows, bit_xor(hash(t)) AS xor, sum(hash(t)::HUGEINT) AS added"
        f" FROM warehouse.{table.quoted_source} t GROUP BY ALL) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    parts = {name: Part(rows, content) for name, rows, content in found}
    return parts if parts or table.by_month_of else {"": Part(0, "")}


def begin_table(con: DuckDBPyConnection, table: PublishedTable, columns: Sequence[tuple[str, str]]) -> None:
    """Make the table in the new database, without rows, in place of one that is there."""
    target, names = _target(table), {name for name, _ in columns}
    con.execute(f"DROP TABLE IF EXISTS {target}")
    con.execute(f"CREATE TABLE {target} AS FROM warehouse.{table.quoted_source} LIMIT 0")
    _describe(con, target, table.description, {n: d for n, d in table.column_descriptions.items() if n in names})


def drop_others(con: DuckDBPyConnection, names: Iterable[str]) -> None:
    """Drop what an earlier publication held and this one does not."""
    found = con.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = ?", [SERVING]).fetchall()
    for name in {name for (name,) in found} - set(names):
        con.execute(f"DROP TABLE {SERVING}.main.{identifier(name)}")


def copy_part(
    con: DuckDBPyConnection, table: PublishedTable, part: str, expected: Part, columns: Sequence[tuple[str, str]]
) -> str:
    """Write a part in place of what is there of it, and return how its rows are ordered.

    Raises:
        RetentionError: It holds what must not be published, or the copy differs.
    """
    source, target, where = f"warehouse.{table.quoted_source}", _target(table), part_condition(table, part)
    names = [name for name, _ in columns]
    order = ", ".join(f"{identifier(name)} NULLS LAST" for name in _total_order(con, table, names, where))
    con.execute(f"DELETE FROM {target} WHERE {where}")
    con.execute(f"INSERT INTO {target} SELECT * FROM {source} WHERE {where} ORDER BY {order}")
    found = con.execute(
        f"SELECT count(*), concat(bit_xor(hash(t)), ' ', sum(hash(t)::HUGEINT)) FROM {target} t WHERE {where}"
    ).fetchall()[0]
    if found != (expected.rows, expected.content) and expected.rows + found[0] > 0:
        raise RetentionError(
            "the copy has other rows than the table",
            where=table.source,
            expected="the same rows",
            way_out="run the day again; if it happens twice, check the disk",
        )
    _refuse_addresses(con, table.source, target, columns, where)
    return order


def remove_part(con: DuckDBPyConnection, table: PublishedTable, part: str) -> None:
    """Remove the rows of a part that is no more."""
    con.execute(f"DELETE FROM {_target(table)} WHERE {part_condition(table, part)}")


def part_condition(table: PublishedTable, part: str) -> str:
    """SQL that holds for the rows of a part."""
    column = identifier(table.by_month_of) if table.by_month_of else ""
    if not column:
        return "true"
    if part == UNDATED:
        return f"{column} IS NULL"
    first = f"DATE {literal(f'{part}-01')}"
    return f"{column} >= {first} AND {column} < {first} + INTERVAL 1 MONTH"


def is_half_empty(con: DuckDBPyConnection) -> bool:
    """Whether most of the file is room that rows left which are no more."""
    found = con.execute(
        "SELECT free_blocks, used_blocks FROM pragma_database_size() WHERE database_name = ?", [SERVING]
    ).fetchall()[0]
    return bool(found[0] > found[1])


def _target(table: PublishedTable) -> str:
    return f"{SERVING}.main.{identifier(table.name)}"


def write_publication(con: DuckDBPyConnection, rows: list[tuple[object, ...]]) -> None:
    """Write the table that says what was published: (as_of, table_name, description, rows, content_hash)."""
    target = f"{SERVING}.main.{PUBLICATION}"
    con.execute(f"DROP TABLE IF EXISTS {target}")
    con.execute(
        f"CREATE TABLE {target} (as_of DATE NOT NULL, table_name VARCHAR NOT NULL, description VARCHAR NOT NULL,"
        " rows BIGINT NOT NULL, content_hash VARCHAR NOT NULL)"
    )
    if rows:
        con.executemany(f"INSERT INTO {target} VALUES (?, ?, ?, ?, ?)", rows)
    _describe(con, target, PUBLICATION_DESCRIPTION, _PUBLICATION_COLUMNS)


def check_database(path: Path, rows: Mapping[str, int], written: Mapping[str, str]) -> None:
    """Open the finished database anew, count all rows, and read every value that was written now.

    Args:
        path: The database.
        rows: Table → rows.
        written: Table → SQL that holds for the rows that were written; others were read when they were.

    Raises:
        RetentionError: A table is missing, one too many, a view, or has other rows than it was given.
    """
    with duckdb.connect(str(path), read_only=True) as con:
        objects = con.execute("SELECT table_name, table_type FROM information_schema.tables ORDER BY 1").fetchall()
        views = [name for name, kind in objects if kind != "BASE TABLE"]
        found = {
            name: int(con.execute(f"SELECT count(*) FROM main.{identifier(name)}").fetchall()[0][0])
            for name, kind in objects
            if kind == "BASE TABLE"
        }
        for name in found.keys() & written.keys():
            # hash() of the whole row makes DuckDB decode every column; a bare count reads only the metadata.
            con.execute(f"SELECT bit_xor(hash(t)) FROM main.{identifier(name)} t WHERE {written[name]}").fetchall()
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
    wanted = {*table.order_by, *([table.by_month_of] if table.by_month_of else [])}
    unknown = sorted(wanted - set(names))
    if unknown:
        raise RetentionError(
            f"rows cannot be ordered by {', '.join(unknown)}: there is no such column",
            where=table.source,
            expected=f"columns of the table: {', '.join(names)}",
            way_out="correct the declaration of the published table",
        )


def _total_order(con: DuckDBPyConnection, table: PublishedTable, names: list[str], where: str) -> list[str]:
    """The columns that order the rows completely: those declared where they are unique, else all."""
    if table.order_by:
        grain = ", ".join(identifier(name) for name in table.order_by)
        doubled = con.execute(
            f"SELECT 1 FROM warehouse.{table.quoted_source} WHERE {where} GROUP BY {grain} HAVING count(*) > 1 LIMIT 1"
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


def _refuse_addresses(
    con: DuckDBPyConnection, source: str, target: str, columns: Sequence[tuple[str, str]], where: str
) -> None:
    """Refuse a column whose name is harmless and whose values are e-mail addresses."""
    for name, kind in columns:
        if not kind.startswith("VARCHAR"):
            continue
        text = f"CAST({identifier(name)} AS VARCHAR)"
        found = con.execute(
            f"SELECT 1 FROM {target} WHERE {where} AND contains({text}, '@') AND regexp_matches({text}, ?) LIMIT 1",
            [_EMAIL],
        ).fetchall()
        if found:
            raise RetentionError(
                f"not published: {name} holds e-mail addresses",
                where=source,
                expected="no value that identifies a person",
                way_out="leave the column out of the model, or map the right source column in retention.yaml",
            )
