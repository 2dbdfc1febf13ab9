"""The physical line on which each row of a text file begins.

DuckDB numbers records, not lines. Where every line is a record the two differ by the header only, and the counts prove
it. Where cells hold line breaks, where lines are empty, or where rows were rejected, the lines are worked out here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Obstacle:
    """Lines that belong to no good row: an empty one, or those of a rejected row."""

    line: int
    height: int


def start_lines(heights: NDArray[np.int64], first_line: int, obstacles: Sequence[Obstacle]) -> NDArray[np.int64]:
    """The line on which each record begins.

    Args:
        heights: Lines that each record takes, in the order of the file.
        first_line: The line after the header.
        obstacles: In the order of the file. One that lies inside a record (an empty line within a quoted cell) is
            none.

    Returns:
        Line numbers from 1 on, one for each record.
    """
    starts = np.concatenate(([0], np.cumsum(heights)[:-1])) + first_line if len(heights) else heights.copy()
    end = first_line + int(heights.sum())
    jumps = np.zeros(len(heights) + 1, dtype=np.int64)
    shift, covered = 0, 0
    for obstacle in obstacles:
        if obstacle.line < covered:
            continue
        wanted = obstacle.line - shift
        index = int(np.searchsorted(starts, wanted))
        at_boundary = (index < len(starts) and starts[index] == wanted) or (index == len(starts) and wanted >= end)
        if not at_boundary:
            continue
        jumps[index] += obstacle.height
        shift += obstacle.height
        covered = obstacle.line + obstacle.height
    return starts + np.cumsum(jumps[:-1])


def lines_at(chunks: Iterator[bytes], offsets: Sequence[int], newline: bytes) -> list[int]:
    """The line in which each byte offset lies, offsets ascending, counted from 0; lines from 1."""
    found: list[int] = []
    position, line = 0, 1
    for chunk in chunks:
        begin = 0
        while len(found) < len(offsets) and offsets[len(found)] < position + len(chunk):
            stop = offsets[len(found)] - position
            line += chunk.count(newline, begin, stop)
            begin = stop
            found.append(line)
        line += chunk.count(newline, begin)
        position += len(chunk)
    return found + [line] * (len(offsets) - len(found))


def empty_lines(chunks: Iterator[bytes], newline: bytes) -> list[int]:
    """The numbers of all lines without a character, from 1 on."""
    found: list[int] = []
    line, rest = 1, b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(newline)
        for text in whole:
            if not text or text == b"\r":
                found.append(line)
            line += 1
    return found
