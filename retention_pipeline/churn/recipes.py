"""The two recipes for a churn model: boosted trees, and a logistic regression as the baseline to beat.

A recipe is an estimator of scikit-learn with everything that it learns from data inside it (imputation, scaling), and a
calibration: probability = sigmoid(slope x log-odds + intercept) (Platt 1999). The line is learned from predictions for
customers that the estimator had not seen, at the same dates: docs/model.md says why not from later dates. A sigmoid
keeps the order of customers and needs two numbers; an isotonic curve has steps that would tie them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from retention_pipeline.churn.rows import Flags, Floats, Integers

BOOSTING = "hist_gradient_boosting"
LOGISTIC = "logistic_regression"

PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    # Small trees, large leaves and a slow rate: the rows of one customer repeat from month to month, so a leaf of a
    # hundred rows holds far fewer than a hundred people. Without early stopping, whose random part would hold the same
    # people.
    BOOSTING: {
        "max_iter": 100,
        "learning_rate": 0.05,
        "max_leaf_nodes": 8,
        "min_samples_leaf": 100,
        "l2_regularization": 5.0,
        "early_stopping": False,
    },
    # The inverse hyperbolic sine is a logarithm that takes zero and negative values: revenue and counts are skewed.
    LOGISTIC: {"impute": "median", "transform": "arcsinh", "C": 0.1, "max_iter": 1000},
}

MANY_ROWS = 200_000
"""From so many rows on, the boosting uses every core, and one part of the customers is enough to calibrate."""
PARTS = 3
"""Parts of the customers, each predicted by an estimator that learned from the others."""


@dataclass(frozen=True)
class Calibration:
    """A line on the log-odds of an estimator."""

    slope: float = 1.0
    intercept: float = 0.0

    def probabilities(self, log_odds: Floats) -> Floats:
        """Calibrated probabilities, rounded to the six digits in which they are published."""
        from scipy.special import expit

        return np.asarray(np.round(expit(self.slope * log_odds + self.intercept), 6))


def build_boosting(seed: int) -> Any:
    """Gradient boosting on binned features; a missing value goes the way that serves best at each split."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=seed, **PARAMETERS[BOOSTING])


def build_logistic(_seed: int) -> Any:
    """Logistic regression on imputed, flagged, transformed and standardised features."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    settings = PARAMETERS[LOGISTIC]
    return Pipeline(
        [
            ("impute", SimpleImputer(strategy=settings["impute"], add_indicator=True)),
            ("transform", FunctionTransformer(np.arcsinh)),
            ("scale", StandardScaler()),
            ("classify", LogisticRegression(C=settings["C"], max_iter=settings["max_iter"])),
        ]
    )


BUILDERS: Mapping[str, Callable[[int], Any]] = {BOOSTING: build_boosting, LOGISTIC: build_logistic}


def fit(algorithm: str, matrix: Floats, churned: Flags, seed: int) -> Any:
    """Fit the estimator of a recipe.

    A feature without any value in these rows is taken as constant, so that nothing is learned from it: the boosting
    cannot bin an empty column, and an early part of the past can lack a feed that came later.
    """
    empty = np.isnan(matrix).all(axis=0)
    if empty.any():
        matrix = np.where(empty, 0.0, matrix)
    # Made before the threads are limited: only libraries that are loaded by then are limited.
    estimator = BUILDERS[algorithm](seed)
    with _threads_for(len(matrix)):
        return estimator.fit(matrix, churned)


def log_odds(estimator: Any, matrix: Floats) -> Floats:
    """The log-odds of leaving that an estimator gives, before calibration."""
    if not len(matrix):
        return np.empty(0)
    with _threads_for(len(matrix)):
        return np.asarray(estimator.decision_function(matrix), dtype=np.float64)


def calibrate(odds: Floats, churned: Flags) -> Calibration:
    """The line that makes predictions for unseen rows fit what happened.

    Where higher predictions did not mean more churn, the order tells nothing and only the level is set.
    """
    from sklearn.linear_model import LogisticRegression

    with _threads_for(len(odds)):
        line = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(odds[:, None], churned)
    slope, intercept = float(line.coef_[0, 0]), float(line.intercept_[0])
    if slope > 0:
        return Calibration(slope, intercept)
    share = float(np.mean(churned))
    return Calibration(0.0, float(np.log(share / (1 - share))))


@dataclass(frozen=True)
class Fitted:
    """A fitted recipe.

    Args:
        estimator: The estimator of scikit-learn.
        calibration: The line on its log-odds.
    """

    estimator: Any
    calibration: Calibration

    def probabilities(self, matrix: Floats) -> Floats:
        """Probability of leaving within the horizon for each row of features, with six digits."""
        return self.calibration.probabilities(log_odds(self.estimator, matrix))


def fit_calibrated(algorithm: str, matrix: Floats, churned: Flags, customers: Integers, seed: int) -> Fitted:
    """Fit a recipe with its calibration.

    There is no calibration where all who left, or all who stayed, are in one part of the customers.
    """
    calibration = Calibration()
    held_out = _held_out_log_odds(algorithm, matrix, churned, customers, seed)
    if held_out is not None:
        seen = ~np.isnan(held_out)
        calibration = calibrate(held_out[seen], churned[seen])
    return Fitted(fit(algorithm, matrix, churned, seed), calibration)


def _held_out_log_odds(algorithm: str, matrix: Floats, churned: Flags, customers: Integers, seed: int) -> Floats | None:
    """Log-odds of each row by an estimator that has not seen its customer.

    Of many rows only one part of the customers is predicted, NaN for the others: two numbers are learned from it.
    """
    part = customers % PARTS
    odds = np.full(len(matrix), np.nan)
    for number in range(PARTS if len(matrix) < MANY_ROWS else 1):
        others = part != number
        if not 0 < np.count_nonzero(churned[others]) < np.count_nonzero(others):
            return None
        odds[~others] = log_odds(fit(algorithm, matrix[others], churned[others], seed), matrix[~others])
    return odds


@contextmanager
def _threads_for(rows: int) -> Iterator[None]:
    """One thread for linear algebra: its sums depend on the number of threads, those of the boosting do not.

    The threads of the boosting wait for each other after every small step. On few rows that gains little, and costs
    much when the machine has other work.
    """
    from threadpoolctl import threadpool_limits

    limits = {"blas": 1} if rows >= MANY_ROWS else {"blas": 1, "openmp": 1}
    with threadpool_limits(limits=limits):
        yield
