"""Rows of a family to judge its columns by: from its first, middle and last files, spread over each of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import duckdb

from retention_pipeline.feeds.bytestreams import unpacked_chunks
from retention_pipeline.feeds.refusing import FileRefusedError
from retention_pipeline.feeds.sources import unique_names
from retention_pipeline.initialise.families import Family
from retention_pipeline.initialise.scanning import Export
from retention_pipeline.initialise.sniffing import Look, codec, flattened
from retention_pipeline.quoting import literal

Row = tuple[str | None, ...]
T = TypeVar("T")

_FILES = 5
_FIRST_ROWS = 2_000
_EVERY = 25
_MOST_ROWS = 4_000
_MOST_READ = 150_000


def read_sample(family: Family) -> tuple[tuple[str, ...], list[Row]]:
    """Names of the columns, made unique as in a run, and rows; blank cells are None."""
    columns, _ = unique_names(family.look.header)
    rows: list[Row] = []
    for export in _spread(family.exports):
        try:
            rows += _rows(export, family.look, columns)
        except (FileRefusedError, OSError, csv.Error, duckdb.Error):
            continue
    return columns, rows


def _spread(exports: Sequence[Export]) -> list[Export]:
    """At most `_FILES` of the files, the first and the last among them."""
    if len(exports) <= _FILES:
        return list(exports)
    return [exports[round(place * (len(exports) - 1) / (_FILES - 1))] for place in range(_FILES)]


def _rows(export: Export, look: Look, columns: Sequence[str]) -> list[Row]:
    if look.format == "parquet":
        return _parquet_rows(export.path)
    if look.format == "xlsx":
        from retention_pipeline.initialise.workbooks import sheet_rows

        return sheet_rows(export.path, export.where, export.sheet, _MOST_ROWS)
    lines = _text(export, look)
    if look.format == "jsonl":
        return list(_thinned(_json_rows(lines, columns)))
    records = csv.reader(lines, delimiter="\t" if look.format == "tsv" else look.delimiter)
    next(records, None)
    return [_blanks_away(record, len(columns)) for record in _thinned(records)]


def _thinned(rows: Iterable[T]) -> Iterator[T]:
    """The first rows, then one in so many."""
    taken = 0
    for number, row in enumerate(rows):
        if number < _FIRST_ROWS or number % _EVERY == 0:
            taken += 1
            yield row
        if taken >= _MOST_ROWS or number >= _MOST_READ:
            return


def _blanks_away(record: Sequence[str | None], width: int) -> Row:
    cells = [cell if cell else None for cell in record[:width]]
    return tuple(cells + [None] * (width - len(cells)))


def _text(export: Export, look: Look) -> io.TextIOBase:
    """The text of a file, unpacked, as it is read."""
    chunks = unpacked_chunks(export.path, export.where)
    reader = io.BufferedReader(_ChunkReader(chunks))
    decoder = codec("utf-8" if look.encoding == "ascii" else look.encoding, reader.peek(2)[:2])
    return io.TextIOWrapper(reader, encoding=decoder, errors="replace", newline="")


class _ChunkReader(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        part = self._rest[: len(buffer)]
        buffer[: len(part)] = part
        self._rest = self._rest[len(part) :]
        return len(part)


def _json_rows(lines: Iterable[str], columns: Sequence[str]) -> Iterator[Row]:
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            values = dict(flattened(row))
            yield tuple(_json_text(values.get(name)) for name in columns)


def _json_text(value: object) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parquet_rows(path: Path) -> list[Row]:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        found = con.execute(
            f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM read_parquet({literal(str(path))}) "
            f"USING SAMPLE reservoir({_MOST_ROWS} ROWS) REPEATABLE (1)"
        ).fetchall()
    return [tuple(cell if cell else None for cell in row) for row in found]


def parquet_types(path: Path) -> dict[str, str]:
    """DuckDB type of each column."""
    with duckdb.connect() as con:
        return {row[0]: row[1] for row in con.execute(f"DESCRIBE FROM read_parquet({literal(str(path))})").fetchall()}
