"""Reads the rows of the churn model from the marts: labelled ones for training, those of a day for scoring.

One row per customer and observation date, by column, never by customer. The order is that of the date and the key, so
that everything computed from the rows is the same however the database stores them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from retention_pipeline.churn.features import Feature
from retention_pipeline.quoting import identifier

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class LabelledRows:
    """Customers at past dates, of whom it is known who left.

    Args:
        features: The columns of `matrix`.
        matrix: A value per row and feature, NaN where it is missing.
        churned: Whether the customer left within the horizon.
        customers: A number per customer, the same at all dates.
        dates: The observation dates, ascending.
        starts: Where the rows of each date begin, and the number of all rows at the end.
    """

    features: tuple[Feature, ...]
    matrix: Floats
    churned: Flags
    customers: Integers
    dates: tuple[date, ...]
    starts: tuple[int, ...]

    def between(self, first: int, last: int) -> slice:
        """The rows of the dates numbered `first` to `last`, both included."""
        return slice(self.starts[first], self.starts[last + 1])

    def with_features(self, features: Sequence[Feature]) -> LabelledRows:
        """The same rows with some of the features."""
        if tuple(features) == self.features:
            return self
        places = [self.features.index(feature) for feature in features]
        matrix = np.ascontiguousarray(self.matrix[:, places])
        return LabelledRows(tuple(features), matrix, self.churned, self.customers, self.dates, self.starts)

    def fingerprint(self) -> str:
        """SHA-256 of everything that a model can learn from these rows."""
        digest = hashlib.sha256()
        digest.update("|".join(feature.name for feature in self.features).encode())
        digest.update("|".join(day.isoformat() for day in self.dates).encode())
        digest.update(np.asarray(self.starts, dtype="<i8").tobytes())
        for part in (self.customers, self.churned, self.matrix):
            digest.update(np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
        return digest.hexdigest()


def read_labelled_rows(
    con: DuckDBPyConnection, day: date, features: Sequence[Feature], horizon_days: int
) -> LabelledRows:
    """The labelled rows whose outcome was known by the end of `day`, by date and key."""
    found = con.execute(
        "SELECT l.as_of AS as_of, l.has_churned AS has_churned,"
        f" dense_rank() OVER (ORDER BY l.customer_key) AS customer, {_numbered([feature.name for feature in features])}"
        " FROM marts.churn_labels l JOIN marts.customer_features f"
        " ON f.as_of = l.as_of AND f.customer_key = l.customer_key"
        " WHERE l.as_of <= ? ORDER BY l.as_of, l.customer_key",
        [day - timedelta(days=horizon_days)],
    ).fetchnumpy()
    days = np.asarray(found.pop("as_of"), dtype="datetime64[D]")
    churned = np.asarray(found.pop("has_churned"), dtype=bool)
    customers = np.asarray(found.pop("customer"), dtype=np.int64)
    dates, starts = np.unique(days, return_index=True)
    return LabelledRows(
        features=tuple(features),
        matrix=_matrix(found, len(features), len(days)),
        churned=churned,
        customers=customers,
        dates=tuple(dates.tolist()),
        starts=(*starts.tolist(), len(days)),
    )


def read_rows_to_score(con: DuckDBPyConnection, day: date, features: Sequence[str]) -> tuple[NDArray[Any], Floats]:
    """Keys and feature values of those to score on `day`: active, and without a notice that they leave."""
    found = con.execute(
        f"SELECT f.customer_key AS customer_key, {_numbered(features)} FROM marts.customer_features f"
        " WHERE f.as_of = ? AND NOT coalesce(f.has_given_notice, false) ORDER BY f.customer_key",
        [day],
    ).fetchnumpy()
    keys = np.asarray(found.pop("customer_key"), dtype=object)
    return keys, _matrix(found, len(features), len(keys))


def _numbered(names: Sequence[str]) -> str:
    return ", ".join(f"CAST(f.{identifier(name)} AS DOUBLE) AS c{place}" for place, name in enumerate(names))


def _matrix(columns: dict[str, Any], width: int, height: int) -> Floats:
    """The columns side by side; each is let go as soon as it has been copied."""
    matrix = np.empty((height, width), dtype=np.float64)
    for place in range(width):
        column = columns.pop(f"c{place}")
        matrix[:, place] = np.ma.filled(column, np.nan) if isinstance(column, np.ma.MaskedArray) else column
    matrix[~np.isfinite(matrix)] = np.nan
    return matrix
