"""The suites of the marts, from what the dbt project declares of them: columns, types, constraints, tests and grain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from datetime import date
from typing import Any

from retention_pipeline.quality.column_types import types_are
from retention_pipeline.quality.declaring import (
    BATCH,
    AllRequired,
    AllWithin,
    ColumnsAre,
    Expectation,
    Kind,
    NoRows,
    OneOf,
    Suite,
    TableSuite,
    UniqueBy,
)
from retention_pipeline.quoting import identifier

_RATE = re.compile(r"(^|_)(rate|probability)(_low|_high|_\d+d)?$")
# Days since something are negative, and counts below zero, only where something of the future or of nobody got in.
_COUNT = re.compile(
    r"^(customers|orders|usage_days|usage_events|events|subscriptions|tickets|days_since|help_views|cancel_views"
    r"|failed_payments|messages_opened|unsubscribes|active_purchasers|cohort_size|retained|tenure_days|lines"
    r"|cancellations)(_|$)|_(numerator|denominator)$"
)
_MONEY = re.compile(r"^DECIMAL\(18,\s*[24]\)$", re.IGNORECASE)
_WHOLE = re.compile(r"^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|INT\d?)$", re.IGNORECASE)
_NUMBER = re.compile(r"^(DOUBLE|FLOAT\d?|REAL|DECIMAL.*|NUMERIC.*)$", re.IGNORECASE)


def marts_suite(manifest: Mapping[str, Any], day: date) -> Suite:
    """The suite of all marts for a run of `day`.

    A column of a mart is a rate by its name (`..._rate`, `..._probability`, and their bounds), a count by
    its name, or has its bounds in its own `meta`: `{minimum: ..., maximum: ..., values: [...]}`, which goes
    first. An amount of a fact is required, but for one with `{optional: true}`.
    """
    models = [n for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["schema"] == "marts"]
    tests = _column_tests(manifest)
    return Suite(
        name="marts",
        title="Marts",
        tables=tuple(
            _table_suite(model, tests.get(model["unique_id"], {}), day)
            for model in sorted(models, key=lambda model: str(model["name"]))
        ),
    )


def _table_suite(model: Mapping[str, Any], tests: Mapping[str, Mapping[str, Any]], day: date) -> TableSuite:
    grain = tuple(str(name) for name in model["config"].get("meta", {}).get("grain", ()))
    columns = {str(name): column for name, column in model["columns"].items()}
    # An amount that is missing from a fact is missing from every sum made of it. `optional` ones belong to a feed that
    # a business may lack.
    is_fact = str(model["name"]).startswith("fct_")
    required = {
        *grain,
        *(
            name
            for name, c in columns.items()
            if is_fact and _MONEY.match(str(c.get("data_type") or "")) and not _meta(c).get("optional")
        ),
        *(
            name
            for constraint in model.get("constraints", ())
            if constraint["type"] in ("not_null", "primary_key")
            for name in constraint.get("columns", ())
        ),
    }
    return TableSuite(
        table=f"marts.{model['name']}",
        keys=grain,
        expectations=(
            *_shape(columns),
            *_in_one_pass(columns, {name for name in columns if _is_required(name, columns, tests, required)}),
            *(e for name, column in columns.items() for e in _of_column(name, column, tests.get(name, {}))),
            *([Expectation(Kind.GRAIN, UniqueBy(grain))] if grain else []),
            *_not_after(grain, columns, day),
        ),
    )


def _shape(columns: Mapping[str, Mapping[str, Any]]) -> Iterator[Expectation]:
    if not columns:
        return
    yield Expectation(Kind.COLUMNS, ColumnsAre(tuple(columns)))
    typed = {name: str(c["data_type"]) for name, c in columns.items() if c.get("data_type")}
    if typed:
        yield Expectation(Kind.COLUMNS, types_are(typed))


def _is_required(
    name: str, columns: Mapping[str, Mapping[str, Any]], tests: Mapping[str, Mapping[str, Any]], required: Set[str]
) -> bool:
    constraints = {str(constraint["type"]) for constraint in columns[name].get("constraints", ())}
    return name in required or "not_null" in constraints or "not_null" in tests.get(name, {})


def _in_one_pass(columns: Mapping[str, Mapping[str, Any]], required: Set[str]) -> Iterator[Expectation]:
    """What many columns have in common: an expectation for each would cost seconds over all marts."""
    if required:
        yield Expectation(Kind.REQUIRED, AllRequired(tuple(name for name in columns if name in required)))
    alike: dict[tuple[Kind, float | None, float | None], list[str]] = {}
    for name, column in columns.items():
        bounds = _bounds(name, column)
        if bounds is not None:
            alike.setdefault(bounds, []).append(name)
    for (kind, minimum, maximum), names in alike.items():
        yield Expectation(kind, AllWithin(tuple(names), minimum, maximum))


def _bounds(name: str, column: Mapping[str, Any]) -> tuple[Kind, float | None, float | None] | None:
    meta, kind = _meta(column), str(column.get("data_type") or "")
    if "minimum" in meta or "maximum" in meta:
        return Kind.RANGE, meta.get("minimum"), meta.get("maximum")
    if _RATE.search(name) and _NUMBER.match(kind):
        return Kind.RATES, 0, 1
    if _COUNT.search(name) and _WHOLE.match(kind):
        return Kind.RANGE, 0, None
    return None


def _of_column(name: str, column: Mapping[str, Any], tests: Mapping[str, Any]) -> Iterator[Expectation]:
    meta = _meta(column)
    values = meta.get("values") or tests.get("accepted_values", {}).get("values")
    if values and all(isinstance(value, str) for value in values):
        yield Expectation(Kind.ALLOWED, OneOf(name, tuple(values)))


def _meta(column: Mapping[str, Any]) -> dict[str, Any]:
    return {**column.get("meta", {}), **column.get("config", {}).get("meta", {})}


def _not_after(grain: tuple[str, ...], columns: Mapping[str, Mapping[str, Any]], day: date) -> Iterator[Expectation]:
    for name in grain:
        if str(columns.get(name, {}).get("data_type") or "").upper() == "DATE":
            shown = ", ".join(identifier(key) for key in grain)
            query = f"SELECT {shown} FROM {BATCH} WHERE {identifier(name)} > DATE '{day.isoformat()}'"
            yield Expectation(Kind.DAY, NoRows(query, column=name))


def _column_tests(manifest: Mapping[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """Model → column → name of a generic test → its arguments."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for node in manifest["nodes"].values():
        metadata = node.get("test_metadata")
        if node["resource_type"] != "test" or not metadata or not node.get("column_name"):
            continue
        kwargs = metadata.get("kwargs", {})
        # A test on some of the rows says nothing about all of them.
        if node.get("config", {}).get("where") or not node.get("attached_node"):
            continue
        arguments = kwargs.get("arguments", kwargs)
        found.setdefault(node["attached_node"], {}).setdefault(node["column_name"], {})[metadata["name"]] = arguments
    return found
