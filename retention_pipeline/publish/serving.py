"""Publishes tables of the warehouse: built aside, checked, then put in place in one step."""

from __future__ import annotations

import os
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
    begin_table,
    building,
    check_database,
    copy_part,
    drop_others,
    is_half_empty,
    part_condition,
    remove_part,
    source_columns,
    source_parts,
    write_publication,
)
from retention_pipeline.publish.parquet import write_parquet
from retention_pipeline.publish.parts import FILE, PublishedParts, earlier_parts, write_parts
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
    build, current = start_build(paths), current_version(paths)
    previous = paths.serving_versions / current.name if current else None
    try:
        published = _build(warehouse, build, previous, as_of, tables)
        if not published and tables:
            published = _build(warehouse, start_build(paths), None, as_of, tables)
        digest = _digest(as_of, tables, published)
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


def _build(
    warehouse: Path, build: Path, previous: Path | None, as_of: date, tables: Sequence[PublishedTable]
) -> list[PublishedRows]:
    """Fill the folder `build` with the database and the Parquet files, from what is there of them in `previous`."""
    database = build / DATABASE_FILE
    known = earlier_parts(previous) if previous else {}
    if known and previous:
        shutil.copyfile(previous / DATABASE_FILE, database)
    written: dict[str, str] = {}
    with building(warehouse, database) as con:
        if known and is_half_empty(con):
            return []
        drop_others(con, [PUBLICATION, *(table.name for table in tables)])
        found = {table.name: _table(con, table, build, previous, known.get(table.name), written) for table in tables}
        published = [
            PublishedRows(name, sum(part.rows for part in parts.parts.values()), parts.content_hash)
            for name, parts in found.items()
        ]
        write_publication(
            con,
            [
                (as_of, table.name, table.description, rows.rows, rows.content_hash)
                for table, rows in zip(tables, published, strict=True)
            ],
        )
        write_parquet(con, SERVING, PUBLICATION, build / PARQUET_FOLDER / f"{PUBLICATION}.parquet")
    write_parts(build / FILE, found)
    shutil.rmtree(build / "spill", ignore_errors=True)
    report_progress("checking")
    rows = {PUBLICATION: len(published), **{table.name: table.rows for table in published}}
    check_database(database, rows, {PUBLICATION: "true", **written})
    return published


def _table(
    con: duckdb.DuckDBPyConnection,
    table: PublishedTable,
    build: Path,
    previous: Path | None,
    known: PublishedParts | None,
    written: dict[str, str],
) -> PublishedParts:
    """Bring a table of the database and its Parquet files up to date, part by part; notes what was written."""
    report_progress(table.name)
    columns, parts = source_columns(con, table), source_parts(con, table)
    shape = PublishedParts.shape_of(table, columns)
    before = known.parts if known and known.shape == shape else {}
    unchanged = {name for name, part in parts.items() if before.get(name) == part}
    if not before or (not unchanged and parts):
        begin_table(con, table, columns)
        before, unchanged = {}, set()
    for name in before.keys() - parts.keys():
        remove_part(con, table, name)
    hashes: dict[str, str] = {}
    conditions: list[str] = []
    for name, part in parts.items():
        path = parquet_path(build / PARQUET_FOLDER, table, name)
        path.parent.mkdir(exist_ok=True)
        if name in unchanged and known and previous:
            os.link(parquet_path(previous / PARQUET_FOLDER, table, name), path)
            hashes[name] = known.hashes[name]
            continue
        order = copy_part(con, table, name, part, columns)
        where = part_condition(table, name)
        conditions.append(f"({where})")
        chosen = {"where": where, "order": order} if table.by_month_of else {}
        hashes[name] = write_parquet(con, SERVING, table.name, path, **chosen)
    if conditions:
        written[table.name] = " OR ".join(conditions)
    return PublishedParts(shape, parts, hashes)


def parquet_path(folder: Path, table: PublishedTable, part: str) -> Path:
    """The Parquet file of a part of a table."""
    return folder / table.name / f"{part}.parquet" if table.by_month_of else folder / f"{table.name}.parquet"


def _digest(as_of: date, tables: Sequence[PublishedTable], published: Sequence[PublishedRows]) -> str:
    """A hash of everything that a reader can see: the day, the rows, and how they are described."""
    digest = sha256(f"{as_of.isoformat()}\n{PUBLICATION_DESCRIPTION}\n".encode())
    for table, found in zip(tables, published, strict=True):
        described = sorted(table.column_descriptions.items())
        digest.update(repr((table.name, table.description, described, found.rows, found.content_hash)).encode())
    return digest.hexdigest()
