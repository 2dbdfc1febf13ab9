"""The short way of a file into `raw`: read, typed, held against the rules and written in one pass.

Only a file in which every line is a good row goes this way, and that is proven by counts before anything is kept: as
many rows are written as the file has lines below its header (Parquet: as its own index says), and none was rejected.
Whatever else is found, nothing of it stays, and `batches` reads the file again with all care.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb
from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.casting import business_day
from retention_pipeline.feeds.contracts import Type
from retention_pipeline.feeds.frames import PLAIN
from retention_pipeline.feeds.line_ids import line_id_sql, number_repeats
from retention_pipeline.feeds.mapping import MappedFile, mapped_sql, typed_sql
from retention_pipeline.feeds.sources import REJECTS, Source, drop_rejects
from retention_pipeline.quoting import identifier, literal

_FORMATS = ("csv", "tsv", "parquet")


class NotStraightError(Exception):
    """Some row of the file is not plainly good."""


@dataclass(frozen=True)
class Written:
    """What was written: rows, and the first and the last business day in them."""

    rows: int
    first_day: date | None
    last_day: date | None


def write_straight(con: DuckDBPyConnection, file: MappedFile, source: Source, batch_id: int) -> Written:
    """Write all rows of the file into `raw.<feed>`.

    Args:
        con: The warehouse, in a transaction that ends where this raises.
        file: How it is mapped.
        source: Where it comes from.
        batch_id: Its number.

    Raises:
        NotStraightError: Not every row is plainly good, or the file is not of a kind that can prove it.
        FileRefusedError: As in `Source.looked_at`.
    """
    if file.mapping.format not in _FORMATS or file.mapping.skip is not None or source.frame != PLAIN:
        raise NotStraightError
    if not (source.is_text or source.line_column):
        raise NotStraightError
    table = f"raw.{identifier(file.contract.name)}"
    try:
        drop_rejects(con)
        rows = con.execute(f"INSERT INTO {table} BY POSITION {_rows_sql(con, file, source, batch_id)}").fetchall()[0][0]
        expected = _expected_rows(con, source)
    except duckdb.Error:
        source.looked_at()
        raise NotStraightError from None
    if rows != expected:
        raise NotStraightError
    if source.is_text:
        _number_lines(con, table, batch_id, source.header_lines, rows)
    number_repeats(con, file.contract, batch_id)
    return Written(rows, *_days(con, file, table, batch_id))


def _rows_sql(con: DuckDBPyConnection, file: MappedFile, source: Source, batch_id: int) -> str:
    """SELECT of the good rows as `raw` holds them; the lines of a text are not known yet."""
    line = identifier(source.line_column) if source.line_column else ""
    mapped = mapped_sql(file, source.relation, guarded=False, beside=line)
    types = {row[0]: row[1] for row in con.execute(f"DESCRIBE {mapped}").fetchall()}
    drop_rejects(con)
    typed = typed_sql(file, types, mapped, guarded=False, beside=line)
    values = {column.name: f"t_{column.name}" for column in file.mapped_columns()}
    known = f"DATE '{file.delivered_on}'" if file.delivered_on else "day"
    every = ", ".join(values.get(column.name, "NULL") for column in file.contract.columns)
    return (
        f"SELECT {int(batch_id)}, {line or 0}, {known}, {line_id_sql(file.contract, values)}, {every} "
        f"FROM ({typed}) AS t WHERE bad IS NULL"
    )


def _expected_rows(con: DuckDBPyConnection, source: Source) -> int:
    """How many rows the file has if each of them is a good one; -1 where that cannot be told."""
    if source.lines is None:
        counted = con.execute(f"SELECT num_rows FROM parquet_file_metadata({literal(str(source.path))})").fetchall()
        return int(counted[0][0])
    rejected = con.execute(f"SELECT count(*) FROM {REJECTS}").fetchall()[0][0]
    return -1 if rejected or source.has_mixed_lines else source.lines - source.header_lines


def _number_lines(con: DuckDBPyConnection, table: str, batch_id: int, header_lines: int, rows: int) -> None:
    """Write the lines: rows lie in the order of the file, and each of them took one line.

    A number given while the file is read would have to be given by one core alone.
    """
    of_batch = f"WHERE _batch_id = {int(batch_id)}"
    first, last = con.execute(f"SELECT min(rowid), max(rowid) FROM {table} {of_batch}").fetchall()[0]
    if rows and last - first != rows - 1:
        raise RuntimeError("the rows of a batch are not numbered in the order of the file")
    if rows:
        con.execute(f"UPDATE {table} SET _line = rowid - {first} + {header_lines + 1} {of_batch}")


def _days(con: DuckDBPyConnection, file: MappedFile, table: str, batch_id: int) -> tuple[date | None, date | None]:
    """The first and the last business day of a batch."""
    time = file.contract.time
    if time is None:
        return None, None
    day = "_known_on"
    if file.delivered_on:
        is_date = file.contract.column(time).type is Type.DATE
        day = identifier(time) if is_date else business_day(identifier(time), file.rules.business_zone)
    found = con.execute(f"SELECT min({day}), max({day}) FROM {table} WHERE _batch_id = {int(batch_id)}").fetchall()
    first, last = found[0]
    return first, last
