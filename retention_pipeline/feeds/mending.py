"""Rewrites the text of a file that DuckDB would not read as it is; every line keeps its number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from retention_pipeline.feeds.bytestreams import LineCount
from retention_pipeline.feeds.sources import Source, csv_relation
from retention_pipeline.workspace.schema import FileMapping


def _rewritten(source: Source, mapping: FileMapping, target: Path, chunks: Iterator[bytes]) -> Source:
    """The source with its text replaced by `chunks`, written to `target`; every line keeps its number."""
    with target.open("wb") as handle:
        handle.writelines(chunks)
    relation = csv_relation(target, source.columns, mapping)
    return replace(source, path=target, relation=relation)


def with_plain_lines(source: Source, mapping: FileMapping, scratch: Path) -> Source:
    """The source with a line feed at the end of every line."""

    def plain() -> Iterator[bytes]:
        rest = b""
        for chunk in source.content():
            whole = rest + chunk
            rest = b"\r" if whole.endswith(b"\r") else b""
            yield whole[: len(whole) - len(rest)].replace(b"\r\n", b"\n")
        yield rest

    mended = _rewritten(source, mapping, scratch / "lines.csv", plain())
    count = replace(source.count(), returns=0, pairs=0) if source.count else LineCount()
    return replace(mended, count=partial(replace, count))


def without_line(source: Source, mapping: FileMapping, scratch: Path, line: int) -> tuple[Source, str]:
    """The source with one line emptied, and the text that stood there."""
    removed: list[bytes] = []

    def emptied() -> Iterator[bytes]:
        number = 1
        for chunk in source.content():
            pieces = chunk.split(source.newline)
            for index, piece in enumerate(pieces):
                if index:
                    number += 1
                    yield source.newline
                if number == line:
                    removed.append(piece)
                    yield b"\r" if piece.endswith(b"\r") else b""
                else:
                    yield piece

    target = scratch / ("odd.csv" if source.path.name == "even.csv" else "even.csv")
    mended = _rewritten(source, mapping, target, emptied())
    return mended, b"".join(removed).decode("utf-8", errors="replace").rstrip("\r")
