"""Files of one export: names that differ only in digits, the same header, read in the same way."""

from __future__ import annotations

import fnmatch
import glob
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from retention_pipeline.initialise.scanning import Export, Scan
from retention_pipeline.initialise.sniffing import Look

_DIGITS = re.compile(r"(\d+)")
_SERIES = re.compile(r"(?:19|20)\d{2}")
_STARS = re.compile(r"\*(?:[-_.T]?\*)+")


@dataclass(frozen=True)
class Family:
    """Files that are read by one mapping, or by one each where no pattern tells them from other files.

    Attributes:
        exports: Its files, by name.
        patterns: Globs of its files, and of no others below the folder.
        look: How all of them are read.
    """

    exports: tuple[Export, ...]
    patterns: tuple[str, ...]
    look: Look

    @property
    def sheet(self) -> str | None:
        """The sheet of the workbooks; None for the first."""
        return self.exports[0].sheet

    @property
    def title(self) -> str:
        """How messages name it."""
        more = f" and {len(self.patterns) - 1} more" if len(self.patterns) > 1 else ""
        sheet = f" (sheet {self.sheet})" if self.sheet else ""
        return f"{self.patterns[0]}{more}{sheet}"


def find_families(scan: Scan) -> list[Family]:
    """The files of a scan, put together."""
    groups: dict[tuple[object, ...], list[Export]] = {}
    for export in scan.exports:
        look = export.look
        header = tuple(sorted(look.header)) if look.format == "jsonl" else look.header
        # Nested keys come and go from line to line.
        names = tuple(name for name in header if "." not in name) if look.format == "jsonl" else header
        # Text that is plain ASCII is read alike in all encodings but UTF-16.
        key = (_shape(export.where), look.format, look.delimiter, names, export.sheet, look.encoding == "utf-16")
        groups.setdefault(key, []).append(export)
    families = []
    for exports in groups.values():
        families += [_family(part, scan.names) for part in _by_encoding(exports)]
    return sorted(families, key=lambda family: family.exports[0].where)


def _shape(where: str) -> str:
    """A path with its digits taken out."""
    return _DIGITS.sub("0", where)


def _by_encoding(exports: list[Export]) -> Iterable[list[Export]]:
    """One list for each encoding; files that any encoding fits stay with the others."""
    found: dict[str, list[Export]] = {}
    for export in exports:
        found.setdefault(export.look.encoding, []).append(export)
    plain = found.pop("ascii", [])
    # latin-1 differs from windows-1252 in control characters only: one encoding for both.
    if "latin-1" in found and "windows-1252" in found:
        found["latin-1"] += found.pop("windows-1252")
    if not found:
        return [plain]
    largest = max(found, key=lambda encoding: len(found[encoding]))
    found[largest] += plain
    return found.values()


def _family(exports: Sequence[Export], names: Sequence[str]) -> Family:
    ordered = tuple(sorted(exports, key=lambda export: export.where))
    encodings = {export.look.encoding for export in ordered} - {"ascii"}
    encoding = "latin-1" if "latin-1" in encodings else next(iter(encodings), "ascii")
    header = ordered[0].look.header
    if ordered[0].look.format == "jsonl":
        header = tuple(dict.fromkeys(name for export in ordered for name in export.look.header))
    look = replace(ordered[0].look, encoding=encoding, header=header)
    return Family(ordered, file_patterns([export.where for export in ordered], names), look)


def file_patterns(files: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """The shortest glob that matches exactly `files` among `names`, or each file by its name.

    A single file with a date in its name is taken for the first of a series.
    """
    others = set(names) - set(files)
    for pattern in _candidates(files):
        if all(_matches(name, pattern) for name in files) and not any(_matches(name, pattern) for name in others):
            return (pattern,)
    return tuple(glob.escape(name) for name in files)


def _candidates(files: Sequence[str]) -> Iterable[str]:
    """Globs in which the digits that differ are left open, the widest first."""
    split = [_DIGITS.split(name) for name in files]
    if len({len(parts) for parts in split}) != 1:
        return
    open_places = {
        place
        for place in range(1, len(split[0]), 2)
        if len({parts[place] for parts in split}) > 1 or (len(files) == 1 and _SERIES.match(split[0][place]))
    }
    if len(files) == 1 and open_places:
        # The parts of a date that follow its year: 2026-01-31, 2026_01.
        place = min(open_places)
        while (
            place + 2 < len(split[0]) and split[0][place + 1] in ("-", "_", ".", "") and len(split[0][place + 2]) <= 2
        ):
            place += 2
            open_places.add(place)
    if not open_places:
        return
    whole = "".join("*" if place in open_places else glob.escape(part) for place, part in enumerate(split[0]))
    yield _STARS.sub("*", whole)
    yield whole
    yield "".join(
        "[0-9]" * len(part) if place in open_places else glob.escape(part) for place, part in enumerate(split[0])
    )


def _matches(name: str, pattern: str) -> bool:
    """Whether a path matches a glob; `*` stays within a folder."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))
