"""Publishes tables of the warehouse: built aside, checked, then put in place in one step."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

import duckdb

from retention_pipeline.errors import RetentionError
from retention_pipeline.progress import report_progress
from retention_pipeline.publish.database import (
    PUBLICATION,
    PUBLICATION_DESCRIPTION,
    SERVING,
    building,
    check_database,
    copy_table,
    write_publication,
)
from retention_pipeline.publish.parquet import write_parquet
from retention_pipeline.publish.tables import PublishedTable
from retention_pipeline.publish.versions import (
    DATABASE_FILE,
    PARQUET_FOLDER,
    clear_leftovers,
    commit,
    current_version,
    link_current,
    published_day,
    remove_old,
    should_publish,
    start_build,
)
from retention_pipeline.settings import StatePaths

__all__ = ["Publication", "PublishedRows", "PublishedTable", "publish", "published_day", "should_publish"]


@dataclass(frozen=True)
class PublishedRows:
    """A table as it was published."""

    name: str
    rows: int
    content_hash: str


@dataclass(frozen=True)
class Publication:
    """What people see after a publication.

    Attributes:
        as_of: The day.
        version: The folder under `serving/`.
        changed: False where the same content was there already and nothing was touched.
        tables: What was published, by name; `publication`, which lists them, is not among them.
    """

    as_of: date
    version: str
    changed: bool
    tables: tuple[PublishedRows, ...]


def publish(warehouse: Path, paths: StatePaths, as_of: date, tables: Sequence[PublishedTable]) -> Publication:
    """Publish `tables` as the state of `as_of`; whoever reads meanwhile sees the old or the new, never a mixture.

    The caller holds the run lock, and asks `should_publish` first: an older day must not replace a newer one.

    Args:
        warehouse: The database to read; opened read-only.
        paths: Where the serving database and the Parquet files of the business lie.
        as_of: The day that the tables show.
        tables: What to publish; the names are unique.

    Raises:
        RetentionError: A table is missing or holds personal data, the warehouse is locked, the disk is full. What was
            published before is still in place.
    """
    ordered = sorted(tables, key=lambda table: table.name)
    names = [table.name for table in ordered]
    if len(set(names)) != len(names) or PUBLICATION in names:
        raise ValueError(f"names of published tables are unique, and {PUBLICATION} is taken: {names}")
    try:
        return _publish(warehouse, paths, as_of, ordered)
    except (duckdb.Error, OSError) as error:
        raise RetentionError(
            f"publishing failed: {str(error).splitlines()[0]}",
            where=paths.serving.name,
            expected="room for another copy of the published tables, and a state folder that can be written",
            way_out="free some space or mend the folder, then run the day again; what was published before is in place",
        ) from error


def _publish(warehouse: Path, paths: StatePaths, as_of: date, tables: Sequence[PublishedTable]) -> Publication:
    build = start_build(paths)
    try:
        published = _build(warehouse, build, as_of, tables)
        digest = _digest(as_of, tables, published)
        current = current_version(paths)
        report_progress("putting it in place")
        if current is not None and (current.as_of, current.digest) == (as_of, digest[:12]):
            link_current(paths)
            version, changed = current, False
        else:
            version, changed = commit(paths, build, as_of, digest), True
    finally:
        clear_leftovers(paths)
    remove_old(paths)
    return Publication(as_of, version.name, changed, tuple(published))


def _build(warehouse: Path, build: Path, as_of: date, tables: Sequence[PublishedTable]) -> list[PublishedRows]:
    """Fill the folder `build` with the database and the Parquet files."""
    database, folder = build / DATABASE_FILE, build / PARQUET_FOLDER
    published: list[PublishedRows] = []
    with building(warehouse, database) as con:
        for table in tables:
            report_progress(table.name)
            rows = copy_table(con, table)
            digest = write_parquet(con, SERVING, table.name, folder / f"{table.name}.parquet")
            published.append(PublishedRows(table.name, rows, digest))
        write_publication(
            con,
            [
                (as_of, table.name, table.description, found.rows, found.content_hash)
                for table, found in zip(tables, published, strict=True)
            ],
        )
        write_parquet(con, SERVING, PUBLICATION, folder / f"{PUBLICATION}.parquet")
    shutil.rmtree(build / "spill", ignore_errors=True)
    report_progress("checking")
    check_database(database, {PUBLICATION: len(published), **{found.name: found.rows for found in published}})
    return published


def _digest(as_of: date, tables: Sequence[PublishedTable], published: Sequence[PublishedRows]) -> str:
    """A hash of everything that a reader can see: the day, the rows, and how they are described."""
    digest = sha256(f"{as_of.isoformat()}\n{PUBLICATION_DESCRIPTION}\n".encode())
    for table, found in zip(tables, published, strict=True):
        described = sorted(table.column_descriptions.items())
        digest.update(repr((table.name, table.description, described, found.rows, found.content_hash)).encode())
    return digest.hexdigest()
