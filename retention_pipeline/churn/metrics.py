"""How good probabilities are: ranking, accuracy, calibration, each with its uncertainty.

The same customer is seen at several dates, so rows are not independent: intervals take customers as the unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import NormalDist

import numpy as np

from retention_pipeline.churn.rows import Flags, Floats, Integers

Z95 = NormalDist().inv_cdf(0.975)
SMALLEST = 1e-6
"""Probabilities are published with six digits; a logarithm never sees less than the last of them."""


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927); (0, 1) without trials."""
    if trials == 0:
        return 0.0, 1.0
    share, square = successes / trials, Z95 * Z95
    centre = (share + square / (2 * trials)) / (1 + square / trials)
    spread = Z95 / (1 + square / trials) * sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    return max(0.0, centre - spread), min(1.0, centre + spread)


def area_under_roc(churned: Flags, predicted: Floats, customers: Integers) -> tuple[float, float, float]:
    """Area under the ROC curve with its 95 % interval, customers taken as clusters.

    The area is the probability that a row that left is ranked above one that stayed, ties counting half. The variance
    is that of DeLong's structural components summed by customer (Obuchowski 1997, Biometrics 53:567-578); the interval
    is symmetric on the logit scale, so that it stays within 0 and 1.

    Args:
        churned: Whether each row left; both kinds must occur.
        predicted: The prediction of each row.
        customers: The customer of each row.
    """
    from scipy.stats import rankdata

    ranks = rankdata(predicted)
    left, stayed = np.flatnonzero(churned), np.flatnonzero(~churned)
    components = np.empty(len(predicted))
    components[left] = (ranks[left] - rankdata(predicted[left])) / len(stayed)
    components[stayed] = 1.0 - (ranks[stayed] - rankdata(predicted[stayed])) / len(left)
    area = float(components[left].mean())

    _, cluster = np.unique(customers, return_inverse=True)
    clusters = int(cluster.max()) + 1
    deviation = components - area
    of_left = np.bincount(cluster[left], weights=deviation[left], minlength=clusters)
    of_stayed = np.bincount(cluster[stayed], weights=deviation[stayed], minlength=clusters)
    with_left, with_stayed = len(np.unique(cluster[left])), len(np.unique(cluster[stayed]))
    variance = (
        _scaled(with_left) * float(of_left @ of_left) / len(left) ** 2
        + _scaled(with_stayed) * float(of_stayed @ of_stayed) / len(stayed) ** 2
        + 2 * _scaled(clusters) * float(of_left @ of_stayed) / (len(left) * len(stayed))
    )
    if not 0.0 < area < 1.0:
        return area, area, area
    spread = Z95 * sqrt(max(variance, 0.0)) / (area * (1 - area))
    centre = log(area / (1 - area))
    return area, 1 / (1 + exp(spread - centre)), 1 / (1 + exp(-spread - centre))


def _scaled(clusters: int) -> float:
    return clusters / (clusters - 1) if clusters > 1 else 1.0


def average_precision(churned: Flags, predicted: Floats) -> float:
    """Area under the precision-recall curve as the mean precision at each churner; tied rows count as one step."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(churned, predicted))


def brier_score(churned: Flags, predicted: Floats) -> float:
    """Mean squared distance of the probabilities from what happened (Brier 1950); 0 is perfect."""
    return float(np.mean((predicted - churned) ** 2))


def log_losses(churned: Flags, predicted: Floats) -> Floats:
    """Minus the natural logarithm of the probability given to what happened, of each row."""
    chance = np.where(churned, predicted, 1.0 - predicted)
    return np.asarray(-np.log(np.clip(chance, SMALLEST, 1.0)))


def top_decile_lift(churned: Flags, predicted: Floats) -> float:
    """Churn among the tenth of rows with the highest predictions, over the churn of all rows.

    The tenth is rounded up. Rows tied at its border count with the churn of all rows tied there, so that the order of
    equal predictions cannot matter.
    """
    size = -(-len(predicted) // 10)
    border = np.partition(predicted, len(predicted) - size)[len(predicted) - size]
    above, at = predicted > border, predicted == border
    missing = size - np.count_nonzero(above)
    caught = np.count_nonzero(churned & above) + missing * np.count_nonzero(churned & at) / np.count_nonzero(at)
    return float(caught / size / np.mean(churned))


@dataclass(frozen=True)
class CalibrationBin:
    """Rows with about the same prediction: what was predicted for them, and what happened.

    Args:
        bin: 1 (lowest predictions) to 10.
        predicted: Mean prediction.
        observed: Share that left, with its 95 % interval by Wilson.
        observed_low: Lower end.
        observed_high: Upper end.
        customers: Rows: a customer counts once for every test date.
    """

    bin: int
    predicted: float
    observed: float
    observed_low: float
    observed_high: float
    customers: int


def calibration_bins(churned: Flags, predicted: Floats) -> tuple[CalibrationBin, ...]:
    """Tenths of the rows by prediction. Equal predictions share a bin, so a bin can be larger, and others missing."""
    from scipy.stats import rankdata

    tenth = ((rankdata(predicted, method="min") - 1) * 10 // len(predicted)).astype(int)
    bins = []
    for number in range(10):
        inside = tenth == number
        rows = int(np.count_nonzero(inside))
        if rows:
            left = int(np.count_nonzero(churned & inside))
            low, high = wilson_interval(left, rows)
            bins.append(CalibrationBin(number + 1, float(predicted[inside].mean()), left / rows, low, high, rows))
    return tuple(bins)


def mean_difference(differences: Floats, customers: Integers) -> tuple[float, float]:
    """Mean of differences between rows, and its standard error with customers as clusters."""
    mean = float(differences.mean())
    _, cluster = np.unique(customers, return_inverse=True)
    sums = np.bincount(cluster, weights=differences - mean)
    return mean, sqrt(_scaled(len(sums)) * float(sums @ sums)) / len(differences)
