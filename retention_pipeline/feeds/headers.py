"""Holds a mapping against the columns that a file has."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.contracts import Contract
from retention_pipeline.feeds.expressions import parse_expression
from retention_pipeline.feeds.mapping import MappedFile, mapped_sql
from retention_pipeline.feeds.refusing import FileRefusedError, listed, misfit, nearest
from retention_pipeline.feeds.sources import Source, delimiter
from retention_pipeline.workspace.schema import Expression, FileMapping


def used_columns(mapping: FileMapping) -> tuple[list[str], list[str]]:
    """The columns of the source row that a mapping uses: those named exactly, and those in SQL, which ignores case."""
    exact = [value for value in mapping.columns.values() if isinstance(value, str)]
    if mapping.fill_down is not None:
        exact += [mapping.fill_down.by, *mapping.fill_down.columns]
    exact += [name for lookup in mapping.lookups.values() for name in lookup.equals]
    expressions = [value for value in mapping.columns.values() if isinstance(value, Expression)]
    if mapping.skip is not None:
        expressions.append(mapping.skip)
    in_sql = [name for value in expressions for name in parse_expression(value.sql).columns]
    return list(dict.fromkeys(exact)), list(dict.fromkeys(in_sql))


def check_columns(source: Source, mapping: FileMapping, contract: Contract) -> None:
    """Hold the mapping against the columns that the file has, with those that are laid beside them.

    Where each row names its own columns (JSON lines) a value may be absent from a whole file: only what the contract
    requires must be there.

    Raises:
        FileRefusedError: A mapped column is not there, or there twice.
    """
    exact, in_sql = used_columns(mapping)
    known = (*source.columns, *source.beyond, *source.frame.columns)
    folded = {name.casefold() for name in known}
    missing = [name for name in exact if name not in known]
    missing += [name for name in in_sql if name.casefold() not in folded]
    if not source.needs_columns:
        missing += _absent(source, mapping, contract)
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


def check_expressions(con: DuckDBPyConnection, file: MappedFile, source: Source) -> None:
    """Hold the expressions of a mapping against the types of the columns, without reading a row.

    Raises:
        FileRefusedError: One does not fit.
    """
    try:
        con.execute(f"DESCRIBE {mapped_sql(file, source.enriched, guarded=False)}")
    except duckdb.BinderException as error:
        raise misfit(error, source.where) from None


def _absent(source: Source, mapping: FileMapping, contract: Contract) -> Iterator[str]:
    """What required columns are mapped from, where no row of the file has any of it."""
    if not source.columns:
        return
    for name in contract.required:
        value = mapping.columns.get(name)
        used = parse_expression(value.sql).columns if isinstance(value, Expression) else (value,) if value else ()
        outer = [column for column in used if column not in source.frame.columns]
        if outer and not any(column in source.columns or column.split(".")[0] in source.columns for column in outer):
            yield from outer


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
