"""Export files as relations: what DuckDB is told so that it reads every cell as text and takes no guess."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.bytestreams import (
    LineCount,
    checked_utf8,
    count_lines_beside,
    found_format,
    transcoded,
    unpacked_chunks,
)
from retention_pipeline.feeds.frames import LINE, PLAIN, Frame
from retention_pipeline.feeds.refusing import FileRefusedError
from retention_pipeline.quoting import identifier, literal
from retention_pipeline.workspace.schema import FileMapping

if TYPE_CHECKING:
    from retention_pipeline.feeds.rejects import Reject

REJECTS = "_feed_rejects"
_SCANS = "_feed_reject_scans"
_HEADER_LIMIT = 1 << 20
_LARGE = 128_000_000
_ROW_NUMBER = "file_row_number"
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
        header_lines: Physical lines of the header; 0 where rows are not read line by line.
        count: Gives the lines of a text, once its last byte has been looked at; None where rows are not told apart by
            lines, or tell theirs themselves.
        line_column: The hidden column of `relation` that holds the line (the row of a sheet); None where it has none.
        row_text: SQL over `relation` of a row's text; None where its cells say all.
        rejects: What is no row, where that was found while the file was opened.
        types: DuckDB types of the columns that are not text.
        beyond: Names that a mapping may use beside `columns`: nested values.
        needs_columns: Whether a mapped column must be there; not so where each row names its own.
        frame: What is laid around the rows before they are mapped.
    """

    path: Path
    where: str
    columns: tuple[str, ...]
    repeated: tuple[str, ...]
    relation: str
    header_lines: int = 0
    count: Callable[[], LineCount] | None = None
    line_column: str | None = None
    row_text: str | None = None
    rejects: tuple[Reject, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    beyond: tuple[str, ...] = ()
    needs_columns: bool = True
    frame: Frame = PLAIN

    @property
    def enriched(self) -> str:
        """SQL of the rows as the mapping reads them: the same ones in the same order, with what was looked up."""
        return self.frame.around(self.relation, has_lines=self.line_column is not None)

    @property
    def is_text(self) -> bool:
        """Whether it is read line by line."""
        return self.count is not None

    @property
    def lines(self) -> int | None:
        """Physical lines of a text."""
        return self.count().lines if self.count else None

    @property
    def newline(self) -> bytes:
        """What ends a line."""
        return self.count().newline if self.count else b"\n"

    @property
    def has_mixed_lines(self) -> bool:
        """Whether lines end in different ways, perhaps only within cells."""
        return self.count is not None and self.count().is_mixed

    def looked_at(self) -> Source:
        """The same, once every byte has been looked at.

        Raises:
            FileRefusedError: The text is truncated or is not in the declared encoding.
        """
        if self.count:
            self.count()
        return self

    def content(self) -> Iterator[bytes]:
        """The bytes of the text, unpacked."""
        return unpacked_chunks(self.path, self.where)


def open_parquet(con: DuckDBPyConnection, path: Path, where: str, missing: Sequence[str]) -> Source:
    """A Parquet file: its columns have types of their own.

    Raises:
        FileRefusedError: It is none, or is damaged.
    """
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
    replaced = ""
    if missing and texts:
        is_missing = f"IN ({', '.join(map(literal, missing))})"
        cells = ", ".join(f"CASE WHEN {name} {is_missing} THEN NULL ELSE {name} END AS {name}" for name in texts)
        replaced = f"REPLACE ({cells})"
    # A column of the file may be called as the reader's own row number.
    line = None if _ROW_NUMBER in {name.casefold() for name in types} else LINE
    number = f", {_ROW_NUMBER} + 1 AS {identifier(LINE)}" if line else ""
    relation = f"(SELECT * {replaced}{number} FROM {relation})"
    others = {name: kind for name, kind in types.items() if kind != "VARCHAR"}
    return Source(path, where, tuple(types), (), relation, line_column=line, types=others)


def open_text(path: Path, where: str, mapping: FileMapping, scratch: Path) -> Source:
    """A file of separated cells. A text in UTF-8 is looked at from end to end beside whatever is done next.

    Raises:
        FileRefusedError: It has no header; or, of a text in another encoding, as in `Source.looked_at`.
    """
    chunks = unpacked_chunks(path, where)
    head = next((chunk for chunk in chunks if chunk), b"")
    chunks = itertools.chain([head], chunks)
    readable = path
    if mapping.encoding != "utf-8":
        readable = scratch / "export.csv"
        head, count = _write_text(transcoded(chunks, mapping.encoding, where), readable)
        counted: Callable[[], LineCount] = partial(replace, count)
    else:
        check_byte_order(head, where)
        counted = count_lines_beside(checked_utf8(chunks, where))
    try:
        names, header_lines = _header(head, where, mapping)
    except FileRefusedError:
        counted()  # bytes of another encoding are the better reason
        raise
    columns, repeated = unique_names(names)
    relation = csv_relation(readable, columns, mapping)
    return Source(readable, where, columns, repeated, relation, header_lines, counted)


def check_byte_order(head: bytes, where: str) -> None:
    """Refuse what begins as a text in another encoding than UTF-8.

    Raises:
        FileRefusedError: It does.
    """
    mark = _OTHER_BYTE_ORDER_MARKS.get(head[:2])
    if mark:
        raise FileRefusedError(
            "is not in the declared encoding",
            where=where,
            expected="utf-8",
            found=f"the byte order mark of {mark}",
            way_out=f"set `encoding: {mark.lower()}` of this mapping in retention.yaml",
        )


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


def packing(path: Path) -> str:
    """How DuckDB calls the compression that the file's name tells."""
    return {".gz": "gzip", ".zst": "zstd"}.get(path.suffix.lower(), "none")


def csv_relation(path: Path, columns: Sequence[str], mapping: FileMapping) -> str:
    """SQL of the rows of a CSV file, all cells as text; rows that are no rows are stored in `REJECTS`."""
    types = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns)
    missing = ", ".join(map(literal, mapping.missing)) or literal(_NO_MISSING)
    # Rows are stored in groups; the larger the pieces that are read, the fewer groups are cut off at their ends.
    large = path.stat().st_size >= (_LARGE if packing(path) == "none" else _LARGE // 8)
    buffer = f"buffer_size = {_LARGE}, " if large else ""
    return (
        f"read_csv({literal(str(path))}, auto_detect = false, header = true, delim = {literal(delimiter(mapping))}, "
        f"quote = '\"', escape = '\"', columns = {{{types}}}, nullstr = [{missing}], compression = '{packing(path)}', "
        f"{buffer}store_rejects = true, rejects_table = '{REJECTS}', rejects_scan = '{_SCANS}', rejects_limit = 0)"
    )


def drop_rejects(con: DuckDBPyConnection) -> None:
    """Forget the rejected rows of the last file."""
    con.execute(f"DROP TABLE IF EXISTS {REJECTS}")
    con.execute(f"DROP TABLE IF EXISTS {_SCANS}")
