"""Other files of the same export in which values are looked up: read whole, one row for each key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import duckdb
from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.casting import text_sql
from retention_pipeline.feeds.expressions import parse_expression
from retention_pipeline.feeds.files import matching_files
from retention_pipeline.feeds.frames import Join
from retention_pipeline.feeds.guarding import guarded_expressions
from retention_pipeline.feeds.headers import used_columns
from retention_pipeline.feeds.refusing import FileRefusedError, listed, nearest, unreadable
from retention_pipeline.feeds.rejects import read_rejects
from retention_pipeline.feeds.sources import Source, drop_rejects
from retention_pipeline.quoting import identifier
from retention_pipeline.workspace.schema import FileMapping, Lookup

OpenRows = Callable[[DuckDBPyConnection, Path, str, FileMapping, Path], Source]

LOOKUP_TABLE = "looked_up_"
"""How the temporary tables begin that hold the rows of lookups."""

_AGE, _PART, _ROW = '"_ age"', '"_ part"', '"_ row"'


@dataclass(frozen=True)
class _Needed:
    """A lookup with the columns that are used of it: name beside the row → column of its files."""

    name: str
    lookup: Lookup
    columns: Mapping[str, str]


def lookup_files(path: Path, lookup: Lookup) -> list[Path]:
    """The files of a lookup that belong to the export `path`, by name."""
    return matching_files(path.parent, lookup.files)


def open_lookups(
    con: DuckDBPyConnection,
    path: Path,
    where: str,
    mapping: FileMapping,
    source: Source,
    lacking: Sequence[str],
    scratch: Path,
    open_rows: OpenRows,
) -> tuple[tuple[Join, ...], tuple[str, ...]]:
    """Read the lookups of a file into temporary tables.

    Args:
        con: Where the tables are made.
        path: The export.
        where: Its path as messages name it.
        mapping: Its mapping.
        source: How it is read.
        lacking: Columns that it lacks and may lack.
        scratch: Folder for rewritten texts.
        open_rows: Opens one file.

    Returns:
        The joins in order, and the names of all columns, looked-up ones too, that may be absent and are.

    Raises:
        FileRefusedError: A file or a column is missing, or a row of a lookup is none.
    """
    joins: list[Join] = []
    absent = list(lacking)
    types: dict[str, str] = dict(source.types)
    for number, needed in enumerate(_needed(mapping)):
        files = lookup_files(path, needed.lookup)
        if not files and needed.lookup.optional:
            absent += needed.columns
            continue
        if not files:
            raise _no_file(needed, where)
        base = PurePosixPath(where).parent
        named = [(file, (base / file.relative_to(path.parent).as_posix()).as_posix()) for file in files]
        table = f"{LOOKUP_TABLE}{number}"
        found = _read(con, table, needed, mapping, named, scratch / f"lookup_{number}", open_rows)
        absent += [name for name in needed.columns if name not in found]
        types.update(found)
        equals = needed.lookup.equals
        if not set(equals).isdisjoint(absent):
            absent += found
            continue
        keys = tuple((column, text_sql("{cell}", types.get(column, "VARCHAR"))) for column in equals)
        joins.append(Join(table, keys, tuple(found)))
    return tuple(joins), tuple(dict.fromkeys(absent))


def drop_lookups(con: DuckDBPyConnection) -> None:
    """Forget the lookups of the last file."""
    tables = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE temporary AND starts_with(table_name, ?)", [LOOKUP_TABLE]
    ).fetchall()
    for (name,) in tables:
        con.execute(f"DROP TABLE temp.{identifier(name)}")


def _needed(mapping: FileMapping) -> list[_Needed]:
    """What is used of each lookup."""
    used = [name for names in used_columns(mapping) for name in names]
    needed = []
    for name, lookup in mapping.lookups.items():
        columns: dict[str, str] = {}
        for given in used:
            before, _, column = given.partition(".")
            known = {other.casefold() for other in columns}
            if column and before.casefold() == name.casefold() and given.casefold() not in known:
                columns[given] = column
        needed.append(_Needed(name, lookup, columns))
    return needed


def _no_file(needed: _Needed, where: str) -> FileRefusedError:
    return FileRefusedError(
        f"the lookup {needed.name!r} finds no file",
        where=where,
        expected=f"a file that matches {needed.lookup.files!r}, from the folder of this file on",
        way_out=(
            f"export that table too and put it there; or mend `lookups.{needed.name}.files` in retention.yaml, or set "
            "`optional: true` there"
        ),
    )


def _read(
    con: DuckDBPyConnection,
    table: str,
    needed: _Needed,
    mapping: FileMapping,
    files: Sequence[tuple[Path, str]],
    scratch: Path,
    open_rows: OpenRows,
) -> dict[str, str]:
    """Fill `table` with one row for each key; returns the columns that are there, with their types."""
    own, lookup = _own_mapping(needed), needed.lookup
    optional = [name for name in needed.columns if name in mapping.optional]
    parts, missing = [], set(optional)
    for number, (path, where) in enumerate(files):
        folder = scratch / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        source = open_rows(con, path, where, own, folder).looked_at()
        cells = _cells(source, needed, optional)
        missing -= {name for name, cell in cells.items() if cell is not None}
        parts.append(_load(con, f"{table}_{number}", needed, source, cells))
    keys = [f"key_{number}" for number in range(len(lookup.on))]
    whole = " AND ".join(f"{key} IS NOT NULL" for key in keys)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * EXCLUDE ({_AGE}, {_PART}, {_ROW}) "
        f"FROM ({' UNION ALL BY NAME '.join(f'FROM {part}' for part in parts)}) WHERE {whole} "
        f"QUALIFY row_number() OVER (PARTITION BY {', '.join(keys)} ORDER BY {_order(lookup)}) = 1"
    )
    for part in parts:
        con.execute(f"DROP TABLE temp.{part}")
    types = {row[0]: row[1] for row in con.execute(f"DESCRIBE {table}").fetchall()}
    return {name: types[name] for name in needed.columns if name not in missing}


def _own_mapping(needed: _Needed) -> FileMapping:
    """How a file of the lookup is opened: as a mapping would say it, with the columns that are used."""
    lookup = needed.lookup
    names = [*lookup.on, *_ages(lookup), *needed.columns.values()]
    return FileMapping(
        files=lookup.files,
        format=lookup.format,
        encoding=lookup.encoding,
        delimiter=lookup.delimiter,
        missing=lookup.missing,
        columns={str(number): name for number, name in enumerate(names)},
        skip=lookup.where,
    )


def _ages(lookup: Lookup) -> list[str]:
    """The column that puts rows with one key in order, where there is one."""
    return [name for name in (lookup.newest, lookup.oldest) if name]


def _order(lookup: Lookup) -> str:
    """The order of rows with one key, the one that counts first: by number where they are numbers, by time, by text."""
    way = "ASC" if lookup.oldest else "DESC"
    readings = (f"try_cast({_AGE} AS DOUBLE)", f"try_cast({_AGE} AS TIMESTAMP)", _AGE)
    ages = [f"{reading} {way} NULLS LAST" for reading in readings] if _ages(lookup) else []
    return ", ".join([*ages, f"{_PART} {way}", f"{_ROW} {way}"])


def _cells(source: Source, needed: _Needed, optional: Sequence[str]) -> dict[str, str | None]:
    """The source column of each looked-up column; None where it is absent and may be.

    Raises:
        FileRefusedError: One is absent that is needed.
    """
    lookup, known = needed.lookup, (*source.columns, *source.beyond)
    folded = {name.casefold(): name for name in known}
    in_sql = parse_expression(lookup.where.sql).columns if lookup.where else ()
    wanted = [*lookup.on, *_ages(lookup), *in_sql]
    wanted += [column for name, column in needed.columns.items() if name not in optional]
    missing = list(dict.fromkeys(name for name in wanted if name.casefold() not in folded))
    if missing:
        near = [(name, nearest(name, source.columns)) for name in missing]
        raise FileRefusedError(
            f"{listed(missing)} of the lookup {needed.name!r} {'are' if len(missing) > 1 else 'is'} not in the file",
            where=source.where,
            expected=f"{listed(missing)} among its columns",
            found=f"columns {listed(source.columns)}",
            way_out="; ".join(f"{name!r} is nearest to {other!r}" for name, other in near if other)
            or f"mend `lookups.{needed.name}` in retention.yaml",
        )
    return {
        name: column if column in known else folded.get(column.casefold()) for name, column in needed.columns.items()
    }


def _load(con: DuckDBPyConnection, table: str, needed: _Needed, source: Source, cells: Mapping[str, str | None]) -> str:
    """Read one file of a lookup whole into a temporary table; returns the table's name.

    Raises:
        FileRefusedError: It cannot be read, or a row of it is no row.
    """
    lookup, types = needed.lookup, {name.casefold(): kind for name, kind in source.types.items()}
    keys = ", ".join(
        f"{text_sql(identifier(name), types.get(name.casefold(), 'VARCHAR'))} AS key_{number}"
        for number, name in enumerate(lookup.on)
    )
    age = f"{identifier(_ages(lookup)[0])}::VARCHAR" if _ages(lookup) else "NULL::VARCHAR"
    where = f"WHERE TRY({{'v': ({lookup.where.sql}\n)::BOOLEAN}}).v" if lookup.where else ""
    values = "".join(
        f", {identifier(cell) if cell else 'NULL::VARCHAR'} AS {identifier(name)}" for name, cell in cells.items()
    )
    part = int(table.rsplit("_", 1)[1])
    drop_rejects(con)
    try:
        with guarded_expressions(con):
            con.execute(
                f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {keys}, {age} AS {_AGE}, {part} AS {_PART}, "
                f"{_ROW}{values} FROM (SELECT *, row_number() OVER () AS {_ROW} FROM {source.relation}) {where}"
            )
        rejects = source.rejects or read_rejects(con, source)
    except duckdb.Error as error:
        raise unreadable(error, lookup.format, source.where) from None
    finally:
        drop_rejects(con)
    if rejects:
        raise FileRefusedError(
            f"line {rejects[0].line} is no row ({rejects[0].rule})"
            + (f", and {len(rejects) - 1} more" if len(rejects) > 1 else ""),
            where=source.where,
            expected=f"whole rows: the lookup {needed.name!r} is read whole",
            way_out="export the file again",
        )
    return table
