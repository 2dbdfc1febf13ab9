"""Writes the marts `metrics` and `metric_values` from the declarations.

`python -m retention_pipeline.metrics.models` writes them; a test says when they differ from the declarations.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from retention_pipeline.metrics.declarations import COMPANIONS, MARTS, MetricMart, definitions, read_marts
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
        f"{_figures(mart)}\n"
        f") as figure(metric, value, {', '.join(COMPANIONS)})\n"
        f"where (figure.value is not null or figure.denominator is not null){_told_elsewhere(mart, marts)}\n"
    )


def _figures(mart: MetricMart) -> str:
    if mart.named_by:
        companions = mart.metrics[0].companions
        rows = [(f"mart.{mart.named_by}", "value", {part: part for part in companions})]
    else:
        rows = [
            (literal(metric.name), metric.name, {part: f"{metric.name}_{part}" for part in metric.companions})
            for metric in mart.metrics
        ]
    return ",\n".join(
        f"    ({name}, cast(mart.{value} as double), {', '.join(_cast(parts.get(part), part) for part in COMPANIONS)})"
        for name, value, parts in rows
    )


def _cast(column: str | None, part: str) -> str:
    return f"cast({f'mart.{column}' if column else 'null'} as {_PARTS[part]})"


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


def _dimension(mart: MetricMart) -> str:
    if mart.is_long:
        return "mart.dimension"
    parts = [
        f"case when mart.{column} is distinct from 'all' then {literal(name)} end" for name, column in mart.dimensions
    ]
    return _joined(parts)


def _segment(mart: MetricMart) -> str:
    if mart.is_long:
        return "mart.segment"
    return _joined(
        [f"nullif(coalesce(cast(mart.{column} as varchar), '(unknown)'), 'all')" for _, column in mart.dimensions]
    )


def _joined(parts: Sequence[str]) -> str:
    """The parts that are not missing, in one text; `all` where a row speaks of everybody."""
    return f"coalesce(nullif(concat_ws(' / ', {', '.join(parts)}), ''), 'all')" if parts else "'all'"


if __name__ == "__main__":
    write_metric_models()
