"""Reads the declarations of metrics: `config.meta.metric` of a column, `config.meta.metrics` of its mart.

A metric `x` may have companions by name: `x_numerator`, `x_denominator`, `x_low` and `x_high`. A mart that says in a
column which metric a row holds (`name`) declares them under `named`; its columns are `value`, `numerator`, ….
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from retention_pipeline.errors import RetentionError
from retention_pipeline.settings import PROJECT

MARTS = PROJECT / "dbt_project" / "models" / "marts"

UNITS = ("share", "count", "money", "days", "hours", "score", "ratio", "points")
BETTER = ("higher", "lower", "neither")
PERIODS = ("day", "week", "month", "rolling_30d", "to_date", "cohort")
LONG = "long"
"""A mart in long form: its columns `dimension` and `segment` say of whom a row speaks."""
COMPANIONS = ("numerator", "denominator", "low", "high")


@dataclass(frozen=True)
class Metric:
    """A published figure and what it means.

    Args:
        name: Column that holds it, and its name everywhere.
        definition: What it says, in a sentence.
        formula: How it is computed, in symbols or words.
        unit: One of `UNITS`.
        better: Whether a higher or a lower value is better, or neither.
        source: Who published the definition.
        companions: Which of `COMPANIONS` the mart has for it.
        waits_for: What a business must deliver or have done for it, where that is more than a feed of its mart.
    """

    name: str
    definition: str
    formula: str
    unit: str
    better: str
    source: str
    companions: tuple[str, ...]
    waits_for: str = ""

    @property
    def meaning(self) -> tuple[str, str, str, str]:
        """What has to be the same wherever the metric is published."""
        return self.formula, self.unit, self.better, self.source


@dataclass(frozen=True)
class MetricMart:
    """A mart that publishes metrics.

    Args:
        name: The mart.
        folder: Its folder under the marts.
        time: Column with the day that a row speaks of: the first of its period.
        period: One of `PERIODS`.
        dimensions: Dimension → its column; empty where a row speaks of everybody.
        is_long: Whether the mart names dimension and segment in its rows.
        named_by: Column that says which metric a row holds; empty where each metric is a column.
        knows_completeness: Whether it has a column `is_complete`.
        metrics: What it publishes, in the order of its columns.
    """

    name: str
    folder: str
    time: str
    period: str
    dimensions: tuple[tuple[str, str], ...]
    is_long: bool
    named_by: str
    knows_completeness: bool
    metrics: tuple[Metric, ...]


def read_marts(folder: Path = MARTS) -> tuple[MetricMart, ...]:
    """The marts that publish metrics, by name.

    Raises:
        RetentionError: A declaration lacks something, names a column that is not there, or says of one metric what
            another mart says otherwise.
    """
    marts = tuple(
        _mart(model, path)
        for path in sorted(folder.rglob("*.yml"), key=lambda path: path.name)
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])
        if any(_declared(column) for column in model.get("columns", [])) or _is_named(model)
    )
    _refuse_two_meanings(marts)
    return marts


def definitions(marts: Sequence[MetricMart]) -> dict[str, Metric]:
    """Every metric once, by name: as the mart defines it that has most to say of it, everybody first."""
    found: dict[str, Metric] = {}
    for mart in sorted(marts, key=lambda mart: (mart.is_long, len(mart.dimensions), mart.name)):
        for metric in mart.metrics:
            found.setdefault(metric.name, metric)
    return dict(sorted(found.items()))


def _declared(column: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return column.get("config", {}).get("meta", {}).get("metric")


def _is_named(model: Mapping[str, Any]) -> bool:
    return "named" in (model.get("config", {}).get("meta", {}).get("metrics") or {})


def _mart(model: Mapping[str, Any], path: Path) -> MetricMart:
    columns = {column["name"]: column for column in model["columns"]}
    declared = model.get("config", {}).get("meta", {}).get("metrics")
    where = f"{path.name}, {model['name']}"
    if not isinstance(declared, Mapping):
        raise _error(where, "metrics without `config.meta.metrics`", "`{time: <column>, period: month}` of the mart")
    period, dimensions = declared.get("period"), declared.get("dimensions") or {}
    if period not in PERIODS:
        raise _error(where, f"period is {period!r}", f"one of {', '.join(PERIODS)}")
    is_long = dimensions == LONG
    parts = ("dimension", "segment") if is_long else tuple(dimensions.values())
    named_by = declared.get("name", "")
    for column in (declared.get("time"), *parts, *((named_by, "value") if named_by else ())):
        if column not in columns:
            raise _error(where, f"no column {column!r}", "a column of the mart")
    return MetricMart(
        name=model["name"],
        folder=path.parent.name,
        time=declared["time"],
        period=period,
        dimensions=() if is_long else tuple(dimensions.items()),
        is_long=is_long,
        named_by=named_by,
        knows_completeness="is_complete" in columns,
        metrics=tuple(_named(declared["named"], columns, where) if named_by else _metrics(columns, where)),
    )


def _metrics(columns: Mapping[str, Mapping[str, Any]], where: str) -> Iterator[Metric]:
    for name, column in columns.items():
        told = _declared(column)
        if told is not None:
            companions = tuple(part for part in COMPANIONS if f"{name}_{part}" in columns)
            yield _metric(name, str(column["description"]), told, companions, f"{where}.{name}")


def _named(declared: Mapping[str, Any], columns: Mapping[str, Any], where: str) -> Iterator[Metric]:
    companions = tuple(part for part in COMPANIONS if part in columns)
    for name, told in declared.items():
        meaning = {key: value for key, value in told.items() if key != "definition"}
        yield _metric(name, str(told.get("definition", "")), meaning, companions, f"{where}.{name}")


def _metric(name: str, definition: str, told: Mapping[str, Any], companions: tuple[str, ...], where: str) -> Metric:
    wanted = ("formula", "unit", "better", "source")
    if set(told) - {"waits_for"} != set(wanted):
        raise _error(where, f"says {', '.join(sorted(told)) or 'nothing'}", f"exactly {', '.join(wanted)}")
    for key, allowed in (("unit", UNITS), ("better", BETTER)):
        if told[key] not in allowed:
            raise _error(where, f"{key} is {told[key]!r}", f"one of {', '.join(allowed)}")
    if not definition.strip():
        raise _error(where, "no definition", "a sentence that says what it is")
    meaning = {key: " ".join(str(told[key]).split()) for key in (*wanted, "waits_for") if key in told}
    return Metric(name=name, definition=" ".join(definition.split()), companions=companions, **meaning)


def _refuse_two_meanings(marts: Sequence[MetricMart]) -> None:
    known: dict[str, tuple[str, tuple[str, str, str, str]]] = {}
    for mart in marts:
        for metric in mart.metrics:
            first, meaning = known.setdefault(metric.name, (mart.name, metric.meaning))
            if meaning != metric.meaning:
                raise _error(
                    f"{mart.name}.{metric.name}", f"formula, unit, better or source differ from {first}",
                    "one meaning for one name",
                )  # fmt: skip


def _error(where: str, found: str, expected: str) -> RetentionError:
    return RetentionError(found, where=where, expected=expected, way_out="mend the declaration of the metric")
