"""One file becomes one batch, whatever is wrong in it: typed in a temporary table before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.guarding import guarded_expressions
from retention_pipeline.feeds.line_ids import line_id_sql
from retention_pipeline.feeds.lines import Obstacle, empty_lines, start_lines
from retention_pipeline.feeds.mapping import MappedFile, Rule, mapped_sql, row_rules, typed_sql
from retention_pipeline.feeds.mending import with_plain_lines, without_line
from retention_pipeline.feeds.refusing import FileRefusedError, misfit, unreadable
from retention_pipeline.feeds.rejects import QUOTE, Reject, first_swallowing, read_rejects
from retention_pipeline.feeds.sources import Source, drop_rejects
from retention_pipeline.quoting import identifier

_ROW_ERRORS = (duckdb.ConversionException, duckdb.OutOfRangeException, duckdb.InvalidInputException)
_MAX_OPEN_QUOTES = 20


@dataclass(frozen=True)
class Batch:
    """A file that lies typed in the temporary table `batch`, one row for each record, in the order of the file.

    Attributes:
        file: How it is mapped.
        source: Where it comes from.
        rules: The rules, by their number in `batch.bad`.
        rejects: What is no record.
        rows: Records in `batch`.
        line, lines_join: SQL of a record's line, and the join with `batch AS b` that it needs.
    """

    file: MappedFile
    source: Source
    rules: tuple[Rule, ...]
    rejects: tuple[Reject, ...]
    rows: int
    line: str
    lines_join: str


def read_batch(con: DuckDBPyConnection, file: MappedFile, source: Source, scratch: Path) -> Batch:
    """Read the file into the temporary table `batch`.

    Args:
        con: The warehouse, outside a transaction.
        file: How it is mapped.
        source: Where it comes from.
        scratch: Folder for a mended text, where one is needed.

    Raises:
        FileRefusedError: It cannot be read, or an expression of the mapping does not fit its columns.
    """
    opened: list[Reject] = []
    source, rules = _read(con, file, source, scratch)
    rejects = read_rejects(con, source)
    while reject := first_swallowing(rejects):
        # A quotation mark that never closes swallows good rows: only the line on which it stands is bad.
        if len(opened) == _MAX_OPEN_QUOTES:
            raise FileRefusedError(
                f"line {opened[0].line} opens a quotation mark that is never closed, and so do "
                f"{_MAX_OPEN_QUOTES} more lines",
                where=source.where,
                expected='quotation marks within cells written twice: ""',
                way_out="export the file again with quoted cells",
            )
        source, text = without_line(source, file.mapping, scratch, reject.line)
        opened.append(Reject(reject.line, 1, QUOTE, text))
        source, rules = _read(con, file, source, scratch)
        rejects = read_rejects(con, source)
    drop_rejects(con)
    rows, last = con.execute("SELECT count(*), max(rowid) FROM batch").fetchall()[0]
    if rows and last != rows - 1:
        raise RuntimeError("the rows of a temporary table are not numbered in the order of the file")
    line, join = _numbering(con, source, rows, rejects)
    every = sorted([*opened, *rejects], key=lambda reject: reject.line)
    return Batch(file, source, rules, tuple(every), rows, line, join)


def _read(con: DuckDBPyConnection, file: MappedFile, source: Source, scratch: Path) -> tuple[Source, tuple[Rule, ...]]:
    """Fill `batch`; returns the source that could be read and the rules."""
    try:
        return source, _fill(con, file, source, guarded=False)
    except _ROW_ERRORS as error:
        if source.has_mixed_lines and "CSV" in str(error):
            source = with_plain_lines(source, file.mapping, scratch)
    # An expression failed on some row: read again, and let that row say so.
    try:
        with guarded_expressions(con):
            return source, _fill(con, file, source, guarded=True)
    except _ROW_ERRORS:
        raise FileRefusedError(
            f"cannot be read as {file.mapping.format}",
            where=source.where,
            expected=f"a {file.mapping.format} file",
            way_out="export the file again",
        ) from None


def _fill(con: DuckDBPyConnection, file: MappedFile, source: Source, *, guarded: bool) -> tuple[Rule, ...]:
    line = identifier(source.line_column) if source.line_column else ""
    mapped = mapped_sql(file, source.enriched, guarded=guarded, beside=line)
    drop_rejects(con)
    try:
        types = {row[0]: row[1] for row in con.execute(f"DESCRIBE {mapped}").fetchall()}
        typed = typed_sql(file, types, mapped, guarded=guarded, beside=line)
        drop_rejects(con)
        line_id = line_id_sql(file.contract, {column.name: f"t_{column.name}" for column in file.mapped_columns()})
        con.execute(f"CREATE OR REPLACE TEMP TABLE batch AS SELECT *, {line_id} AS line_id FROM ({typed}) AS t")
    except duckdb.BinderException as error:
        raise misfit(error, source.where) from None
    except _ROW_ERRORS:
        raise
    except duckdb.Error as error:
        raise unreadable(error, file.mapping.format, source.where) from None
    return tuple(row_rules(file, guarded=guarded))


def _numbering(con: DuckDBPyConnection, source: Source, rows: int, rejects: list[Reject]) -> tuple[str, str]:
    """SQL of the line of each record, and the join that it needs."""
    if source.line_column is not None:
        return f"b.{identifier(source.line_column)}", ""
    if source.lines is None:
        return "b.rowid + 1", ""
    if not rejects and rows == source.lines - source.header_lines:
        return f"b.rowid + {source.header_lines + 1}", ""
    heights = _heights(con, source)
    if len(heights) != rows:
        raise RuntimeError(f"{source.where}: {rows} records at first, {len(heights)} when read again")
    obstacles = [Obstacle(reject.line, reject.height) for reject in rejects]
    used = source.header_lines + int(heights.sum()) + sum(obstacle.height for obstacle in obstacles)
    if used != source.lines:
        empty = empty_lines(source.content(), source.newline)
        obstacles += [Obstacle(line, 1) for line in empty if line > source.header_lines]
        obstacles.sort(key=lambda obstacle: obstacle.line)
    lines = start_lines(heights, source.header_lines + 1, obstacles)
    con.register("numbered_lines", {"row_id": np.arange(rows, dtype=np.int64), "line": lines})
    con.execute("CREATE OR REPLACE TEMP TABLE batch_lines AS FROM numbered_lines")
    con.unregister("numbered_lines")
    return "l.line", "JOIN batch_lines AS l ON l.row_id = b.rowid"


def _heights(con: DuckDBPyConnection, source: Source) -> np.ndarray:
    """Lines that each record takes: one more than the line ends within its cells."""
    code = source.newline[0]
    ends = " + ".join(
        f"coalesce(length({name}) - length(replace({name}, chr({code}), '')), 0)"
        for name in map(identifier, source.columns)
    )
    drop_rejects(con)
    counted = con.execute(f"SELECT (1 + {ends})::BIGINT AS height FROM {source.relation}").fetchnumpy()
    drop_rejects(con)
    return np.asarray(counted["height"], dtype=np.int64)
