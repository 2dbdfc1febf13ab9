"""Finding segments: k-means on standardised behaviour, as many clusters as resampling finds again.

Stability follows Hennig (2007), Cluster-wise assessment of cluster stability, Computational Statistics & Data Analysis
52: each cluster is looked for in clusterings of bootstrap samples, and its stability is the mean of the Jaccard
similarities to the most similar cluster there. Below 0.6 a cluster is not to be trusted, from 0.75 on it is valid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retention_pipeline.segments.behaviours import Floats

Labels = NDArray[np.int64]

LIMIT = 3.0
"""Beyond so many standard deviations a value counts as this far: a few giants make no segment of their own."""

_CHUNK = 100_000
_RESAMPLES = 20
_LOOKED_AT = 6_000
# One start alone often ends in a poor optimum, which would pass for instability of the customers.
_STARTS, _RESAMPLED_STARTS = 5, 3
_SLACK = 0.1
"""The number of clusters of before stays unless one of them is less stable than asked for by so much."""
_WORSE = 1.02
"""Clusters that continue those of before stay unless others are tighter by so much."""


@dataclass(frozen=True)
class Scale:
    """How a behaviour is made comparable with the others."""

    means: Floats
    deviations: Floats

    @classmethod
    def of(cls, values: Floats) -> Scale:
        """The scale on which `values` have mean 0 and deviation 1."""
        deviations = values.std(axis=0)
        return cls(values.mean(axis=0), np.where(deviations > 0, deviations, 1.0))

    def standardised(self, values: Floats) -> Floats:
        """`values` on the scale, those far out drawn in."""
        standardised: Floats = np.clip((values - self.means) / self.deviations, -LIMIT, LIMIT)
        return standardised


@dataclass(frozen=True)
class Clustering:
    """Clusters that were found.

    Attributes:
        centres: One row a cluster, on the scale.
        stability: Mean Jaccard similarity of each cluster over the resamples.
        tried: Number of clusters → lowest stability of one of them.
    """

    centres: Floats
    stability: Floats
    tried: dict[int, float]


def informative(standardised: Floats, most_alike: float = 0.95) -> NDArray[np.bool_]:
    """Which columns tell customers apart: those in which no single value has more than a share `most_alike`."""
    keep = np.empty(standardised.shape[1], dtype=np.bool_)
    for column in range(standardised.shape[1]):
        _, counts = np.unique(standardised[:, column], return_counts=True)
        keep[column] = counts.max(initial=0) <= most_alike * len(standardised)
    return keep


def find_clusters(
    points: Floats,
    *,
    fewest: int,
    most: int,
    min_stability: float,
    min_share: float,
    seed: int,
    before: Floats | None = None,
) -> Clustering:
    """The largest number of clusters of which each is stable; the most stable number where none is.

    Where there were clusters before, their number is kept as long as it is nearly as stable as asked for, and so are
    they themselves where no others fit clearly better.

    Args:
        points: Customers on the scale, in an order that says nothing about them.
        fewest: Fewest clusters to try.
        most: Most clusters to try.
        min_stability: Mean Jaccard similarity from which a cluster is stable.
        min_share: Share of the customers that a cluster must hold.
        seed: Seed of the starts and of the resamples.
        before: Centres of before on the scale, where there are any.
    """
    from threadpoolctl import threadpool_limits

    # Several threads would add in an order of their own: the same customers are to give the same centres.
    with threadpool_limits(limits=1):
        return _find_clusters(points, range(fewest, most + 1), min_stability, min_share, seed, before)


def _find_clusters(
    points: Floats, counts: range, min_stability: float, min_share: float, seed: int, before: Floats | None
) -> Clustering:
    looked_at = points[:_LOOKED_AT]
    distinct = len(np.unique(looked_at, axis=0))
    found: dict[int, tuple[Floats, Floats, float]] = {}
    for count in (count for count in counts if count <= distinct):
        centres, labels, spread = _k_means(looked_at, count, seed, _STARTS)
        if before is not None and len(before) == count:
            continued = _k_means(looked_at, count, seed, 1, before)
            if continued[2] <= _WORSE * spread:
                centres, labels, _ = continued
        shares = np.bincount(labels, minlength=count) / len(labels)
        found[count] = (centres, _stability(looked_at, labels, count, seed), float(shares.min()))
    wide = [count for count, (_, _, share) in found.items() if share >= min_share] or list(found)
    lowest = {count: round(float(found[count][1].min()), 6) for count in found}
    stable = [count for count in wide if lowest[count] >= min_stability]
    chosen = max(stable) if stable else min(wide, key=lambda count: (-lowest[count], count))
    if before is not None and len(before) in wide and lowest[len(before)] >= min_stability - _SLACK:
        chosen = len(before)
    centres, stability, _ = found[chosen]
    # All points move the centres to their final place; which clusters there are is decided.
    centres, _, _ = _k_means(points, chosen, seed, 1, centres)
    return Clustering(np.round(centres, 6), np.round(stability, 4), lowest)


def _k_means(
    points: Floats, count: int, seed: int, starts: int, centres: Floats | None = None
) -> tuple[Floats, Labels, float]:
    """Centres, labels and the sum of squared distances."""
    from sklearn.cluster import KMeans

    fitted = KMeans(count, init="k-means++" if centres is None else centres, n_init=starts, random_state=seed).fit(
        points
    )
    return np.asarray(fitted.cluster_centers_), np.asarray(fitted.labels_, dtype=np.int64), float(fitted.inertia_)


def _stability(points: Floats, labels: Labels, count: int, seed: int) -> Floats:
    random = np.random.default_rng(seed)
    similarity = np.zeros((_RESAMPLES, count))
    for resample in range(_RESAMPLES):
        drawn = np.sort(random.integers(0, len(points), len(points)))
        _, others, _ = _k_means(points[drawn], count, seed + 1 + resample, _RESAMPLED_STARTS)
        distinct, first = np.unique(drawn, return_index=True)
        similarity[resample] = jaccard(labels[distinct], others[first], count)
    return similarity.mean(axis=0)


def jaccard(labels: Labels, others: Labels, count: int) -> Floats:
    """For each cluster of `labels` its Jaccard similarity to the most similar one of `others`, over the same points."""
    both = np.bincount(labels * count + others, minlength=count * count).reshape(count, count)
    either = both.sum(axis=1)[:, None] + both.sum(axis=0)[None, :] - both
    best: Floats = (both / np.maximum(either, 1)).max(axis=1)
    return best


@dataclass(frozen=True)
class Assignment:
    """Which cluster each customer is in.

    Attributes:
        places: Row of the centre.
        distances: Distance to it, on the scale.
        silhouette: Mean of (b - a) / b over the customers: a is the distance to the nearest centre, b to the second.
    """

    places: Labels
    distances: Floats
    silhouette: float


def assign(points: Floats, centres: Floats, before: Labels, margin: float) -> Assignment:
    """The nearest centre for each customer, or the one of before unless another is nearer by `margin`.

    Args:
        points: Customers on the scale.
        centres: One row a cluster.
        before: Row of the centre that the customer belonged to, -1 where there is none.
        margin: Share by which another centre must be nearer than the one of before.
    """
    places = np.empty(len(points), dtype=np.int64)
    distances = np.empty(len(points), dtype=np.float64)
    silhouettes = np.zeros(len(points), dtype=np.float64)
    for start in range(0, len(points), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        found = _distances(points[chunk], centres)
        rows = np.arange(len(found))
        nearest = found.argmin(axis=1)
        old = before[chunk]
        nearer = found[rows, nearest] < (1 - margin) * found[rows, np.maximum(old, 0)]
        places[chunk] = np.where((old < 0) | nearer, nearest, old)
        distances[chunk] = found[rows, places[chunk]]
        if len(centres) > 1:
            closest = np.partition(found, 1, axis=1)[:, :2]
            silhouettes[chunk] = 1 - closest[:, 0] / np.maximum(closest[:, 1], 1e-9)
    return Assignment(places, distances, round(float(silhouettes.mean()) if len(points) else 0.0, 6))


def _distances(points: Floats, centres: Floats) -> Floats:
    """Distance of each point to each centre; summed column by column, so that no library changes the last digits."""
    squared = np.zeros((len(points), len(centres)))
    for place, centre in enumerate(centres):
        for column in range(points.shape[1]):
            squared[:, place] += (points[:, column] - centre[column]) ** 2
    return np.asarray(np.round(np.sqrt(squared), 6), dtype=np.float64)


def shift(before: Floats, now: Floats) -> float:
    """Population stability index of two lists of shares: the sum of (now - before) ln(now / before)."""
    old, new = np.maximum(before, 1e-4), np.maximum(now, 1e-4)
    return round(float(((new - old) * np.log(new / old)).sum()), 6)


def matched(old: Floats, new: Floats) -> dict[int, int]:
    """Row of a new centre → row of the old centre that it continues, at most one each.

    Pairs have the least distance in sum (Hungarian method). A pair counts only if the old centre lies nearer to its new
    one than half of the way from there to the next new one: else the new one is another segment.
    """
    from scipy.optimize import linear_sum_assignment

    if not len(old):
        return {}
    between = _distances(new, old)
    apart = _distances(new, new)
    np.fill_diagonal(apart, np.inf)
    reach = apart.min(axis=1) / 2
    rows, columns = linear_sum_assignment(between)
    return {
        int(row): int(column) for row, column in zip(rows, columns, strict=True) if between[row, column] <= reach[row]
    }
