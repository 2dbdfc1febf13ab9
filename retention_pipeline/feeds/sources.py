"""Export files as relations: what DuckDB is told so that it reads every cell as text and takes no guess."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.bytestreams import LineCount, checked_utf8, found_format, transcoded, unpacked_chunks
from retention_pipeline.feeds.expressions import parse_expression
from retention_pipeline.feeds.refusing import FileRefusedError, listed, nearest
from retention_pipeline.quoting import identifier, literal
from retention_pipeline.workspace.schema import Expression, FileMapping

REJECTS = "_feed_rejects"
_SCANS = "_feed_reject_scans"
_HEADER_LIMIT = 1 << 20
_NO_MISSING = "\x00\x01 no cell is missing \x01\x00"
_OTHER_BYTE_ORDER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(frozen=True)
class Source:
    """A file that can be read.

    Attributes:
        path: The file that DuckDB reads: the export itself, or its text in UTF-8.
        where: The export as messages name it.
        columns: Names of its columns, made unique.
        repeated: Names that its header holds more than once.
        relation: SQL of its rows.
        header_lines: Physical lines of the header; 0 for Parquet.
        lines: Physical lines of the file; None for Parquet.
        newline: What ends a line.
        has_mixed_lines: Whether lines end in different ways, perhaps only within cells.
    """

    path: Path
    where: str
    columns: tuple[str, ...]
    repeated: tuple[str, ...]
    relation: str
    header_lines: int = 0
    lines: int | None = None
    newline: bytes = b"\n"
    has_mixed_lines: bool = False

    @property
    def is_text(self) -> bool:
        """Whether it is read line by line."""
        return self.lines is not None

    def content(self) -> Iterator[bytes]:
        """The bytes of the text, unpacked."""
        return unpacked_chunks(self.path, self.where)


def open_source(con: DuckDBPyConnection, path: Path, where: str, mapping: FileMapping, scratch: Path) -> Source:
    """Look at the whole file once and say how it is read.

    Args:
        con: Any connection.
        path: The export.
        where: Its path as messages name it.
        mapping: The section of `retention.yaml`.
        scratch: Folder for the text of files in another encoding.

    Raises:
        FileRefusedError: It is not the declared format, is truncated, or is not in the declared encoding.
    """
    if mapping.format == "parquet":
        return _open_parquet(con, path, where, mapping.missing)
    return _open_text(path, where, mapping, scratch)


def _open_parquet(con: DuckDBPyConnection, path: Path, where: str, missing: Sequence[str]) -> Source:
    relation = f"read_parquet({literal(str(path))})"
    try:
        types = {row[0]: row[1] for row in con.execute(f"DESCRIBE FROM {relation}").fetchall()}
    except duckdb.Error:
        found = found_format(path)
        raise FileRefusedError(
            "cannot be read as Parquet",
            where=where,
            expected="a whole Parquet file",
            found="a Parquet file that is damaged or ends too early" if "Parquet" in found else found or "other data",
            way_out="copy the file again, or set `format` in retention.yaml",
        ) from None
    texts = [identifier(name) for name, kind in types.items() if kind == "VARCHAR"]
    if missing and texts:
        is_missing = f"IN ({', '.join(map(literal, missing))})"
        cells = ", ".join(f"CASE WHEN {name} {is_missing} THEN NULL ELSE {name} END AS {name}" for name in texts)
        relation = f"(SELECT * REPLACE ({cells}) FROM {relation})"
    return Source(path, where, tuple(types), (), relation)


def _open_text(path: Path, where: str, mapping: FileMapping, scratch: Path) -> Source:
    chunks = unpacked_chunks(path, where)
    head = next((chunk for chunk in chunks if chunk), b"")
    chunks = itertools.chain([head], chunks)
    readable = path
    if mapping.encoding != "utf-8":
        readable = scratch / "export.csv"
        head, count = _write_text(transcoded(chunks, mapping.encoding, where), readable)
    else:
        mark = _OTHER_BYTE_ORDER_MARKS.get(head[:2])
        if mark:
            raise FileRefusedError(
                "is not in the declared encoding",
                where=where,
                expected="utf-8",
                found=f"the byte order mark of {mark}",
                way_out=f"set `encoding: {mark.lower()}` of this mapping in retention.yaml",
            )
        count = _count(checked_utf8(chunks, where))
    names, header_lines = _header(head, where, mapping)
    columns, repeated = unique_names(names)
    relation = csv_relation(readable, columns, mapping)
    return Source(
        readable, where, columns, repeated, relation, header_lines, count.lines, count.newline, count.is_mixed
    )


def _count(chunks: Iterator[bytes]) -> LineCount:
    count = LineCount()
    for chunk in chunks:
        count.add(chunk)
    return count


def _write_text(chunks: Iterator[bytes], target: Path) -> tuple[bytes, LineCount]:
    count, head = LineCount(), b""
    with target.open("wb") as handle:
        for chunk in chunks:
            if len(head) < _HEADER_LIMIT:
                head += chunk
            count.add(chunk)
            handle.write(chunk)
    return head, count


def _header(head: bytes, where: str, mapping: FileMapping) -> tuple[list[str], int]:
    """Column names of the first record, and how many physical lines it takes."""
    # What is cut at the limit may end within a letter.
    text = head[:_HEADER_LIMIT].decode("utf-8-sig", errors="ignore")
    if not text.strip():
        raise FileRefusedError("is empty", where=where, expected="a header line with the names of the columns")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(mapping))
    try:
        names = next(reader)
    except csv.Error:
        raise FileRefusedError(
            "the header cannot be read", where=where, expected="a header line with the names of the columns"
        ) from None
    if not names:
        raise FileRefusedError(
            "the first line is empty", where=where, expected="a header line with the names of the columns"
        )
    return names, reader.line_num


def delimiter(mapping: FileMapping) -> str:
    """What separates the cells."""
    return "\t" if mapping.format == "tsv" else mapping.delimiter


def unique_names(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names that SQL can tell apart (it ignores case), and those that occur more than once."""
    taken: set[str] = set()
    unique, repeated = [], []
    for number, name in enumerate(names, start=1):
        label = name or f"column {number}"
        if label.casefold() in taken:
            repeated.append(name)
            label = f"{label} ({number})"
        taken.add(label.casefold())
        unique.append(label)
    return tuple(unique), tuple(repeated)


def csv_relation(path: Path, columns: Sequence[str], mapping: FileMapping) -> str:
    """SQL of the rows of a CSV file, all cells as text; rows that are no rows are stored in `REJECTS`."""
    types = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns)
    missing = ", ".join(map(literal, mapping.missing)) or literal(_NO_MISSING)
    packed = {".gz": "gzip", ".zst": "zstd"}.get(path.suffix.lower(), "none")
    return (
        f"read_csv({literal(str(path))}, auto_detect = false, header = true, delim = {literal(delimiter(mapping))}, "
        f"quote = '\"', escape = '\"', columns = {{{types}}}, nullstr = [{missing}], compression = '{packed}', "
        f"store_rejects = true, rejects_table = '{REJECTS}', rejects_scan = '{_SCANS}', rejects_limit = 0)"
    )


def drop_rejects(con: DuckDBPyConnection) -> None:
    """Forget the rejected rows of the last file."""
    con.execute(f"DROP TABLE IF EXISTS {REJECTS}")
    con.execute(f"DROP TABLE IF EXISTS {_SCANS}")


def check_columns(source: Source, mapping: FileMapping) -> None:
    """Hold the mapping against the columns that the file has.

    Raises:
        FileRefusedError: A mapped column is not there, or there twice.
    """
    exact = [value for value in mapping.columns.values() if isinstance(value, str)]
    folded = {name.casefold() for name in source.columns}
    in_sql = [
        name
        for value in mapping.columns.values()
        if isinstance(value, Expression)
        for name in parse_expression(value.sql).columns
    ]
    missing = [name for name in exact if name not in source.columns]
    missing += [name for name in in_sql if name.casefold() not in folded]
    repeated = [name for name in (*exact, *in_sql) if name in source.repeated]
    if missing:
        _refuse_header(source, mapping, list(dict.fromkeys(missing)))
    if repeated:
        raise FileRefusedError(
            f"the header holds {listed(list(dict.fromkeys(repeated)))} more than once",
            where=source.where,
            expected="every mapped column once",
            way_out="export the columns under different names",
        )


def _refuse_header(source: Source, mapping: FileMapping, missing: list[str]) -> None:
    near = [(name, nearest(name, source.columns)) for name in missing]
    hints = [f"{name!r} is nearest to {other!r}" for name, other in near if other]
    if len(source.columns) == 1 and source.is_text:
        marks = [mark for mark in ";\t,|" if mark != delimiter(mapping) and mark in source.columns[0]]
        hints = [f"the header seems to be separated by {marks[0]!r}: set `delimiter`"] if marks else hints
    noun = "columns" if len(missing) > 1 else "column"
    raise FileRefusedError(
        f"the {noun} {listed(missing)} of the mapping {'are' if len(missing) > 1 else 'is'} not in the file",
        where=source.where,
        expected=f"{noun} {listed(missing)}",
        found=f"columns {listed(source.columns)}",
        way_out="; ".join(hints) or "name the file's columns under `columns` in retention.yaml",
    )
