"""Writes the scores of a day and what is known about the model behind them, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from retention_pipeline.churn.model import TrainedModel
from retention_pipeline.churn.recipes import LOGISTIC
from retention_pipeline.churn.rows import Floats, read_rows_to_score
from retention_pipeline.quoting import identifier, literal
from retention_pipeline.transactions import transaction
from retention_pipeline.workspace.segment_settings import RiskSettings

USUAL_BANDS = RiskSettings()

TABLES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "churn_scores": {
        "as_of": ("DATE", "Day at whose end the customer was scored."),
        "customer_key": ("VARCHAR", "Pseudonymous key of the customer."),
        "churn_probability": ("DOUBLE", "Probability of being lost within the horizon, 0 to 1, six digits."),
        "risk_band": (
            "VARCHAR",
            "high, medium or low, by the odds of leaving against those of the base rate, as segments.risk says.",
        ),
        "risk_rank": ("INTEGER", "1 for the highest probability; equal ones in the order of the key."),
        "model_id": ("VARCHAR", "The model that gave the score."),
    },
    "churn_model": {
        "model_id": ("VARCHAR", "Digest of recipe, data and library versions."),
        "as_of": ("DATE", "Day that was scored."),
        "algorithm": ("VARCHAR", "The recipe that scores: hist_gradient_boosting or logistic_regression."),
        "trained_from": ("DATE", "First date that the tested model learned from."),
        "trained_to": ("DATE", "Last date that the tested model learned from; its horizon ends before the test."),
        "test_from": ("DATE", "First test date."),
        "test_to": ("DATE", "Last test date."),
        "train_rows": ("BIGINT", "Customer-dates that the tested model learned from."),
        "test_rows": ("BIGINT", "Customer-dates of the test."),
        "base_rate": ("DOUBLE", "Share of the test rows that were lost, 0 to 1."),
        "auc": ("DOUBLE", "Area under the ROC curve on the test."),
        "auc_low": ("DOUBLE", "Lower end of its 95 % interval, customers taken as the unit."),
        "auc_high": ("DOUBLE", "Upper end of its 95 % interval."),
        "pr_auc": ("DOUBLE", "Average precision on the test; random order gives the base rate."),
        "brier": ("DOUBLE", "Mean squared error of the probabilities on the test."),
        "brier_base_rate": ("DOUBLE", "The same when everyone is given the base rate of the test."),
        "log_loss": ("DOUBLE", "Mean log loss on the test, natural logarithm."),
        "lift_top_decile": ("DOUBLE", "Churn among the tenth with the highest predictions, over the base rate."),
        "baseline_auc": ("DOUBLE", "Area under the ROC curve of the logistic regression on the same test."),
        "baseline_pr_auc": ("DOUBLE", "Average precision of the logistic regression on the same test."),
        "baseline_brier": ("DOUBLE", "Mean squared error of the logistic regression on the same test."),
        "features": ("INTEGER", "Number of features used."),
    },
    "churn_calibration": {
        "bin": ("INTEGER", "Tenth of the test rows by prediction, 1 the lowest."),
        "predicted": ("DOUBLE", "Mean prediction, 0 to 1."),
        "observed": ("DOUBLE", "Share that was lost, 0 to 1."),
        "observed_low": ("DOUBLE", "Lower end of the 95 % interval of that share (Wilson)."),
        "observed_high": ("DOUBLE", "Upper end of the 95 % interval of that share (Wilson)."),
        "customers": ("BIGINT", "Customer-dates in the bin."),
    },
    "feature_importance": {
        "feature": ("VARCHAR", "Column of customer_features."),
        "importance": ("DOUBLE", "Rise of the log loss on the test when the feature is shuffled."),
    },
}
"""Table of schema `decisions` → column → type and meaning."""


def score(con: DuckDBPyConnection, model: TrainedModel, day: date, risk: RiskSettings = USUAL_BANDS) -> None:
    """Score the active customers of `day` who have not given notice, and write the four tables of the model."""
    keys, matrix = read_rows_to_score(con, day, model.features)
    probabilities = model.probabilities(matrix)
    order = np.lexsort((np.arange(len(keys)), -probabilities))
    ranks = np.empty(len(keys), dtype=np.int32)
    ranks[order] = np.arange(1, len(keys) + 1, dtype=np.int32)
    scored = {
        "customer_key": keys,
        "churn_probability": probabilities,
        "risk_band": risk_bands(probabilities, _tested(model)["base_rate"], risk),
        "risk_rank": ranks,
    }
    con.register("scored", scored)
    try:
        with transaction(con):
            _create_tables(con)
            con.execute(
                "INSERT INTO decisions.churn_scores SELECT ?, customer_key, churn_probability, risk_band, risk_rank, ?"
                " FROM scored ORDER BY customer_key",
                [day, model.model_id],
            )
            for table, rows in _facts(model, day).items():
                _insert(con, table, rows)
    finally:
        con.unregister("scored")


def clear_scores(con: DuckDBPyConnection) -> None:
    """Leave the four tables empty, with their columns: the day has no model."""
    with transaction(con):
        _create_tables(con)


def risk_bands(probabilities: Floats, base_rate: float, risk: RiskSettings = USUAL_BANDS) -> NDArray[Any]:
    """`low`, `medium` or `high` for each probability, by its odds against those of the base rate."""
    odds = base_rate / (1 - base_rate)
    high, low = risk.high_odds * odds, risk.low_odds * odds
    # p / (1 - p) >= limit, without a division that fails at 1
    is_high = probabilities >= high * (1 - probabilities)
    is_low = probabilities <= low * (1 - probabilities)
    return np.where(is_high, "high", np.where(is_low, "low", "medium")).astype(object)


def _create_tables(con: DuckDBPyConnection) -> None:
    con.execute("CREATE SCHEMA IF NOT EXISTS decisions")
    for table, columns in TABLES.items():
        listed = ", ".join(f"{identifier(name)} {kind} NOT NULL" for name, (kind, _) in columns.items())
        con.execute(f"CREATE OR REPLACE TABLE decisions.{table} ({listed})")
        for name, (_, meaning) in columns.items():
            con.execute(f"COMMENT ON COLUMN decisions.{table}.{identifier(name)} IS {literal(meaning)}")


def _insert(con: DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    if rows:
        con.executemany(f"INSERT INTO decisions.{table} VALUES ({', '.join('?' * len(TABLES[table]))})", rows)


def _tested(model: TrainedModel) -> Mapping[str, Any]:
    metrics: Mapping[str, Any] = model.card["metrics"][model.card["algorithm"]]
    return metrics


def _facts(model: TrainedModel, day: date) -> dict[str, list[list[object]]]:
    """The rows of the three tables about the model."""
    card, tested = model.card, _tested(model)
    baseline = card["metrics"][LOGISTIC]
    importance: Mapping[str, float] = card["feature_importance"]
    training, test = card["data"]["training"], card["data"]["test"]
    facts = {
        **{name: tested[name] for name in TABLES["churn_model"] if name in tested},
        "model_id": model.model_id,
        "as_of": day,
        "algorithm": card["algorithm"],
        "trained_from": training["from"],
        "trained_to": training["to"],
        "test_from": test["from"],
        "test_to": test["to"],
        "train_rows": training["rows"],
        "test_rows": test["rows"],
        "baseline_auc": baseline["auc"],
        "baseline_pr_auc": baseline["pr_auc"],
        "baseline_brier": baseline["brier"],
        "features": len(model.features),
    }
    return {
        "churn_model": [[facts[name] for name in TABLES["churn_model"]]],
        "churn_calibration": [[row[name] for name in TABLES["churn_calibration"]] for row in card["calibration_bins"]],
        "feature_importance": [
            [name, importance[name]] for name in sorted(importance, key=lambda n: (-importance[n], n))
        ],
    }
