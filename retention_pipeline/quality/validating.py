"""Runs suites with Great Expectations; imported where it is used, since that import costs seconds."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from hashlib import sha256
from pathlib import Path
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import sqlalchemy as sa
from great_expectations.core import RunIdentifier
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
from great_expectations.validator.v1_validator import Validator

from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.quality.declaring import (
    AllRequired,
    AllWithin,
    ColumnsAre,
    Expectation,
    NoRows,
    OneOf,
    Required,
    Severity,
    Suite,
    TableSuite,
    UniqueBy,
    Within,
    any_broken,
    broken_by_column,
    describe,
    failing_rows,
)
from retention_pipeline.quality.engine import DuckDBFile, reading
from retention_pipeline.quality.results import MAX_KEYS, ExpectationResult, FailingKeys, SuiteResult

# No value of a row: neither in the results nor in the pages made of them.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
_SEVERITY = {Severity.ERROR: "critical", Severity.WARN: "warning"}
_ERROR_CLASS = re.compile(r"\b(\w+(?:Error|Exception))\b")
# What these say names tables and columns; other errors may quote the value that they stumbled over.
_HARMLESS_ERROR = re.compile(r"\b(Catalog|Binder|Parser) Error: [^\n]*")

_PERSONAL = frozenset(column.name for feed in CONTRACTS.values() for column in feed.columns if column.personal)

PageWriter = Callable[[TableSuite, ExpectationSuiteValidationResult, tuple[ExpectationResult, ...]], None]


def validate(warehouse: Path, suite: Suite, as_of: date | None, write_page: PageWriter | None) -> SuiteResult:
    """Validate every table of `suite` over one read-only connection."""
    results: list[ExpectationResult] = []
    with reading(warehouse) as (source, connection):
        for table in suite.tables:
            validation = _validate_table(source, table)
            found = _plain_results(table, validation, connection)
            results.extend(found)
            if write_page is not None:
                moment = datetime.combine(as_of or date.min.replace(year=1970), time.min, tzinfo=UTC)
                # The time at which it ran would make every page another one.
                validation.meta.pop("batch_markers", None)
                validation.meta["run_id"] = RunIdentifier(run_name=str(as_of or "no day"), run_time=moment)
                write_page(table, validation, found)
    return SuiteResult(suite=suite.name, results=tuple(results))


def _validate_table(source: DuckDBFile, table: TableSuite) -> ExpectationSuiteValidationResult:
    asset = source.add_query_asset(table.table, query=table.select)
    expectations = [_translate(number, expectation, table) for number, expectation in enumerate(table.expectations)]
    validator = Validator(batch_definition=asset.add_batch_definition_whole_table("rows"), result_format=_RESULT_FORMAT)
    return validator.validate_expectation_suite(gx.ExpectationSuite(table.table, expectations=expectations))


def _translate(number: int, expectation: Expectation, table: TableSuite) -> gxe.Expectation:
    common: dict[str, Any] = {"severity": _SEVERITY[expectation.severity], "meta": {"number": number}}
    match expectation.rule:
        case Required(column):
            return gxe.ExpectColumnValuesToNotBeNull(column=column, **common)
        case OneOf(column, values):
            return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=list(values), **common)
        case Within(column, minimum, maximum):
            return gxe.ExpectColumnValuesToBeBetween(column=column, min_value=minimum, max_value=maximum, **common)
        case UniqueBy((column,)):
            return gxe.ExpectColumnValuesToBeUnique(column=column, **common)
        case UniqueBy(columns):
            return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(columns), **common)
        case ColumnsAre(columns):
            return gxe.ExpectTableColumnsToMatchOrderedList(column_list=list(columns), **common)
        case AllRequired() | AllWithin():
            return gxe.UnexpectedRowsExpectation(
                unexpected_rows_query=any_broken(table, expectation.rule),
                description=describe(expectation.kind, [expectation]),
                **common,
            )
        case NoRows(query):
            return gxe.UnexpectedRowsExpectation(
                unexpected_rows_query=query, description=describe(expectation.kind, [expectation]), **common
            )


def _plain_results(
    table: TableSuite, validation: ExpectationSuiteValidationResult, connection: sa.Connection
) -> tuple[ExpectationResult, ...]:
    by_number = {found.expectation_config.meta["number"]: found for found in validation.results}
    return tuple(
        _plain_result(table, expectation, by_number[number], connection)
        for number, expectation in enumerate(table.expectations)
    )


def _plain_result(
    table: TableSuite, expectation: Expectation, found: Any, connection: sa.Connection
) -> ExpectationResult:
    exception = "" if found.success else _exception(found.exception_info)
    failing = FailingKeys() if found.success or exception else _failing_keys(table, expectation, connection)
    return ExpectationResult(
        table=table.table,
        kind=expectation.kind,
        expectation=expectation.gx_name,
        column=_broken_columns(table, expectation, connection) if failing.rows else expectation.column,
        severity=expectation.severity,
        passed=bool(found.success),
        unexpected_count=0 if found.success or exception else _count(found.result),
        observed=_observed(expectation, found.result),
        failing=failing,
        exception=exception,
    )


def _count(result: dict[str, Any]) -> int:
    if "unexpected_count" in result:
        return int(result["unexpected_count"])
    observed = result.get("observed_value")
    return observed if isinstance(observed, int) else 1


def _observed(expectation: Expectation, result: dict[str, Any]) -> str:
    if isinstance(expectation.rule, ColumnsAre) and isinstance(result.get("observed_value"), list):
        found = result["observed_value"]
        missing = [name for name in expectation.rule.columns if name not in found]
        extra = [name for name in found if name not in expectation.rule.columns]
        parts = [
            f"missing: {', '.join(missing)}" if missing else "",
            f"not declared: {', '.join(extra)}" if extra else "",
        ]
        return "; ".join(part for part in parts if part) or f"{len(found)} columns"
    if "element_count" in result:
        return f"{result['element_count']:,} rows"
    return ""


def _failing_keys(table: TableSuite, expectation: Expectation, connection: sa.Connection) -> FailingKeys:
    query = failing_rows(table, expectation.rule)
    if query is None:
        return FailingKeys()
    found = connection.exec_driver_sql(f"SELECT DISTINCT * FROM ({query}) ORDER BY ALL LIMIT {MAX_KEYS}")
    names = tuple(found.keys())
    hidden = [name in _PERSONAL or name.endswith("customer_id") for name in names]
    rows = tuple(
        tuple(_hashed(value) if hide else str(value) for value, hide in zip(row, hidden, strict=True))
        for row in found.fetchall()
    )
    return FailingKeys(names, rows)


def _broken_columns(table: TableSuite, expectation: Expectation, connection: sa.Connection) -> str:
    """The columns in which a rule that holds for several is broken; else the one that it is about."""
    rule = expectation.rule
    if not isinstance(rule, AllRequired | AllWithin):
        return expectation.column
    conditions = broken_by_column(rule)
    flags = ", ".join(f"bool_or({condition})" for condition in conditions.values())
    broken = connection.exec_driver_sql(f"SELECT {flags} FROM ({table.select}) AS subselect").fetchall()[0]
    return ", ".join(column for column, flag in zip(conditions, broken, strict=True) if flag)


def _hashed(value: object) -> str:
    return sha256(str(value).encode()).hexdigest()[:12]


def _exception(info: dict[str, Any]) -> str:
    """Why an expectation could not be evaluated, without a value of a row; empty where it was evaluated."""
    infos = [info] if "raised_exception" in info else [item for item in info.values() if isinstance(item, dict)]
    raised = next((item for item in infos if item.get("raised_exception")), None)
    if raised is None:
        return ""
    text = f"{raised.get('exception_message') or ''}\n{raised.get('exception_traceback') or ''}"
    harmless = _HARMLESS_ERROR.search(text)
    if harmless:
        return harmless.group(0)
    found = _ERROR_CLASS.search(text)
    return found.group(1) if found else "it could not be evaluated"
