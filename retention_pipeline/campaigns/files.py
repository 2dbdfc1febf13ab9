"""Files that are written whole, readable by their owner only, with the same bytes for the same rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duckdb import DuckDBPyConnection

from retention_pipeline.quoting import literal

OWNER_ONLY = 0o600


def write_parquet(con: DuckDBPyConnection, query: str, path: Path) -> None:
    """Write the rows of `query`, which gives them in a total order, to `path`."""
    with _one_thread(con):
        con.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)")
    seal(path)


def seal(path: Path) -> None:
    """Keep a finished file to its owner and see it on disk."""
    path.chmod(OWNER_ONLY)
    sync(path)


def sync(path: Path) -> None:
    """See a file or the names in a folder on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _one_thread(con: DuckDBPyConnection) -> Iterator[None]:
    """With several threads the borders of row groups depend on who was faster."""
    threads = con.execute("SELECT current_setting('threads')").fetchall()[0][0]
    con.execute("SET threads = 1")
    try:
        yield
    finally:
        con.execute(f"SET threads = {int(threads)}")
