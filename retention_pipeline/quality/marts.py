"""The suites of the marts, from what the dbt project declares of them: columns, types, constraints, tests and grain."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from datetime import date
from typing import Any

from retention_pipeline.quality.column_types import types_are
from retention_pipeline.quality.declaring import (
    BATCH,
    ColumnsAre,
    Expectation,
    Kind,
    NoRows,
    OneOf,
    Required,
    Suite,
    TableSuite,
    UniqueBy,
    Within,
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
            *(e for name, column in columns.items() for e in _of_column(name, column, tests.get(name, {}), required)),
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


def _of_column(
    name: str, column: Mapping[str, Any], tests: Mapping[str, Any], required: Set[str]
) -> Iterator[Expectation]:
    constraints = {str(constraint["type"]) for constraint in column.get("constraints", ())}
    if name in required or "not_null" in constraints or "not_null" in tests:
        yield Expectation(Kind.REQUIRED, Required(name))
    meta = _meta(column)
    values = meta.get("values") or tests.get("accepted_values", {}).get("values")
    if values and all(isinstance(value, str) for value in values):
        yield Expectation(Kind.ALLOWED, OneOf(name, tuple(values)))
    kind = str(column.get("data_type") or "")
    if "minimum" in meta or "maximum" in meta:
        yield Expectation(Kind.RANGE, Within(name, meta.get("minimum"), meta.get("maximum")))
    elif _RATE.search(name) and _NUMBER.match(kind):
        yield Expectation(Kind.RATES, Within(name, 0, 1))
    elif _COUNT.search(name) and _WHOLE.match(kind):
        yield Expectation(Kind.RANGE, Within(name, 0))


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
