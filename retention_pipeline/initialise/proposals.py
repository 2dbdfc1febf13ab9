"""Proposed mappings: what `retention.yaml` would say of each family of files, from a preset or from a guess."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, cast

from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.feeds.files import matching_files
from retention_pipeline.feeds.presets import Preset, recognised
from retention_pipeline.initialise.families import Family
from retention_pipeline.initialise.tables import Guess
from retention_pipeline.workspace.schema import FeedName

_ON_REQUEST = "only a person can say that this is wanted beside the rest; take off the marks if it is"
_MIX = "says more, and both together would mix"


@dataclass(frozen=True)
class Proposal:
    """A mapping of one family on one feed.

    Attributes:
        feed: The feed.
        family: The files.
        keys: The keys of the mapping, without `files`.
        title: What the files are, for people.
        notes: Key, or canonical column, → what is said beside it.
        remarks: Lines above the mapping.
        obstacle: Why it cannot be used; empty where it can.
        languages: For a guess, names found by language.
    """

    feed: FeedName
    family: Family
    keys: dict[str, Any]
    title: str
    notes: dict[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    obstacle: str = ""
    languages: dict[str, int] = field(default_factory=dict)

    @property
    def is_choice(self) -> bool:
        """Whether it could be used, and is left to a person or to a better export."""
        return self.obstacle in (_ON_REQUEST,) or self.obstacle.endswith(_MIX)

    @property
    def preset(self) -> str | None:
        """The preset that it names."""
        return self.keys.get("preset")

    @property
    def mappings(self) -> list[dict[str, Any]]:
        """What stands under the feed: one mapping for each pattern."""
        first = {"preset": self.keys["preset"]} if "preset" in self.keys else {}
        return [{**first, "files": pattern, **self.keys} for pattern in self.family.patterns]


def export_presets(family: Family) -> tuple[Preset, ...]:
    """The presets of the export that a family is; none where no header fits.

    Of several exports whose columns are all there the one counts whose own file names are most like these.
    """
    exports: dict[tuple[str, frozenset[str]], list[Preset]] = {}
    for preset in recognised(family.look.header):
        exports.setdefault((preset.vendor, frozenset(preset.recognise)), []).append(preset)
    if not exports:
        return ()
    where = family.exports[0].where
    best = max(exports, key=lambda export: (*_likeness(where, exports[export]), export[0]))
    return tuple(exports[best])


def _likeness(where: str, group: Sequence[Preset]) -> tuple[bool, bool, int, float]:
    """How well a path fits an export: its pattern, the vendor's name, how much it asks for, like names."""
    path, patterns = PurePosixPath(where), {PurePosixPath(preset.mapping["files"]).name for preset in group}
    return (
        any(fnmatch.fnmatchcase(path.name, pattern) for pattern in patterns),
        group[0].vendor.split("_")[0] in where.lower(),
        len(group[0].recognise),
        max(difflib.SequenceMatcher(None, path.name.lower(), pattern.lower()).ratio() for pattern in patterns),
    )


def preset_proposals(family: Family, found: Sequence[Preset], present: Collection[str]) -> list[Proposal]:
    """A mapping for each preset of an export.

    Args:
        family: The files.
        found: The presets of their export.
        present: Names of all presets whose exports are in the folder.
    """
    return [_preset_proposal(family, preset, present) for preset in found]


def _preset_proposal(family: Family, preset: Preset, present: Collection[str]) -> Proposal:
    keys: dict[str, Any] = {"preset": preset.name}
    look, own = family.look, preset.mapping
    if look.format != own.get("format", "csv"):
        keys["format"] = look.format
    if look.format == "csv" and look.delimiter != own.get("delimiter", ","):
        keys["delimiter"] = look.delimiter
    if look.encoding != "ascii" and look.encoding != own.get("encoding", "utf-8"):
        keys["encoding"] = look.encoding
    elif look.encoding == "ascii" and own.get("encoding") == "utf-16":
        keys["encoding"] = "utf-8"
    if family.sheet is not None:
        keys["sheet"] = family.sheet
    remarks = []
    if not preset.verified:
        remarks.append("the columns of this export are known from documentation only: look at the figures once")
    return Proposal(
        cast(FeedName, preset.feed),
        family,
        keys,
        f"{preset.title}: {preset.description}",
        notes={"encoding": "a guess: no other encoding fits"} if keys.get("encoding") in _GUESSED else {},
        remarks=tuple(remarks),
        obstacle=_obstacle(family, preset, present),
    )


def _obstacle(family: Family, preset: Preset, present: Collection[str]) -> str:
    """Why a preset of a known export is not used all the same."""
    if preset.is_on_request:
        return _ON_REQUEST
    better = [name for name in preset.yields_to if name in present]
    if better:
        return f"{' and '.join(better)} {_MIX}"
    lacking = lacking_lookups(family, preset)
    return f"needs {' and '.join(lacking)} beside it, which is not there" if lacking else ""


_GUESSED = ("windows-1252", "latin-1")


def lacking_lookups(family: Family, preset: Preset) -> list[str]:
    """Patterns of the files that the preset looks values up in and that are missing."""
    lacking: dict[str, None] = {}
    for lookup in preset.mapping.get("lookups", {}).values():
        for place in {export.path.parent for export in family.exports}:
            if not lookup.get("optional") and not matching_files(place, lookup["files"]):
                lacking[lookup["files"]] = None
    return list(lacking)


def looked_up_files(folder: Path, families: Sequence[tuple[Family, Sequence[Preset]]]) -> set[str]:
    """Files that presets look values up in: they need no mapping of their own."""
    found: set[str] = set()
    for family, matched in families:
        for preset in matched:
            for lookup in preset.mapping.get("lookups", {}).values():
                for place in {export.path.parent for export in family.exports}:
                    found |= {path.relative_to(folder).as_posix() for path in matching_files(place, lookup["files"])}
    return found


def guess_proposal(family: Family, guess: Guess) -> Proposal:
    """The mapping of a guess that lacks nothing."""
    look = family.look
    keys: dict[str, Any] = {}
    notes = dict(guess.notes)
    if look.format != "csv":
        keys["format"] = look.format
    if family.sheet is not None:
        keys["sheet"] = family.sheet
    if look.format == "csv" and look.delimiter != ",":
        keys["delimiter"] = look.delimiter
    if look.encoding not in ("ascii", "utf-8"):
        keys["encoding"] = look.encoding
        if look.encoding in _GUESSED:
            notes["encoding"] = "a guess: it is not UTF-8"
    keys.update(guess.options)
    ordered = [column.name for column in CONTRACTS[guess.feed].columns]
    keys["columns"] = {name: guess.columns[name] for name in ordered if name in guess.columns}
    if guess.constants:
        keys["constants"] = dict(guess.constants)
    return Proposal(
        cast(FeedName, guess.feed),
        family,
        keys,
        "guessed from names and values",
        notes,
        languages=dict(guess.languages),
    )
