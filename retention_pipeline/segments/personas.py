"""Segments as personas: their size, what sets them apart in numbers and words, and how far they are to be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from retention_pipeline.segments.clustering import Scale
from retention_pipeline.segments.finding import Customers, Holding, shares
from retention_pipeline.segments.tables import TABLES
from retention_pipeline.segments.wording import Trait, described

_BANDS = ((0.85, "highly stable"), (0.75, "stable"), (0.6, "doubtful"), (0.0, "unstable"))


def stability_band(jaccard: float | None) -> str | None:
    """The stability of a segment in words, after Hennig (2007)."""
    return None if jaccard is None else next(text for limit, text in _BANDS if jaccard >= limit)


def traits_of(customers: Customers, holding: Holding) -> dict[int, list[Trait]]:
    """The behaviours of each segment that has customers, beside those of all."""
    if not len(customers.keys):
        return {}
    names, numbers = holding.solution.behaviours, holding.numbers
    plain, compared = customers.values(names), customers.compared(names)
    scale = Scale.of(compared)
    medians_all, means_all = np.median(plain, axis=0), plain.mean(axis=0)
    traits: dict[int, list[Trait]] = {}
    for number in np.unique(numbers):
        own = numbers == number
        differences = (compared[own].mean(axis=0) - scale.means) / scale.deviations
        rows = (differences, np.median(plain[own], axis=0), medians_all, plain[own].mean(axis=0), means_all)
        traits[int(number)] = [
            Trait(name, *(round(float(row[place]), 4) for row in rows)) for place, name in enumerate(names)
        ]
    return traits


def trait_rows(traits: Mapping[int, list[Trait]]) -> list[list[object]]:
    """The rows of `persona_traits`."""
    return [
        [number, trait.behaviour, trait.difference, trait.median, trait.median_all, trait.mean, trait.mean_all]
        for number, own in sorted(traits.items())
        for trait in own
    ]


def persona_rows(
    day: date,
    holding: Holding,
    traits: Mapping[int, list[Trait]],
    mixes: Mapping[int, str],
    arrived: Mapping[int, int],
    language: str,
) -> list[list[object]]:
    """The rows of `personas`.

    Args:
        day: The as-of day.
        holding: The segments of the day.
        traits: Number of a segment → its behaviours.
        mixes: Number of a segment → its lifecycle stages in words.
        arrived: Number of a segment → customers who came over on the day.
        language: Language of the descriptions.
    """
    solution, assignment = holding.solution, holding.assignment
    counts = np.bincount(assignment.places, minlength=len(solution.segments))
    rows = []
    for segment, share, customers in zip(solution.segments, shares(solution, assignment), counts, strict=True):
        if not customers:
            continue
        facts = {
            "as_of": day,
            "segment": segment.number,
            "name": segment.name,
            "description": described(traits[segment.number], language),
            "customers": int(customers),
            "share": round(share, 6),
            "arrived": arrived.get(segment.number, 0),
            "lifecycle_mix": mixes[segment.number],
            "stability": stability_band(segment.stability),
            "jaccard": segment.stability,
            "silhouette": assignment.silhouette,
            "shift": holding.shift,
            "found_on": date.fromisoformat(solution.found_on),
        }
        rows.append([facts[name] for name in TABLES["personas"]])
    return rows
