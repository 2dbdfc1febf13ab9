"""The sheets of a workbook: their headers and rows, read as a run reads them."""

from __future__ import annotations

import html
import re
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from retention_pipeline.feeds.frames import LINE
from retention_pipeline.feeds.refusing import FileRefusedError
from retention_pipeline.feeds.sources import Source
from retention_pipeline.feeds.workbooks import open_workbook
from retention_pipeline.quoting import identifier
from retention_pipeline.workspace.schema import FileMapping

_LONGEST_INDEX = 1 << 20
_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*?\bname=\"([^\"]*)\"")
_MOST_SHEETS = 20


def sheet_headers(path: Path, where: str) -> list[tuple[str, tuple[str, ...]]]:
    """Name and header of every sheet that holds a table.

    Raises:
        FileRefusedError: The workbook, or its first sheet, cannot be read.
    """
    found = []
    for number, name in enumerate(_sheet_names(path)[:_MOST_SHEETS]):
        try:
            with _opened(path, where, name if number else None) as source:
                found.append((name, source.columns))
        except FileRefusedError:
            if number == 0 and not _sheet_names(path)[1:]:
                raise
            # An empty sheet, or a chart.
            found.append((name, ()))
    return found


def sheet_rows(path: Path, where: str, sheet: str | None, limit: int) -> list[tuple[str | None, ...]]:
    """The first rows below the header of a sheet."""
    with _opened(path, where, sheet) as source, duckdb.connect() as con:
        return con.execute(f"SELECT * EXCLUDE ({identifier(LINE)}) FROM {source.relation} LIMIT {limit}").fetchall()


@contextmanager
def _opened(path: Path, where: str, sheet: str | None) -> Iterator[Source]:
    mapping = FileMapping(files="*", format="xlsx", sheet=sheet, columns={})
    with tempfile.TemporaryDirectory(prefix="retention-init-") as scratch:
        yield open_workbook(path, where, mapping, Path(scratch))


def _sheet_names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive, archive.open("xl/workbook.xml") as index:
        text = index.read(_LONGEST_INDEX).decode("utf-8", errors="replace")
    return [html.unescape(name) for name in _SHEET.findall(text)]
