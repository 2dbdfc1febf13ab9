"""What is written on the card of a model: what it was made from, on which dates, and what the figures mean."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from retention_pipeline.churn import recipes
from retention_pipeline.churn.rows import LabelledRows
from retention_pipeline.churn.splitting import Split
from retention_pipeline.workspace.schema import ChurnSettings

RECIPE_VERSION = 1
"""To be raised with every change of the procedure that can change a model: it is part of the model's id."""

NOTES = (
    "The metrics are those of the recipe trained on the training dates and asked about the test dates. The model that "
    "scores is the same recipe, trained again on every date with a known outcome.",
    "The test also decides between two recipes, by a difference beyond noise. The figures of both are given; what the "
    "choice adds to those of the better one is small against their intervals.",
    "A customer counts once for every test date on which they were active.",
    "The intervals of the calibration (Wilson) take rows as independent, that of the AUC takes customers as the unit.",
    "The probability is that of leaving when the business goes on as on the dates learned from, campaigns included.",
)


def model_inputs(rows: LabelledRows, settings: ChurnSettings) -> dict[str, Any]:
    """Everything that determines a model: recipe, settings, data, libraries."""
    return {
        "recipe_version": RECIPE_VERSION,
        "recipes": {name: dict(values) for name, values in recipes.PARAMETERS.items()},
        "settings": {
            "horizon_days": settings.horizon_days,
            "test_dates": settings.test_dates,
            "excluded_features": sorted(settings.excluded_features),
            "seed": settings.seed,
        },
        "data_fingerprint": rows.fingerprint(),
        "libraries": library_versions(),
    }


def library_versions() -> dict[str, str]:
    """Versions of what a model is computed and stored with."""
    libraries = {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "skops")}
    return {"python": ".".join(platform.python_version_tuple()[:2]), **libraries}


def model_digest(inputs: Mapping[str, Any]) -> str:
    """The id of the model that these inputs give."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]


def data_windows(rows: LabelledRows, split: Split) -> dict[str, Any]:
    """Which dates and rows served for what."""

    def window(first: int, last: int) -> dict[str, Any]:
        inside = rows.between(first, last)
        return {
            "from": rows.dates[first].isoformat(),
            "to": rows.dates[last].isoformat(),
            "dates": last - first + 1,
            "rows": inside.stop - inside.start,
            "base_rate": float(np.mean(rows.churned[inside])),
        }

    return {
        "training": window(0, split.last_training),
        "test": window(split.first_test, split.last_test),
        "test_dates_wanted": split.wanted_test_dates,
        "final_fit": window(0, len(rows.dates) - 1),
    }


def with_six_digits(card: Mapping[str, Any]) -> dict[str, Any]:
    """The card with every figure to six digits; what the model is computed from is kept as it is."""
    return {
        name: value if name in ("inputs", "calibration") else _with_six_digits(value) for name, value in card.items()
    }


def _with_six_digits(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {name: _with_six_digits(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_with_six_digits(part) for part in value]
    return value
