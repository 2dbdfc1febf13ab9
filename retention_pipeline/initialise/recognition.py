"""From a scan to proposals: presets where a header is known, guesses where it is not, and what is left over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from retention_pipeline.initialise.families import Family, find_families
from retention_pipeline.initialise.guessing import best_guess
from retention_pipeline.initialise.proposals import (
    Proposal,
    export_presets,
    guess_proposal,
    looked_up_files,
    preset_proposals,
)
from retention_pipeline.initialise.scanning import Scan
from retention_pipeline.initialise.tables import Guess, Table
from retention_pipeline.initialise.values import Reader


@dataclass(frozen=True)
class Unknown:
    """Files without a mapping of their own, and why; parts are those in which other exports look values up."""

    family: Family
    reason: str
    is_part: bool = False


def recognise(folder: Path, scan: Scan, on_progress: Callable[[str], None]) -> tuple[list[Proposal], list[Unknown]]:
    """A proposal for each family and feed, and the families without one."""
    families = [(family, export_presets(family)) for family in find_families(scan)]
    present = {preset.name for _, found in families for preset in found}
    looked_up = looked_up_files(folder, families)
    proposals: list[Proposal] = []
    unknown: list[Unknown] = []
    reader = Reader()
    try:
        for family, found in families:
            on_progress(family.title)
            if found:
                proposals += preset_proposals(family, found, present)
            elif {export.where for export in family.exports} <= looked_up:
                unknown.append(Unknown(family, "other exports look values up in it", is_part=True))
            else:
                _guess(Table.of(family, reader), proposals, unknown)
    finally:
        reader.close()
    return proposals, unknown


def _guess(table: Table, proposals: list[Proposal], unknown: list[Unknown]) -> None:
    if not table.rows:
        unknown.append(Unknown(table.family, "holds no rows"))
        return
    guess = best_guess(table)
    if guess.lacking or guess.score <= 0:
        unknown.append(Unknown(table.family, _reason(guess)))
    else:
        proposals.append(guess_proposal(table.family, guess))


def _reason(guess: Guess) -> str:
    if guess.score <= 0 or not guess.columns:
        return "like no feed"
    return f"nearest to the feed {guess.feed}; not found: {', '.join(guess.lacking)}"
