"""The segments as they are kept: scale and centres in `state/segments/`, one JSON file for each day they were found.

Beside them lies one Parquet file a day with the customers whose segment changed on it. A day only reads files of days
before it, so the same day again gives the same segments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from retention_pipeline.errors import RetentionError

FOLDER = "segments"
_SOLUTION = re.compile(r"found-(\d{4}-\d{2}-\d{2})\.json")
_MOVES = re.compile(r"moves-(\d{4}-\d{2}-\d{2})\.parquet")


@dataclass(frozen=True)
class Segment:
    """A segment that is kept.

    Args:
        number: Its number, never given again to another one.
        name: Its name, in a few words.
        centre: Where it lies on the scale, one number a behaviour.
        share: Share of the active customers when it was found.
        stability: Mean Jaccard similarity over resamples when it was found; None where there was nothing to choose.
    """

    number: int
    name: str
    centre: tuple[float, ...]
    share: float
    stability: float | None


@dataclass(frozen=True)
class Solution:
    """The segments of a day, until others are found.

    Args:
        found_on: The day.
        because: Why segments were looked for.
        settings: What they were found with.
        behaviours: Names of the numbers that are compared.
        means: Mean of each, as compared.
        deviations: Standard deviation of each.
        segments: The segments.
        silhouette: How well they fitted on that day.
        next_number: The number that the next new segment gets.
        tried: Number of segments → lowest stability of one of them.
    """

    found_on: str
    because: str
    settings: Mapping[str, Any]
    behaviours: tuple[str, ...]
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    segments: tuple[Segment, ...]
    silhouette: float
    next_number: int
    tried: Mapping[str, float]


def last_solution(state: Path, day: date) -> Solution | None:
    """The segments found last before `day`.

    Raises:
        RetentionError: The file cannot be read.
    """
    files = _earlier(state, day, _SOLUTION)
    if not files:
        return None
    try:
        raw = json.loads(files[-1].read_text(encoding="utf-8"))
        segments = tuple(Segment(**{**part, "centre": tuple(part["centre"])}) for part in raw.pop("segments"))
        raw.update({name: tuple(raw[name]) for name in ("behaviours", "means", "deviations")})
        return Solution(**raw, segments=segments)
    except (ValueError, KeyError, TypeError) as error:
        raise RetentionError(
            "the segments of an earlier day cannot be read",
            where=f"state/{FOLDER}/{files[-1].name}",
            expected="the JSON file that the pipeline wrote",
            way_out="put the file back from a backup; without it segments are found anew and may get other numbers",
        ) from error


def earlier_moves(state: Path, day: date) -> list[Path]:
    """The files of changes of the days before `day`, oldest first."""
    return _earlier(state, day, _MOVES)


def moves_file(state: Path, day: date) -> Path:
    """The file of the changes of `day`."""
    return state / FOLDER / f"moves-{day.isoformat()}.parquet"


def keep_solution(state: Path, day: date, solution: Solution | None) -> None:
    """Keep the segments that were found on `day`; None where those of before are still good."""
    path = state / FOLDER / f"found-{day.isoformat()}.json"
    if solution is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(json.dumps(asdict(solution), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    unfinished.replace(path)


def _earlier(state: Path, day: date, pattern: re.Pattern[str]) -> list[Path]:
    folder = state / FOLDER
    if not folder.is_dir():
        return []
    found = ((match[1], path) for path in folder.iterdir() if (match := pattern.fullmatch(path.name)))
    return [path for written, path in sorted(found) if written < day.isoformat()]
