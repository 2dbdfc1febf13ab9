"""Queries in which an expression of a mapping may fail on a row without failing the query."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from duckdb import DuckDBPyConnection

_LIFTING = "common_subexpressions"


@contextmanager
def guarded_expressions(con: DuckDBPyConnection) -> Iterator[None]:
    """Keep `TRY` whole while the block runs.

    DuckDB computes what occurs twice once and before the rest, and so takes a cast that fails out of its `TRY`.
    """
    before = str(con.execute("SELECT current_setting('disabled_optimizers')").fetchall()[0][0])
    disabled = [name for name in before.split(",") if name]
    con.execute(f"SET disabled_optimizers = '{','.join([*disabled, _LIFTING])}'")
    try:
        yield
    finally:
        con.execute(f"SET disabled_optimizers = '{before}'")
