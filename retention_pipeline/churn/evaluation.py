"""Judges predictions on rows that the model has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from retention_pipeline.churn import metrics
from retention_pipeline.churn.features import Feature
from retention_pipeline.churn.rows import Flags, Floats, Integers, LabelledRows

IMPORTANCE_ROWS = 2000
"""Rows on which features are shuffled: the cost stays the same for a business of any size."""
IMPORTANCE_REPEATS = 5


@dataclass(frozen=True)
class Metrics:
    """What a test says about a set of predictions.

    Args:
        rows: Rows of the test; a customer counts once for every test date.
        customers: Different customers.
        base_rate: Share of rows that left.
        mean_predicted: Mean prediction; equal to the base rate when the level is right.
        auc: Area under the ROC curve, with its 95 % interval, customers taken as clusters.
        auc_low: Lower end.
        auc_high: Upper end.
        pr_auc: Average precision; that of random order is the base rate.
        brier: Mean squared error of the probabilities.
        brier_base_rate: The same when everyone is given the base rate of the test itself.
        log_loss: Mean log loss of the probabilities, natural logarithm.
        log_loss_base_rate: The same when everyone is given the base rate of the test itself.
        lift_top_decile: Churn among the highest tenth of predictions over the base rate.
    """

    rows: int
    customers: int
    base_rate: float
    mean_predicted: float
    auc: float
    auc_low: float
    auc_high: float
    pr_auc: float
    brier: float
    brier_base_rate: float
    log_loss: float
    log_loss_base_rate: float
    lift_top_decile: float


def measure(churned: Flags, predicted: Floats, customers: Integers) -> Metrics:
    """All metrics of a set of predictions; both outcomes must occur."""
    base_rate = float(np.mean(churned))
    everyone = np.full(len(churned), base_rate)
    auc, low, high = metrics.area_under_roc(churned, predicted, customers)
    return Metrics(
        rows=len(churned),
        customers=len(np.unique(customers)),
        base_rate=base_rate,
        mean_predicted=float(np.mean(predicted)),
        auc=auc,
        auc_low=low,
        auc_high=high,
        pr_auc=metrics.average_precision(churned, predicted),
        brier=metrics.brier_score(churned, predicted),
        brier_base_rate=metrics.brier_score(churned, everyone),
        log_loss=float(np.mean(metrics.log_losses(churned, predicted))),
        log_loss_base_rate=float(np.mean(metrics.log_losses(churned, everyone))),
        lift_top_decile=metrics.top_decile_lift(churned, predicted),
    )


def measure_by_date(rows: LabelledRows, first: int, predicted: Floats) -> list[dict[str, object]]:
    """Base rate, mean prediction and AUC of each test date; the AUC is None where only one outcome occurs.

    Args:
        rows: The labelled rows.
        first: Number of the first date that was predicted; the last one is the newest.
        predicted: Predictions from the first row of that date on.
    """
    table: list[dict[str, object]] = []
    for number in range(first, len(rows.dates)):
        inside = rows.between(number, number)
        offset = rows.starts[first]
        values = predicted[inside.start - offset : inside.stop - offset]
        churned, customers = rows.churned[inside], rows.customers[inside]
        auc = metrics.area_under_roc(churned, values, customers)[0] if 0 < np.mean(churned) < 1 else None
        table.append(
            {
                "as_of": rows.dates[number].isoformat(),
                "rows": len(churned),
                "base_rate": float(np.mean(churned)),
                "mean_predicted": float(np.mean(values)),
                "auc": auc,
            }
        )
    return table


def permutation_importance(
    predict: Callable[[Floats], Floats], matrix: Floats, churned: Flags, features: Sequence[Feature], seed: int
) -> dict[str, float]:
    """By how much the log loss rises when one feature's values are shuffled among the rows (Breiman 2001).

    Two features that say the same can stand in for each other, and then neither looks important.

    Args:
        predict: Gives probabilities for rows of features.
        matrix: Rows that the model has not seen; of many, `IMPORTANCE_ROWS` evenly spread ones are taken.
        churned: Whether each row left.
        features: The columns of `matrix`.
        seed: Seed of the shuffling.
    """
    if len(matrix) > IMPORTANCE_ROWS:
        taken = np.linspace(0, len(matrix) - 1, IMPORTANCE_ROWS).astype(int)
        matrix, churned = matrix[taken], churned[taken]
    usual = float(np.mean(metrics.log_losses(churned, predict(matrix))))
    random = np.random.default_rng(seed)
    orders = np.concatenate([random.permutation(len(matrix)) for _ in range(IMPORTANCE_REPEATS)])
    shuffled, outcome = np.tile(matrix, (IMPORTANCE_REPEATS, 1)), np.tile(churned, IMPORTANCE_REPEATS)
    importance = {}
    for place, feature in enumerate(features):
        kept = shuffled[:, place].copy()
        shuffled[:, place] = matrix[orders, place]
        importance[feature.name] = float(np.mean(metrics.log_losses(outcome, predict(shuffled)))) - usual
        shuffled[:, place] = kept
    return importance
