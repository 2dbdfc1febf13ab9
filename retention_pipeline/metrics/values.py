"""The newest value of every metric of a business, for the reference.

`python -m retention_pipeline.metrics.values --business data/saas` reads what the last run published and writes it into
`docs/metric_values.csv`, where the reference finds it. Run the business first, for its newest day.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from retention_pipeline.errors import RetentionError
from retention_pipeline.settings import PROJECT, state_paths
from retention_pipeline.workspace.loading import load_business

VALUES = PROJECT / "docs" / "metric_values.csv"
DIGITS = 6
_COLUMNS = ("business", "metric", "period", "day", "dimension", "value", "low", "high")
_PREFERRED = ("month", "to_date", "rolling_30d", "week", "day", "cohort")
"""Where a metric has several periods the first of these is shown."""

_NEWEST = """
    SELECT
        metric, period, day, dimension,
        CASE WHEN dimension = 'all' THEN value END,
        CASE WHEN dimension = 'all' THEN low END,
        CASE WHEN dimension = 'all' THEN high END
    FROM metric_values
    WHERE is_complete AND value IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY metric
        ORDER BY dimension <> 'all', list_position(?, period), day DESC, dimension, segment, mart
    ) = 1
    ORDER BY metric
"""
"""What is only published by segment has no one value: its dimension says so."""


@dataclass(frozen=True)
class NewestValue:
    """What a metric was in the newest complete period of a business.

    Args:
        business: The business.
        metric: The metric.
        period: The kind of period.
        day: First day of the period, or the day.
        dimension: `all`, or by what it is split where nothing is published of everybody together.
        value: The value of everybody with six significant digits; `low` and `high` are its interval, empty without one.
    """

    business: str
    metric: str
    period: str
    day: str
    dimension: str
    value: str
    low: str
    high: str


def newest_values(business: str, database: Path) -> list[NewestValue]:
    """The newest values of a business from its serving database."""
    with duckdb.connect(str(database), read_only=True) as con:
        rows = con.execute(_NEWEST, [list(_PREFERRED)]).fetchall()
    return [
        NewestValue(business, metric, period, day.isoformat(), dimension, _text(value), _text(low), _text(high))
        for metric, period, day, dimension, value, low, high in rows
    ]


def read_values(path: Path = VALUES) -> list[NewestValue]:
    """The values that are kept, of all businesses."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [NewestValue(**row) for row in csv.DictReader(file)]


def with_values(kept: Sequence[NewestValue], values: Sequence[NewestValue]) -> str:
    """The file with the values of the businesses in `values` in place of those kept of them."""
    renewed = {value.business for value in values}
    rows = [*(value for value in kept if value.business not in renewed), *values]
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(vars(row) for row in sorted(rows, key=lambda row: (row.business, row.metric)))
    return out.getvalue()


def by_metric(values: Sequence[NewestValue]) -> Mapping[str, Mapping[str, NewestValue]]:
    """Metric → business → its newest value."""
    found: dict[str, dict[str, NewestValue]] = {}
    for value in values:
        found.setdefault(value.metric, {})[value.business] = value
    return found


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.{DIGITS}g}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the values of one business; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m retention_pipeline.metrics.values")
    parser.add_argument("--business", type=Path, required=True, help="folder of the business")
    options = parser.parse_args(arguments)
    try:
        business = load_business(options.business)
        paths = state_paths(business.name)
        if not paths.serving.exists():
            raise RetentionError(
                f"{business.name} has published nothing", where="--business", expected="a business that was run",
                way_out=f"make run BUSINESS={options.business}",
            )  # fmt: skip
        VALUES.write_text(with_values(read_values(), newest_values(business.name, paths.serving)), encoding="utf-8")
    except RetentionError as error:
        sys.stderr.write(f"{error.text()}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
