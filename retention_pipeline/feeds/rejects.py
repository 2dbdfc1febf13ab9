"""Rows of a text file that are no rows: too few or too many cells, a quotation mark that does not close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.lines import lines_at
from retention_pipeline.feeds.refusing import FileRefusedError
from retention_pipeline.feeds.sources import REJECTS, Source

CELL_COUNT, QUOTE, LINE_SIZE = "cell_count", "quote", "line_size"
_RULES = {
    "MISSING COLUMNS": CELL_COUNT,
    "TOO MANY COLUMNS": CELL_COUNT,
    "UNQUOTED VALUE": QUOTE,
    "LINE SIZE OVER MAXIMUM": LINE_SIZE,
}
_MOST = 500_000


@dataclass(frozen=True)
class Reject:
    """A rejected row.

    Attributes:
        line: The line on which it begins.
        height: Lines that it takes.
        rule: What is wrong with it.
        text: Its text.
    """

    line: int
    height: int
    rule: str
    text: str

    @property
    def swallows(self) -> bool:
        """Whether a quotation mark that never closes took later lines with it."""
        return self.rule == QUOTE and self.height > 1


def read_rejects(con: DuckDBPyConnection, source: Source) -> list[Reject]:
    """The rows that DuckDB rejected while it read the source, in the order of the file.

    Raises:
        FileRefusedError: There are too many of them.
    """
    if not source.is_text:
        return list(source.rejects)
    found = con.execute(
        "SELECT line_byte_position - 1, "
        # A line that is too long has no column.
        "coalesce(min_by(error_type::VARCHAR, column_idx), any_value(error_type::VARCHAR)), "
        f"any_value(csv_line) FROM {REJECTS} "
        f"GROUP BY line_byte_position ORDER BY line_byte_position LIMIT {_MOST + 1}"
    ).fetchall()
    if not found:
        return []
    if len(found) > _MOST:
        raise FileRefusedError(
            f"more than {_MOST} of its lines are no rows",
            where=source.where,
            expected=f"lines of {len(source.columns)} cells, as in the header",
            way_out="set `delimiter` of this mapping in retention.yaml, or export the file again",
        )
    lines = lines_at(source.content(), [offset for offset, _, _ in found], source.newline)
    rejects = []
    for line, (_, error, text) in zip(lines, found, strict=True):
        first = line + _leading_lines(text, source.newline)
        body = text.strip("\r\n")
        rejects.append(Reject(first, 1 + body.count(source.newline.decode()), _RULES.get(error, CELL_COUNT), body))
    return rejects


def _leading_lines(text: str, newline: bytes) -> int:
    """Line ends before the row: DuckDB counts empty lines, and the end of the line before, as the row's own."""
    lead = text[: len(text) - len(text.lstrip("\r\n"))]
    return lead.count(newline.decode())


def first_swallowing(rejects: Sequence[Reject]) -> Reject | None:
    """The first row that took later lines with it."""
    return next((reject for reject in rejects if reject.swallows), None)
