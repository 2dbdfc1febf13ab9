"""What is laid around the rows of a file before they are mapped: filled cells, looked-up columns, columns left out."""

from __future__ import annotations

from dataclasses import dataclass

from retention_pipeline.quoting import identifier, literal

LINE = "_ line"
"""The hidden column of a row's line, where the relation of a file has one."""

_NUMBER = "_ number"


@dataclass(frozen=True)
class Fill:
    """Cells that are blank in all but the first of several rows that belong together.

    Attributes:
        by: The column in which these rows are equal.
        columns: The columns to fill.
    """

    by: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Join:
    """A lookup: at most one row of `table` for each row.

    Attributes:
        table: A table with `key_0`, `key_1` ... of text.
        keys: For each of them the column whose value is looked up (one of the row, or of an earlier join), and SQL of
            that value as text, over `{cell}`.
        columns: The columns of `table` that are added, `<lookup>.<column>`.
    """

    table: str
    keys: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """What is laid around the rows.

    Attributes:
        fill: Cells to fill; None for none.
        joins: What is looked up, in order.
        empty: Columns that are added without a value.
    """

    fill: Fill | None = None
    joins: tuple[Join, ...] = ()
    empty: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names that are added."""
        return (*(name for join in self.joins for name in join.columns), *self.empty)

    def around(self, relation: str, *, has_lines: bool) -> str:
        """SQL of the same rows in the same order, filled and with the added columns.

        Args:
            relation: SQL of the rows, in the order of the file.
            has_lines: Whether it has the column `LINE`.
        """
        empty = "".join(f", NULL::VARCHAR AS {identifier(name)}" for name in self.empty)
        if self.fill is None and not self.joins:
            return f"(SELECT *{empty} FROM {relation})" if empty else relation
        order, number = identifier(LINE if has_lines else _NUMBER), ""
        if not has_lines:
            number = f"EXCLUDE ({order})"
            relation = f"(SELECT *, row_number() OVER () AS {order} FROM {relation})"
        if self.fill is not None:
            relation = _filled(relation, self.fill, order)
        tables = f"{relation} AS r"
        given = {name: f"j{place}.{identifier(name)}" for place, join in enumerate(self.joins) for name in join.columns}
        for place, join in enumerate(self.joins):
            equal = [
                f"j{place}.key_{number} = {text.format(cell=given.get(column, f'r.{identifier(column)}'))}"
                for number, (column, text) in enumerate(join.keys)
            ]
            tables += f" LEFT JOIN {join.table} AS j{place} ON {' AND '.join(equal)}"
        added = "".join(f", {sql} AS {identifier(name)}" for name, sql in given.items())
        return f"(SELECT r.* {number}{added}{empty} FROM {tables} ORDER BY r.{order})"


PLAIN = Frame()
"""Nothing is laid around the rows."""


def _filled(relation: str, fill: Fill, order: str) -> str:
    """SQL of the rows in which blank cells have the value of the first row of the same group."""
    by = identifier(fill.by)
    cells = []
    for name in map(identifier, fill.columns):
        blank = f"({name} IS NULL OR trim({name}::VARCHAR) = {literal('')}) AND {by} IS NOT NULL"
        cells.append(f"CASE WHEN {blank} THEN first_value({name}) OVER same ELSE {name} END AS {name}")
    return (
        f"(SELECT * REPLACE ({', '.join(cells)}) FROM {relation} "
        f"WINDOW same AS (PARTITION BY {by} ORDER BY {order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))"
    )
