"""Which segments hold on a day: those of before as long as they are good, else others that continue them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retention_pipeline.segments.behaviours import Behaviour, Floats, comparable
from retention_pipeline.segments.clustering import (
    Assignment,
    Clustering,
    Labels,
    Scale,
    assign,
    find_clusters,
    informative,
    matched,
    shift,
)
from retention_pipeline.segments.solution import Segment, Solution
from retention_pipeline.segments.wording import named
from retention_pipeline.workspace.segment_settings import MicroSegmentSettings

FEWEST_CUSTOMERS = 200
"""With fewer active customers there is one segment."""

_DECIDING = ("fewest", "most", "min_stability", "min_share", "sample_size", "seed")


@dataclass(frozen=True)
class Customers:
    """The active customers of a day, in the order of their keys.

    Attributes:
        keys: Their pseudonymous keys.
        behaviours: What is known of them.
        plain: A row a customer, a column a behaviour, in its own unit.
    """

    keys: NDArray[np.object_]
    behaviours: Sequence[Behaviour]
    plain: Floats

    @property
    def names(self) -> list[str]:
        """Names of the behaviours."""
        return [behaviour.name for behaviour in self.behaviours]

    def values(self, names: Sequence[str]) -> Floats:
        """Some of the behaviours in their own unit."""
        found: Floats = self.plain[:, [self.names.index(name) for name in names]]
        return found

    def compared(self, names: Sequence[str]) -> Floats:
        """Some of the behaviours as they are compared."""
        return comparable(self.values(names), [self.behaviours[self.names.index(name)] for name in names])


@dataclass(frozen=True)
class Holding:
    """The segments of a day.

    Attributes:
        solution: The segments.
        assignment: Which of them each customer is in.
        shift: Population stability index of their shares against the day they were found.
        because: Why they were found on this day; empty where those of before hold.
    """

    solution: Solution
    assignment: Assignment
    shift: float
    because: str

    @property
    def numbers(self) -> Labels:
        """The number of the segment of each customer."""
        numbers = np.array([segment.number for segment in self.solution.segments], dtype=np.int64)
        return numbers[self.assignment.places]


def holding_segments(
    customers: Customers,
    before: Labels,
    kept: Solution | None,
    day: date,
    settings: MicroSegmentSettings,
    language: str,
) -> Holding:
    """The segments that hold on `day`, and who is in which.

    Args:
        customers: The active customers.
        before: Number of the segment of each on the days before, 0 where there is none.
        kept: The segments found last before the day.
        day: The as-of day.
        settings: `segments.micro`.
        language: Language of the names of new segments.
    """
    deciding = _deciding(customers, settings)
    because = _reason_by_date(kept, day, deciding, settings)
    if kept is not None and not because:
        assignment = _assigned(customers, kept, before, settings.margin)
        moved = _shift(kept, assignment)
        because = _reason_by_fit(kept, assignment, moved, settings)
        if not because:
            return Holding(kept, assignment, moved, "")
    solution = replace(_found(customers, kept, day, deciding, settings, language), because=because)
    assignment = _assigned(customers, solution, before, settings.margin)
    segments = tuple(
        replace(segment, share=round(share, 6))
        for segment, share in zip(solution.segments, shares(solution, assignment), strict=True)
    )
    solution = replace(solution, segments=segments, silhouette=assignment.silhouette)
    return Holding(solution, assignment, 0.0, because)


def shares(solution: Solution, assignment: Assignment) -> list[float]:
    """The share of the customers in each segment."""
    counts = np.bincount(assignment.places, minlength=len(solution.segments))
    return [float(count) / max(len(assignment.places), 1) for count in counts]


def _deciding(customers: Customers, settings: MicroSegmentSettings) -> dict[str, Any]:
    """What decides which segments are found: when it changes, they are found anew."""
    return {
        **{name: getattr(settings, name) for name in _DECIDING},
        "known": customers.names,
        "enough_customers": len(customers.keys) >= FEWEST_CUSTOMERS,
    }


def _reason_by_date(
    kept: Solution | None, day: date, deciding: Mapping[str, Any], settings: MicroSegmentSettings
) -> str:
    if kept is None:
        return "no segments were kept"
    # A business that has few customers for a while keeps its segments.
    if deciding not in (kept.settings, {**kept.settings, "enough_customers": False}):
        return "settings, feeds or the number of customers have changed"
    if (day - date.fromisoformat(kept.found_on)).days >= settings.refit_days:
        return f"{settings.refit_days} days have gone by"
    return ""


def _reason_by_fit(kept: Solution, assignment: Assignment, moved: float, settings: MicroSegmentSettings) -> str:
    if moved > settings.max_shift:
        return f"the sizes have shifted: population stability index {moved:.2f}"
    if assignment.silhouette < (1 - settings.max_silhouette_drop) * kept.silhouette:
        return f"they fit worse: silhouette {assignment.silhouette:.2f} after {kept.silhouette:.2f}"
    return ""


def _shift(kept: Solution, assignment: Assignment) -> float:
    if not len(assignment.places):
        return 0.0
    before = np.array([segment.share for segment in kept.segments])
    return shift(before, np.array(shares(kept, assignment)))


def _found(
    customers: Customers,
    kept: Solution | None,
    day: date,
    deciding: Mapping[str, Any],
    settings: MicroSegmentSettings,
    language: str,
) -> Solution:
    # A key is a salted hash: the first keys in their order are a random sample.
    sample = customers.compared(customers.names)[: settings.sample_size]
    keep = informative(sample) & (len(sample) >= FEWEST_CUSTOMERS)
    names = [name for name, is_kept in zip(customers.names, keep, strict=True) if is_kept]
    number = 1 if kept is None else kept.next_number
    segments: tuple[Segment, ...] = (Segment(number, named({}, (), language), (), 1.0, None),)
    scale, tried, number = Scale(np.zeros(0), np.ones(0)), {}, number + 1
    if names:
        scale = Scale.of(sample[:, keep])
        clusters = find_clusters(
            scale.standardised(sample[:, keep]),
            fewest=settings.fewest,
            most=settings.most,
            min_stability=settings.min_stability,
            min_share=settings.min_share,
            seed=settings.seed,
            before=_centres_on(scale, names, kept),
        )
        segments, number = _named_and_numbered(clusters, scale, names, kept, language)
        tried = {str(count): lowest for count, lowest in clusters.tried.items()}
    return Solution(
        found_on=day.isoformat(),
        because="",
        settings=deciding,
        behaviours=tuple(names),
        means=tuple(map(float, scale.means)),
        deviations=tuple(map(float, scale.deviations)),
        segments=segments,
        silhouette=0.0,
        next_number=number,
        tried=tried,
    )


def _named_and_numbered(
    clusters: Clustering, scale: Scale, names: Sequence[str], kept: Solution | None, language: str
) -> tuple[tuple[Segment, ...], int]:
    """The clusters as segments, and the next free number: who continues a segment of before has its number and name."""
    continued = _continued(clusters.centres, scale, names, kept)
    taken = {segment.name for segment in continued.values()}
    number = 1 if kept is None else kept.next_number
    segments = []
    for row in sorted(range(len(clusters.centres)), key=lambda row: tuple(clusters.centres[row])):
        centre, stability = tuple(map(float, clusters.centres[row])), float(clusters.stability[row])
        old = continued.get(row)
        if old is not None:
            segments.append(replace(old, centre=centre, stability=stability))
            continue
        name = named(dict(zip(names, centre, strict=True)), taken, language)
        taken.add(name)
        segments.append(Segment(number, name, centre, 0.0, stability))
        number += 1
    return tuple(sorted(segments, key=lambda segment: segment.number)), number


def _continued(centres: Floats, scale: Scale, names: Sequence[str], kept: Solution | None) -> dict[int, Segment]:
    """Row of a new centre → the segment that it continues, compared on the behaviours that both have."""
    both = [name for name in names if kept is not None and name in kept.behaviours]
    here = [list(names).index(name) for name in both]
    old = _centres_on(Scale(scale.means[here], scale.deviations[here]), both, kept)
    if kept is None or old is None:
        return {}
    return {row: kept.segments[place] for row, place in matched(old, centres[:, here]).items()}


def _centres_on(scale: Scale, names: Sequence[str], kept: Solution | None) -> Floats | None:
    """The kept centres on another scale; None where they do not have all the behaviours `names`."""
    if kept is None or not names or not set(names) <= set(kept.behaviours):
        return None
    there = [kept.behaviours.index(name) for name in names]
    centres = np.array([segment.centre for segment in kept.segments])[:, there]
    plain = centres * np.array(kept.deviations)[there] + np.array(kept.means)[there]
    on_scale: Floats = (plain - scale.means) / scale.deviations
    return on_scale


def _assigned(customers: Customers, solution: Solution, before: Labels, margin: float) -> Assignment:
    scale = Scale(np.array(solution.means), np.array(solution.deviations))
    centres = np.array([segment.centre for segment in solution.segments]).reshape(len(solution.segments), -1)
    place_of = np.full(max(solution.next_number, int(before.max(initial=0)) + 1), -1, dtype=np.int64)
    for place, segment in enumerate(solution.segments):
        place_of[segment.number] = place
    points = scale.standardised(customers.compared(solution.behaviours))
    return assign(points, centres, place_of[before], margin)
