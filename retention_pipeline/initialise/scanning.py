"""Looks at every file below a folder, each by itself: what can be read as a table, and why the others cannot."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from retention_pipeline.feeds.files import UNFINISHED
from retention_pipeline.feeds.refusing import FileRefusedError
from retention_pipeline.initialise.sniffing import Look, UnreadableError, binary_format, look_at_text
from retention_pipeline.quoting import literal
from retention_pipeline.workspace.loading import CONFIG_NAME

_NO_EXPORTS = (
    ".md", ".rst", ".html", ".htm", ".pdf", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".docx", ".pptx", ".yaml", ".yml",
    ".toml", ".py", ".sql", ".sh", ".ini", ".cfg", ".lock", ".log", ".duckdb",
)  # fmt: skip
"""Endings of what lies beside exports and is none: said nothing about."""


@dataclass(frozen=True)
class Export:
    """A file, or a sheet of a workbook, that can be read as a table.

    Attributes:
        path: The file.
        where: Its path below the folder, with slashes.
        look: How it is read.
        sheet: The sheet; None for the first one and for other formats.
    """

    path: Path
    where: str
    look: Look
    sheet: str | None = None


@dataclass(frozen=True)
class Unreadable:
    """A file that cannot be read, and why; the reason never holds the content of a cell."""

    where: str
    reason: str


@dataclass(frozen=True)
class Scan:
    """What lies in a folder.

    Attributes:
        exports: What can be read, by name.
        unreadable: What cannot.
        names: Paths of all finished files below the folder, also of those that are no exports.
    """

    exports: tuple[Export, ...]
    unreadable: tuple[Unreadable, ...]
    names: tuple[str, ...]


def scan_folder(folder: Path, on_progress: Callable[[str], None]) -> Scan:
    """Look at all files below `folder`; links that lead out of it are not followed."""
    exports: list[Export] = []
    unreadable: list[Unreadable] = []
    names: list[str] = []
    for path in files_below(folder):
        where = path.relative_to(folder).as_posix()
        names.append(where)
        if path.suffix.lower() in _NO_EXPORTS or path.stem.upper() in ("LICENSE", "LICENCE", "README", "NOTICE"):
            continue
        on_progress(where)
        try:
            exports += _look_at(path, where)
        except UnreadableError as error:
            unreadable.append(Unreadable(where, str(error)))
        except FileRefusedError as error:
            unreadable.append(Unreadable(where, error.what))
        except OSError:
            unreadable.append(Unreadable(where, "cannot be opened"))
    return Scan(tuple(exports), tuple(unreadable), tuple(names))


def files_below(folder: Path) -> Iterator[Path]:
    """The finished files below a folder, by name; hidden ones, those being written and retention.yaml left out."""
    root = folder.resolve()
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(place) / name
            if name.startswith((".", "~$")) or name.endswith(UNFINISHED):
                continue
            if path == folder / CONFIG_NAME or not path.is_file() or not path.resolve().is_relative_to(root):
                continue
            found.append(path)
    yield from sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def _look_at(path: Path, where: str) -> list[Export]:
    kind = binary_format(path)
    if kind == "parquet":
        return [Export(path, where, Look("parquet", header=_parquet_header(path)))]
    if kind == "xlsx":
        return _sheets(path, where)
    return [Export(path, where, look_at_text(path, where))]


def _parquet_header(path: Path) -> tuple[str, ...]:
    try:
        with duckdb.connect() as con:
            rows = con.execute(f"DESCRIBE FROM read_parquet({literal(str(path))})").fetchall()
    except duckdb.Error:
        raise UnreadableError("is a Parquet file that is damaged or ends too early") from None
    return tuple(row[0] for row in rows)


def _sheets(path: Path, where: str) -> list[Export]:
    """The sheets of a workbook that hold a table."""
    from retention_pipeline.initialise.workbooks import sheet_headers

    found = []
    for number, (name, header) in enumerate(sheet_headers(path, where)):
        if len([cell for cell in header if cell.strip()]) >= 2:
            found.append(Export(path, where, Look("xlsx", header=header), None if number == 0 else name))
    if not found:
        raise UnreadableError("is a workbook without a table whose first row holds the names of the columns")
    return found
