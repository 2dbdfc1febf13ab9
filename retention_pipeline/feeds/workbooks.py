"""Excel workbooks: one sheet, its cells written out as text."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from retention_pipeline.feeds import workbook_cells
from retention_pipeline.feeds.bytestreams import found_format
from retention_pipeline.feeds.frames import LINE
from retention_pipeline.feeds.refusing import FileRefusedError, listed, nearest
from retention_pipeline.feeds.sources import Source, unique_names
from retention_pipeline.quoting import literal
from retention_pipeline.workspace.schema import FileMapping

MOST_BYTES = 1 << 30
"""A workbook that is larger than this when unpacked is refused."""

MOST_CELLS = 20_000_000
"""A sheet whose outermost cells span more than this is refused: it would be laid out whole in memory."""

_ZIP, _PROTECTED = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ARCHIVE_ERRORS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)
_CHUNK = 1 << 20
_OVERLAP = 64
_REFERENCE = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{0,8})([0-9]{1,20})[\"']")


def open_workbook(path: Path, where: str, mapping: FileMapping, scratch: Path) -> Source:
    """A sheet of an xlsx file; its first row that is not empty is the header.

    Of formulas the value counts that was computed last; cells with an error are missing, and so are all but the first
    of merged cells.

    Args:
        path: The export.
        where: Its path as messages name it.
        mapping: The section of `retention.yaml`.
        scratch: Folder for the cells as text.

    Raises:
        FileRefusedError: It is no workbook, is damaged, protected or too large, or has no such sheet or no header.
    """
    check_archive(path, where)
    target = scratch / "sheet.csv"
    names = _write_cells(path, where, mapping, target)
    columns, repeated = unique_names(names)
    return Source(target, where, columns, repeated, _relation(target, columns), line_column=LINE)


def check_archive(path: Path, where: str) -> None:
    """Unpack the archive once without keeping it: what lies in it may be far larger than the file.

    Raises:
        FileRefusedError: It is no whole xlsx archive, or too large.
    """
    with path.open("rb") as handle:
        head = handle.read(8)
    if head == _PROTECTED:
        raise FileRefusedError(
            "is protected by a password, or is in the format of Excel before 2007",
            where=where,
            expected="an xlsx workbook that opens without a password",
            way_out="save it as .xlsx without a password",
        )
    if not head.startswith(_ZIP):
        raise FileRefusedError(
            "is not what `format` says",
            where=where,
            expected="an xlsx workbook",
            found=found_format(path) or ("other data" if head else "an empty file"),
            way_out="set `format` in retention.yaml to what the file is",
        )
    try:
        with zipfile.ZipFile(path) as archive:
            # What the archive says of itself comes first, and then the truth.
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise _too_many_bytes(where)
            unpacked = 0
            for member in archive.infolist():
                unpacked = _unpack(archive, member, unpacked, where)
    except _ARCHIVE_ERRORS:
        raise _damaged(where, "an archive that is damaged or ends too early") from None


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, before: int, where: str) -> int:
    """Unpack a part to nowhere; returns the bytes so far. A part that is longer than it says fails its checksum.

    Raises:
        FileRefusedError: Too many bytes, or a sheet that spans too many cells.
    """
    is_sheet, rows, columns, rest = "worksheets/" in member.filename, 0, 0, b""
    with archive.open(member) as part:
        while chunk := part.read(_CHUNK):
            before += len(chunk)
            if before > MOST_BYTES:
                raise _too_many_bytes(where)
            if not is_sheet:
                continue
            for letters, digits in _REFERENCE.findall(rest + chunk):
                rows, columns = max(rows, int(digits)), max(columns, _column(letters))
            if rows * max(columns, 1) > MOST_CELLS:
                raise _too_large(where, f"{MOST_CELLS:,} cells in a sheet", f"a sheet of {rows:,} by {columns:,} cells")
            rest = chunk[-_OVERLAP:]
    return before


def _column(letters: bytes) -> int:
    number = 0
    for code in letters.upper():
        number = number * 26 + code - 64
    return number


def _too_many_bytes(where: str) -> FileRefusedError:
    return _too_large(where, f"{MOST_BYTES >> 20} MiB when unpacked", "more than that")


def _too_large(where: str, expected: str, found: str) -> FileRefusedError:
    return FileRefusedError(
        "is too large for a workbook",
        where=where,
        expected=f"at most {expected}",
        found=found,
        way_out="export it as CSV or Parquet, or in several files",
    )


def _damaged(where: str, found: str) -> FileRefusedError:
    return FileRefusedError(
        "cannot be read as xlsx",
        where=where,
        expected="a whole xlsx workbook",
        found=found,
        way_out="copy the file again, or save it as .xlsx again",
    )


def _write_cells(path: Path, where: str, mapping: FileMapping, target: Path) -> list[str]:
    """Write the cells as text, in a process of its own: what makes the library fall costs no more than the file.

    Returns:
        The names of the columns.

    Raises:
        FileRefusedError: The workbook cannot be read, or has no such sheet or no header.
    """
    order = {"path": str(path), "sheet": mapping.sheet, "missing": mapping.missing, "target": str(target)}
    done = subprocess.run(  # noqa: S603 -- this interpreter, and a module of this package
        [sys.executable, "-I", str(workbook_cells.__file__), json.dumps(order)], capture_output=True, check=False
    )
    if done.returncode:
        raise _damaged(where, "a workbook that cannot be read, or needs too much memory")
    found = json.loads(done.stdout)
    if "names" in found:
        names: list[str] = found["names"]
        return names
    if "sheets" in found:
        raise _no_sheet(where, mapping.sheet, found["sheets"])
    if "failed" in found:
        raise _damaged(where, f"a workbook that cannot be read ({found['failed']})")
    raise FileRefusedError(
        "the sheet is empty",
        where=where,
        expected="a row with the names of the columns",
        way_out="set `sheet` in retention.yaml to the one that holds the data",
    )


def _no_sheet(where: str, sheet: str | None, names: list[str]) -> FileRefusedError:
    near = nearest(sheet or "", names)
    return FileRefusedError(
        f"has no sheet {sheet!r}" if sheet else "has no sheet",
        where=where,
        expected=f"a sheet {sheet!r}" if sheet else "a sheet",
        found=f"sheets {listed(names)}",
        way_out=f"set `sheet: {near}` of this mapping in retention.yaml" if near else "set `sheet` in retention.yaml",
    )


def _relation(path: Path, columns: Sequence[str]) -> str:
    """SQL of the rows: an empty cell is a missing one, whatever else is declared so."""
    types = ", ".join([f"{literal(LINE)}: 'BIGINT'", *(f"{literal(name)}: 'VARCHAR'" for name in columns)])
    return (
        f"read_csv({literal(str(path))}, auto_detect = false, header = false, delim = ',', quote = '\"', "
        f"escape = '\"', columns = {{{types}}}, nullstr = [''], new_line = '\\n')"
    )
