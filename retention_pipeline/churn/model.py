"""Trains the churn model of a day: a test on the newest dates, then a final fit on all dates.

1. Two recipes learn from the training dates, whose outcome was known before the first test date.
2. Both predict the test dates: these are the published metrics. They decide which recipe scores.
3. That recipe learns once more, from all dates with a known outcome. This is the model that scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
from duckdb import DuckDBPyConnection

from retention_pipeline.churn import recipes
from retention_pipeline.churn.card import NOTES, data_windows, model_digest, model_inputs, with_six_digits
from retention_pipeline.churn.evaluation import measure, measure_by_date, permutation_importance
from retention_pipeline.churn.features import wanted_features
from retention_pipeline.churn.metrics import Z95, brier_score, calibration_bins, log_losses, mean_difference
from retention_pipeline.churn.rows import Flags, Floats, Integers, LabelledRows, read_labelled_rows
from retention_pipeline.churn.splitting import NotEnoughHistory, split_by_time
from retention_pipeline.workspace.schema import ChurnSettings

__all__ = ["NotEnoughHistory", "TrainedModel", "train"]

TWO_YEARS = 730


@dataclass(frozen=True)
class TrainedModel:
    """A model that scores, with its card.

    Args:
        card: Everything that is known about it; plain values, as in `card.json`.
        estimator: The fitted estimator of scikit-learn.
        day: The day for which it was trained; None for one that was read from the registry.
    """

    card: Mapping[str, Any]
    estimator: Any
    day: date | None = None

    @property
    def model_id(self) -> str:
        """Digest of the recipe, the data and the libraries: the same inputs, the same id."""
        return str(self.card["model_id"])

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features in the order in which the estimator takes them."""
        return tuple(feature["name"] for feature in self.card["features"])

    def probabilities(self, matrix: Floats) -> Floats:
        """Probability of leaving within the horizon for each row of features, with six digits."""
        return recipes.Fitted(self.estimator, recipes.Calibration(**self.card["calibration"])).probabilities(matrix)


def train(
    con: DuckDBPyConnection, day: date, settings: ChurnSettings, on_progress: Callable[[str], None] | None = None
) -> TrainedModel:
    """Train, test and refit the churn model with what was known by the end of `day`.

    Args:
        con: A warehouse with `marts.churn_labels` and `marts.customer_features`.
        day: The as-of day.
        settings: The horizon, the test dates, the features to leave out and the seed.
        on_progress: Called with a line on what is being done.

    Raises:
        NotEnoughHistory: There are too few dates, rows or churners for a model that can be tested.
        RetentionError: The configuration excludes a feature that does not exist, or all of them.
    """
    tell = on_progress or (lambda _line: None)
    wanted = wanted_features(settings.excluded_features)
    tell("reading the customers whose outcome is known")
    rows = read_labelled_rows(con, day, wanted, settings.horizon_days)
    split = split_by_time(rows, day, settings.test_dates, settings.horizon_days)
    left_out = dict.fromkeys(settings.excluded_features, "excluded by the configuration")
    left_out |= _useless(rows, split.last_training)
    rows = rows.with_features([feature for feature in rows.features if feature.name not in left_out])

    learned = rows.between(0, split.last_training)
    tested = rows.between(split.first_test, split.last_test)
    tell(f"learning from {learned.stop:,} customer-dates, testing on {split.test_dates} later dates")
    fitted = {name: _fit(rows, learned, name, settings.seed) for name in recipes.BUILDERS}
    predicted = {name: recipe.probabilities(rows.matrix[tested]) for name, recipe in fitted.items()}
    churned, customers = rows.churned[tested], rows.customers[tested]
    choice = _choose(churned, predicted, customers)
    algorithm = choice["algorithm"]
    importance = permutation_importance(
        fitted[algorithm].probabilities, rows.matrix[tested], churned, rows.features, settings.seed
    )

    tell(f"training on {len(rows.churned):,} customer-dates")
    final = _fit(rows, slice(0, len(rows.churned)), algorithm, settings.seed)
    inputs = model_inputs(rows, settings)
    card = {
        "model_id": model_digest(inputs),
        "algorithm": algorithm,
        "inputs": inputs,
        "calibration": asdict(final.calibration),
        "features": [{"name": feature.name, "description": feature.description} for feature in rows.features],
        "features_left_out": dict(sorted(left_out.items())),
        "data": data_windows(rows, split),
        "choice": choice,
        "metrics": {name: asdict(measure(churned, values, customers)) for name, values in predicted.items()},
        "metrics_by_test_date": measure_by_date(rows, split.first_test, predicted[algorithm]),
        "calibration_bins": [asdict(tenth) for tenth in calibration_bins(churned, predicted[algorithm])],
        "feature_importance": importance,
        "notes": list(NOTES),
    }
    return TrainedModel(with_six_digits(card), final.estimator, day)


def _useless(rows: LabelledRows, last: int) -> dict[str, str]:
    """Features from which nothing can be learned, with the reason."""
    useless = {}
    learned = rows.between(0, last)
    for place, feature in enumerate(rows.features):
        values = rows.matrix[learned, place]
        if np.isnan(values).all():
            useless[feature.name] = "no values in the training dates"
        elif (values == values[0]).all():
            useless[feature.name] = "one and the same value in the training dates"
        elif feature.is_calendar and (rows.dates[last] - rows.dates[0]).days < TWO_YEARS:
            # With each month seen once, the month names the date, and the model would learn the dates by heart.
            useless[feature.name] = "less than two years of training dates"
    return useless


def _fit(rows: LabelledRows, learned: slice, algorithm: str, seed: int) -> recipes.Fitted:
    return recipes.fit_calibrated(algorithm, rows.matrix[learned], rows.churned[learned], rows.customers[learned], seed)


def _choose(churned: Flags, predicted: Mapping[str, Floats], customers: Integers) -> dict[str, Any]:
    """Boosting, unless the logistic regression has the smaller log loss beyond noise and no larger Brier score."""
    boosting, logistic = (log_losses(churned, predicted[name]) for name in (recipes.BOOSTING, recipes.LOGISTIC))
    gain, error = mean_difference(boosting - logistic, customers)
    brier_gain = brier_score(churned, predicted[recipes.BOOSTING]) - brier_score(churned, predicted[recipes.LOGISTIC])
    return {
        "algorithm": recipes.LOGISTIC if gain > Z95 * error and brier_gain >= 0 else recipes.BOOSTING,
        "log_loss_boosting_minus_logistic": gain,
        "standard_error": error,
        "brier_boosting_minus_logistic": brier_gain,
    }
