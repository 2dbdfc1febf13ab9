"""Writes the marts `metrics` and `metric_values` from the declarations.

`python -m retention_pipeline.metrics.models` writes them; a test says when they differ from the declarations.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from retention_pipeline.metrics.declarations import COMPANIONS, MARTS, Metric, MetricMart, definitions, read_marts
from retention_pipeline.quoting import literal

FOLDER = "metrics"
_NOTE = "-- Written by retention_pipeline.metrics.models from the YAML of the marts; change those, not this file.\n"
_PARTS = {"numerator": "decimal(38, 6)", "denominator": "decimal(38, 6)", "low": "double", "high": "double"}


def metric_files(marts: Sequence[MetricMart], folder: Path = MARTS) -> dict[Path, str]:
    """Path → text of the two models."""
    return {
        folder / FOLDER / "metrics.sql": _definitions(marts),
        folder / FOLDER / "metric_values.sql": _NOTE + "\nunion all\n\n".join(_values(mart, marts) for mart in marts),
    }


def write_metric_models() -> None:
    """Write both models."""
    for path, text in metric_files(read_marts()).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _definitions(marts: Sequence[MetricMart]) -> str:
    places = {
        name: [mart for mart in marts if any(metric.name == name for metric in mart.metrics)]
        for name in definitions(marts)
    }
    rows = ",\n".join(
        "    ("
        + ", ".join(
            literal(text)
            for text in (
                metric.name, metric.definition, metric.formula, metric.unit, metric.better, metric.source,
                ", ".join(sorted({mart.name for mart in places[metric.name]})),
                ", ".join(sorted({mart.period for mart in places[metric.name]})),
            )
        )
        + ")"
        for metric in definitions(marts).values()
    )  # fmt: skip
    named = "metric, definition, formula, unit, better, source, marts, periods"
    owned = "metric, definition, formula, unit, better, 'Retention team' as owner, source, marts, periods"
    return f"{_NOTE}select\n    {owned}\nfrom (values\n{rows}\n) as declared({named})\n"


def _values(mart: MetricMart, marts: Sequence[MetricMart]) -> str:
    rows = ",\n".join(f"    ({', '.join(_cells(metric))})" for metric in mart.metrics)
    names = ", ".join(("metric", "value", *COMPANIONS))
    return (
        "select\n"
        f"    mart.{mart.time} as day,\n"
        f"    {literal(mart.period)} as period,\n"
        "    figure.metric,\n"
        f"    {_dimension(mart)} as dimension,\n"
        f"    {_segment(mart)} as segment,\n"
        "    figure.numerator,\n"
        "    figure.denominator,\n"
        "    figure.value,\n"
        "    figure.low,\n"
        "    figure.high,\n"
        f"    {'mart.is_complete' if mart.knows_completeness else 'true'} as is_complete,\n"
        f"    {literal(mart.name)} as mart\n"
        f"from {{{{ ref('{mart.name}') }}}} as mart\n"
        "cross join lateral (values\n"
        f"{rows}\n"
        f") as figure({names})\n"
        f"where (figure.value is not null or figure.denominator is not null){_told_elsewhere(mart, marts)}\n"
    )


def _told_elsewhere(mart: MetricMart, marts: Sequence[MetricMart]) -> str:
    """Leaves out what a mart in long form says of everybody where a mart of its own says the same."""
    if not mart.is_long:
        return ""
    own = {metric.name for metric in mart.metrics}
    others = {
        metric.name
        for other in marts
        if other.period == mart.period and not other.is_long and not other.dimensions
        for metric in other.metrics
    }
    names = ", ".join(literal(name) for name in sorted(own & others))
    return f"\n    and not (mart.dimension = 'all' and figure.metric in ({names}))" if names else ""


def _cells(metric: Metric) -> list[str]:
    parts = [
        f"cast({f'mart.{metric.name}_{part}' if part in metric.companions else 'null'} as {_PARTS[part]})"
        for part in COMPANIONS
    ]
    return [literal(metric.name), f"cast(mart.{metric.name} as double)", *parts]


def _dimension(mart: MetricMart) -> str:
    if mart.is_long:
        return "mart.dimension"
    return literal(" × ".join(name for name, _ in mart.dimensions) or "all")


def _segment(mart: MetricMart) -> str:
    if mart.is_long:
        return "mart.segment"
    parts = [f"coalesce(cast(mart.{column} as varchar), '(unknown)')" for _, column in mart.dimensions]
    return " || ' × ' || ".join(parts) or "'all'"


if __name__ == "__main__":
    write_metric_models()
