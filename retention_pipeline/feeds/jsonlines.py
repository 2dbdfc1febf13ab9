"""JSON lines: each line is an object, its keys are the columns, and what is nested has a dotted path."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.bytestreams import checked_utf8, transcoded, unpacked_chunks
from retention_pipeline.feeds.frames import LINE
from retention_pipeline.feeds.refusing import FileRefusedError
from retention_pipeline.feeds.rejects import Reject
from retention_pipeline.feeds.sources import Source, check_byte_order, packing, unique_names
from retention_pipeline.quoting import identifier, literal
from retention_pipeline.workspace.schema import FileMapping

JSON = "json"
"""The rule that a line breaks which is no JSON object."""

TEXT = "_ text"
LONGEST_LINE = 16_000_000
"""Bytes that one line may have."""

_MARK = b"\xef\xbb\xbf"
_MOST = 500_000


def open_json_lines(
    con: DuckDBPyConnection, path: Path, where: str, mapping: FileMapping, names: Sequence[str], scratch: Path
) -> Source:
    """A file of JSON lines, looked at from end to end.

    Strings are texts; numbers, booleans, arrays and objects are their JSON texts; null and an absent key are missing.

    Args:
        con: Any connection.
        path: The export.
        where: Its path as messages name it.
        mapping: The section of `retention.yaml`.
        names: The source columns that the mapping uses.
        scratch: Folder for a text that must be rewritten.

    Raises:
        FileRefusedError: It is truncated, is not in the declared encoding, or holds a line that is too long.
    """
    readable = _readable(path, where, mapping, scratch)
    lines = _lines_sql(readable)
    try:
        groups = _key_groups(con, lines)
        is_whole = all(keys is not None for keys in groups)
        keys = groups[0] if len(groups) == 1 and is_whole else _keys(con, _numbered(lines))
        rejects = [] if is_whole else _bad_lines(con, _numbered(lines))
    except duckdb.Error as error:
        raise FileRefusedError(
            f"cannot be read as jsonl ({type(error).__name__})",
            where=where,
            expected=f"a JSON object on each line, of at most {LONGEST_LINE:,} bytes",
            way_out="export the file again, one object a line",
        ) from None
    if len(rejects) > _MOST:
        raise FileRefusedError(
            f"more than {_MOST} of its lines are no JSON objects",
            where=where,
            expected="a JSON object on each line",
            way_out="export the file again, one object a line, or set `format` in retention.yaml",
        )
    columns, repeated = unique_names(keys or ())
    paths = _paths(columns, keys or (), names)
    # Where every line is a row, rows are counted as those of Parquet, and read on all cores.
    rows = lines if is_whole else f"(FROM {_numbered(lines)} WHERE {_IS_OBJECT})"
    return Source(
        readable,
        where,
        columns,
        repeated,
        _relation(rows, paths, mapping.missing, has_lines=not is_whole),
        line_column=None if is_whole else LINE,
        row_text=_TEXT,
        rejects=tuple(rejects),
        beyond=tuple(name for name in paths if name not in columns),
        needs_columns=False,
    )


_TEXT = identifier(TEXT)
_LINE = identifier(LINE)
_IS_OBJECT = f"starts_with(ltrim({_TEXT}, ' \t'), '{{') AND json_valid({_TEXT})"
_IS_BLANK = f"trim({_TEXT}, ' \t') = ''"


def _lines_sql(path: Path) -> str:
    """SQL of the lines, blank ones too; a control character can be in no JSON text, nor a line end in a line."""
    return (
        f"read_csv({literal(str(path))}, auto_detect = false, header = false, delim = '\x01', quote = '', escape = '', "
        f"nullstr = '\n\n', columns = {{{literal(TEXT)}: 'VARCHAR'}}, compression = '{packing(path)}', "
        f"max_line_size = {LONGEST_LINE})"
    )


def _numbered(lines: str) -> str:
    """SQL of the lines that are not blank, with their numbers."""
    return f"(SELECT * FROM (SELECT row_number() OVER () AS {_LINE}, {_TEXT} FROM {lines}) WHERE NOT {_IS_BLANK})"


def _key_groups(con: DuckDBPyConnection, lines: str) -> list[list[str] | None]:
    """The lists of keys that objects have; None stands for the lines that are none."""
    found = con.execute(
        f"SELECT CASE WHEN {_IS_OBJECT} THEN json_keys({_TEXT}) END AS keys, count(*) FROM {lines} GROUP BY keys"
    ).fetchall()
    return [keys for keys, _ in found]


def _keys(con: DuckDBPyConnection, numbered: str) -> list[str]:
    """The keys of all objects, in the order in which they first appear."""
    found = con.execute(
        f"SELECT json_keys({_TEXT}) AS keys FROM {numbered} WHERE {_IS_OBJECT} GROUP BY keys ORDER BY min({_LINE})"
    ).fetchall()
    return list(dict.fromkeys(key for (keys,) in found for key in keys))


def _bad_lines(con: DuckDBPyConnection, numbered: str) -> list[Reject]:
    found = con.execute(
        f"SELECT {_LINE}, {_TEXT} FROM {numbered} WHERE NOT ({_IS_OBJECT}) ORDER BY {_LINE} LIMIT {_MOST + 1}"
    ).fetchall()
    return [Reject(line, 1, JSON, text) for line, text in found]


def _paths(columns: Sequence[str], keys: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """The JSON path of each column that is used: a key as it stands, or a dotted path to a nested value."""
    known = {name.casefold(): (name, _key_path(key)) for name, key in zip(columns, keys, strict=True)}
    paths: dict[str, str] = {}
    for name in names:
        given, path = known.setdefault(name.casefold(), (name, _nested_path(name)))
        paths[given] = path
    return paths


def _relation(rows: str, paths: Mapping[str, str], missing: Sequence[str], *, has_lines: bool) -> str:
    """SQL of the rows with the values at `paths` as text; each line is taken apart once."""
    line = f"{_LINE}, " if has_lines else ""
    if not paths:
        return f"(SELECT {line}{_TEXT} FROM {rows})"
    cells = "".join(
        f", {_cell(f'cells[{number}]', missing)} AS {identifier(name)}" for number, name in enumerate(paths, start=1)
    )
    wanted = ", ".join(map(literal, paths.values()))
    taken = f"(SELECT {line}{_TEXT}, json_extract_string({_TEXT}, [{wanted}]) AS cells FROM {rows})"
    return f"(SELECT {line}{_TEXT}{cells} FROM {taken})"


def _cell(value: str, missing: Sequence[str]) -> str:
    """SQL of a value without the texts that mean a missing one."""
    if not missing:
        return value
    if len(missing) == 1:
        return f"nullif({value}, {literal(missing[0])})"
    return f"CASE WHEN {value} IN ({', '.join(map(literal, missing))}) THEN NULL ELSE {value} END"


def _key_path(key: str) -> str:
    return f"$.{_step(key)}"


def _nested_path(name: str) -> str:
    return "$" + "".join(f".{_step(step)}" for step in name.split("."))


def _step(key: str) -> str:
    """A key as a step of a JSON path."""
    return json.dumps(key, ensure_ascii=False)


def _readable(path: Path, where: str, mapping: FileMapping, scratch: Path) -> Path:
    """The export itself, or its text in UTF-8 with a line feed after each line and something on each line."""
    chunks = _utf8(path, where, mapping)
    if mapping.encoding == "utf-8" and not _is_odd(chunks):
        return path
    target = scratch / "export.jsonl"
    with target.open("wb") as handle:
        handle.writelines(_plain(_utf8(path, where, mapping), where))
    return target


def _utf8(path: Path, where: str, mapping: FileMapping) -> Iterator[bytes]:
    chunks = unpacked_chunks(path, where)
    if mapping.encoding != "utf-8":
        return transcoded(chunks, mapping.encoding, where)
    head = next((chunk for chunk in chunks if chunk), b"")
    check_byte_order(head, where)
    return checked_utf8(itertools.chain([head], chunks), where)


def _is_odd(chunks: Iterable[bytes]) -> bool:
    """Whether line numbers would be lost: DuckDB passes over empty lines, and trips over mixed line ends."""
    odd, last = False, b"\n"
    for chunk in chunks:
        # Every piece is looked at, odd or not: the encoding is checked on the way.
        odd = (
            odd
            or b"\r" in chunk
            or b"\x01" in chunk
            or b"\n\n" in chunk
            or (last == b"\n" and chunk[:1] in (b"\n", _MARK[:1]))
        )
        last = chunk[-1:] or last
    return odd


def _plain(chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """The text without a byte order mark, lines ended by a line feed alone, and a space on each empty line.

    Raises:
        FileRefusedError: It has no line ends.
    """
    first, rest = True, b""
    for chunk in chunks:
        whole = rest + chunk
        if first and whole:
            whole, first = whole.removeprefix(_MARK), False
        end = whole.rfind(b"\n") + 1
        yield _plain_lines(whole[:end])
        rest = whole[end:]
        if len(rest) > LONGEST_LINE:
            raise FileRefusedError(
                "holds a line that is too long",
                where=where,
                expected=f"a JSON object on each line, of at most {LONGEST_LINE:,} bytes",
                way_out="export the file again, one object a line",
            )
    yield rest.replace(b"\r", b" ").replace(b"\x01", b"\x02")


def _plain_lines(lines: bytes) -> bytes:
    """Whole lines; a carriage return is white space in JSON, and one forbidden character is as bad as the other."""
    text = lines.replace(b"\r\n", b"\n").replace(b"\r", b" ").replace(b"\x01", b"\x02")
    if text.startswith(b"\n"):
        text = b" " + text
    # Twice, since a line end that was replaced is not looked at again.
    return text.replace(b"\n\n", b"\n \n").replace(b"\n\n", b"\n \n")
