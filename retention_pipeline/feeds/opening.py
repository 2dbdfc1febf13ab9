"""Opens an export: looks at the whole file once and says how it is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.expressions import define_functions
from retention_pipeline.feeds.frames import Fill, Frame
from retention_pipeline.feeds.headers import used_columns
from retention_pipeline.feeds.jsonlines import open_json_lines
from retention_pipeline.feeds.lookups import open_lookups
from retention_pipeline.feeds.sources import Source, open_parquet, open_text
from retention_pipeline.feeds.workbooks import open_workbook
from retention_pipeline.workspace.schema import Expression, FileMapping


def open_source(con: DuckDBPyConnection, path: Path, where: str, mapping: FileMapping, scratch: Path) -> Source:
    """Look at the whole file once, and at those that it looks values up in.

    Args:
        con: Any connection, outside a transaction.
        path: The export.
        where: Its path as messages name it.
        mapping: The section of `retention.yaml`.
        scratch: Folder for the text of files in another encoding.

    Raises:
        FileRefusedError: It is not the declared format, is truncated, is not in the declared encoding, or a file that
            belongs to it is missing.
    """
    if any("minor_units" in text.lower() for text in _expressions(mapping)):
        define_functions(con)
    source = open_rows(con, path, where, mapping, scratch)
    present = {name.casefold() for name in (*source.columns, *source.beyond)}
    lacking = [name for name in mapping.optional if _is_column(name, mapping) and name.casefold() not in present]
    joins, absent = open_lookups(con, path, where, mapping, source, lacking, scratch, open_rows)
    return replace(source, frame=Frame(_fill(mapping, lacking), joins, absent))


def _expressions(mapping: FileMapping) -> Iterator[str]:
    """The SQL that the mapping holds, anywhere."""
    conditions = (mapping.skip, *(lookup.where for lookup in mapping.lookups.values()))
    for value in (*mapping.columns.values(), *conditions):
        if isinstance(value, Expression):
            yield value.sql


def _fill(mapping: FileMapping, lacking: Collection[str]) -> Fill | None:
    """The cells to fill, without columns that the file lacks and may lack."""
    if mapping.fill_down is None or mapping.fill_down.by in lacking:
        return None
    columns = tuple(name for name in mapping.fill_down.columns if name not in lacking)
    return Fill(mapping.fill_down.by, columns) if columns else None


def open_rows(con: DuckDBPyConnection, path: Path, where: str, mapping: FileMapping, scratch: Path) -> Source:
    """The file by itself, as its format says.

    Raises:
        FileRefusedError: As in `open_source`.
    """
    if mapping.format == "parquet":
        return open_parquet(con, path, where, mapping.missing)
    if mapping.format == "jsonl":
        exact, in_sql = used_columns(mapping)
        names = [name for name in (*exact, *in_sql) if _is_column(name, mapping)]
        return open_json_lines(con, path, where, mapping, names, scratch)
    if mapping.format == "xlsx":
        return open_workbook(path, where, mapping, scratch)
    return open_text(path, where, mapping, scratch)


def _is_column(name: str, mapping: FileMapping) -> bool:
    """Whether the name is one of the row itself, not of a lookup."""
    return name.split(".", 1)[0] not in mapping.lookups or "." not in name
