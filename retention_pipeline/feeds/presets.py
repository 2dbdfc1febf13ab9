"""Presets: the exports of well-known vendors, described once as data, so that a business only names them.

A vendor is one YAML file in `vendors/`; each of its presets is the mapping of one export on one feed.
`preset: stripe.subscriptions` in a `retention.yaml` stands for that mapping; keys written beside it replace its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from retention_pipeline.plain_yaml import load_plain

VENDORS = Path(__file__).parent / "vendors"

_MERGED = ("columns", "constants", "lookups")


@dataclass(frozen=True)
class Preset:
    """How one export of a vendor maps on one feed.

    Attributes:
        name: `<vendor>.<export>`, as a `retention.yaml` names it.
        title: The vendor, as people call it.
        feed: The feed that it delivers.
        description: Which export it is.
        verified: Whether its columns were seen in a real export; otherwise they are taken from documentation.
        recognise: Columns that together tell this export from every other one.
        mapping: The keys of a mapping, as they would stand in a `retention.yaml`.
        is_on_request: Whether only a person can say that it is wanted: it would count twice beside another preset, or
            reads the export in another way than most businesses need.
        yields_to: Exports of the same vendor that say more; where one of them is there, this one is left out.
    """

    name: str
    title: str
    feed: str
    description: str
    verified: bool
    recognise: tuple[str, ...]
    mapping: Mapping[str, Any]
    is_on_request: bool = False
    yields_to: tuple[str, ...] = ()

    @property
    def vendor(self) -> str:
        """The part of the name before the point."""
        return self.name.partition(".")[0]

    def fits(self, columns: Collection[str]) -> bool:
        """Whether a file with these columns is this export."""
        return set(self.recognise) <= set(columns)


@cache
def presets() -> Mapping[str, Preset]:
    """All presets by name, sorted."""
    found = {}
    for path in sorted(VENDORS.glob("*.yaml")):
        document = load_plain(path.read_text(encoding="utf-8"))
        for export, entry in document["presets"].items():
            name = f"{document['vendor']}.{export}"
            found[name] = Preset(
                name=name,
                title=document["title"],
                feed=entry["feed"],
                description=entry["description"],
                verified=entry["verified"],
                recognise=tuple(entry["recognise"]),
                mapping=entry["mapping"],
                is_on_request=entry.get("on_request", False),
                yields_to=tuple(f"{document['vendor']}.{other}" for other in entry.get("yields_to", ())),
            )
    return dict(sorted(found.items()))


def recognised(columns: Collection[str]) -> list[Preset]:
    """The presets of the export that has these columns, sorted by name; of several exports the one that asks for most.

    A history table has all columns of the snapshot beside it and some more: only the history is recognised then.
    """
    fitting = [preset for preset in presets().values() if preset.fits(columns)]
    return [preset for preset in fitting if not any(set(preset.recognise) < set(other.recognise) for other in fitting)]


def expanded(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with the keys of its preset; unchanged where it names none.

    `columns`, `constants` and `lookups` are merged name by name; any other key of the mapping replaces the preset's.

    Raises:
        ValueError: There is no such preset.
    """
    name = raw.get("preset")
    if name is None:
        return dict(raw)
    preset = presets().get(name) if isinstance(name, str) else None
    if preset is None:
        near = get_close_matches(str(name), list(presets()), n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"{name!r} is no preset{hint}; docs/presets.md lists them")
    merged = {**preset.mapping, **raw}
    for key in _MERGED:
        if key in preset.mapping and isinstance(raw.get(key, {}), Mapping):
            merged[key] = {**preset.mapping[key], **raw.get(key, {})}
    for key, other in (("columns", "constants"), ("constants", "columns")):
        own = raw.get(key)
        if isinstance(own, Mapping) and isinstance(merged.get(other), Mapping):
            theirs = raw.get(other, {})
            merged[other] = {name: value for name, value in merged[other].items() if name not in own or name in theirs}
    return merged
