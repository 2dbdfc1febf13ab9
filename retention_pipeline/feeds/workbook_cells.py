"""Writes the cells of a sheet as text; run as a process of its own by `workbooks`, with a limit of memory.

It says on standard output what came of it: the names of the columns, or the sheets that there are, or that the sheet is
empty, or the kind of the failure.
"""

from __future__ import annotations

import csv
import json
import resource
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

MOST_MEMORY = 3 << 30
"""Bytes of memory that reading a workbook may take."""

_WHOLE_LIMIT = 1e15


def main(order: str) -> None:
    """Do what `order` says: the path, sheet and missing texts of a workbook and where its cells go, as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    wanted = json.loads(order)
    sys.stdout.write(
        json.dumps(write_cells(Path(wanted["path"]), wanted["sheet"], wanted["missing"], wanted["target"]))
    )


def write_cells(path: Path, sheet: str | None, missing: Sequence[str], target: str) -> dict[str, object]:
    """Write what follows the header to `target`, as CSV without a header.

    Args:
        path: The workbook.
        sheet: The sheet's name; None for the first.
        missing: Texts that become empty cells.
        target: Where the cells go, each row behind its number in the sheet.

    Returns:
        `names`, or `sheets` where there is no such sheet, or nothing for an empty sheet, or `failed`.
    """
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

    try:
        with CalamineWorkbook.from_path(path) as workbook:
            sheets = [found.name for found in workbook.sheets_metadata if found.typ == SheetTypeEnum.WorkSheet]
            name = sheet if sheet is not None else next(iter(sheets), "")
            if name not in sheets:
                return {"sheets": sheets}
            rows = enumerate(workbook.get_sheet_by_name(name).iter_rows(), start=1)
            names = _header(rows)
            if not names:
                return {}
            _write_rows(rows, len(names), frozenset(missing), Path(target))
            return {"names": names}
    except CalamineError as error:
        return {"failed": type(error).__name__}


def _header(rows: Iterator[tuple[int, Sequence[object]]]) -> list[str]:
    """The cells of the first row that holds any, without what is empty at its end; empty where there is none."""
    for _, cells in rows:
        names = [cell_text(cell).strip() for cell in cells]
        while names and not names[-1]:
            names.pop()
        if names:
            return names
    return []


def _write_rows(
    rows: Iterator[tuple[int, Sequence[object]]], width: int, missing: frozenset[str], target: Path
) -> None:
    """Write what follows the header, each row with its number in the sheet; rows without a cell are left out."""
    with target.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for number, cells in rows:
            texts = [cell_text(cell) for cell in cells[:width]]
            if any(texts):
                kept = ("" if text in missing else text for text in texts)
                writer.writerow((number, *kept, *[""] * (width - len(texts))))


def cell_text(cell: object) -> str:
    """A cell as text: ISO dates and times, whole numbers without a fraction, other numbers as a sheet shows them."""
    if isinstance(cell, str):
        return cell.replace("\x00", "")
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return _number_text(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return _duration_text(cell)
    return str(cell)


def _number_text(number: float) -> str:
    if number.is_integer() and abs(number) < _WHOLE_LIMIT:
        return str(int(number))
    # A sheet keeps 15 digits: 0.1 + 0.2 is shown, and meant, as 0.3.
    return format(number, ".15g")


def _duration_text(duration: timedelta) -> str:
    seconds = round(duration.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


if __name__ == "__main__":
    main(sys.argv[1])
