"""How the result of a suite appears in Dagster: counts and keys of failing rows, never a value."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from retention_pipeline.quality.declaring import Severity, Suite, declared_checks
from retention_pipeline.quality.results import CheckResult, ExpectationResult

_SEVERITY = {Severity.ERROR: dg.AssetCheckSeverity.ERROR, Severity.WARN: dg.AssetCheckSeverity.WARN}
_IN_TEXT = 3


def asset_of(table: str) -> dg.AssetKey:
    """The asset that fills `schema.table`."""
    return dg.AssetKey(table.split("."))


def check_specs(suite: Suite) -> list[dg.AssetCheckSpec]:
    """A spec for each table and kind of `suite`."""
    return [
        dg.AssetCheckSpec(
            name=str(check.kind),
            asset=asset_of(check.table),
            description=check.description,
            blocking=check.blocking,
        )
        for check in declared_checks(suite)
    ]


def check_key(check: CheckResult) -> dg.AssetCheckKey:
    """The check to which a result belongs."""
    return dg.AssetCheckKey(asset_of(check.table), str(check.kind))


def check_result(check: CheckResult, notes: Mapping[str, str]) -> dg.AssetCheckResult:
    """One check with what was found; `notes` say per table how it was validated."""
    metadata: dict[str, Any] = {
        "expectations": len(check.results),
        "rows that break them": sum(result.unexpected_count for result in check.failed),
    }
    if check.table in notes:
        metadata["validated"] = notes[check.table]
    for number, result in enumerate(check.failed, start=1):
        if result.exception:
            metadata[f"could not be evaluated {number}"] = f"{result.column or check.table}: {result.exception}"
        elif result.failing.rows:
            metadata[f"first failing rows {number}"] = _keys_table(result)
        elif result.observed:
            metadata[f"found {number}"] = result.observed
    return dg.AssetCheckResult(
        asset_key=asset_of(check.table),
        check_name=str(check.kind),
        passed=check.passed,
        severity=_SEVERITY[check.severity],
        description="; ".join(_sentence(result) for result in check.failed) or None,
        metadata=metadata,
    )


def _sentence(result: ExpectationResult) -> str:
    about = f"{result.column}: " if result.column else ""
    if result.exception:
        return f"{about}could not be evaluated ({result.exception})"
    keys = ", ".join("/".join(row) for row in result.failing.rows[:_IN_TEXT])
    more = ", ..." if len(result.failing.rows) > _IN_TEXT else ""
    shown = f", {'/'.join(result.failing.columns)} {keys}{more}" if keys else ""
    found = f", {result.observed}" if result.observed and not keys else ""
    return f"{about}{result.unexpected_count:,} rows break it{shown}{found}"


def _keys_table(result: ExpectationResult) -> dg.TableMetadataValue:
    columns = result.failing.columns
    return dg.TableMetadataValue(
        records=[dg.TableRecord(dict(zip(columns, row, strict=True))) for row in result.failing.rows],
        schema=dg.TableSchema(columns=[dg.TableColumn(name, type="string") for name in columns]),
    )
