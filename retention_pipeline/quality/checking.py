"""The four validations of a run: what came in, the marts, the scores, the lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from retention_pipeline.progress import report_progress
from retention_pipeline.quality.batches import Finding, read_new_batches, record_batches
from retention_pipeline.quality.decisions import lists_suite, scores_suite
from retention_pipeline.quality.declaring import Suite, TableSuite
from retention_pipeline.quality.marts import marts_suite
from retention_pipeline.quality.raw import feed_of, only_batches, raw_suite
from retention_pipeline.quality.results import ExpectationResult, SuiteResult
from retention_pipeline.quality.running import run_suite
from retention_pipeline.quality.table import write_quality_results
from retention_pipeline.settings import StatePaths
from retention_pipeline.warehouse import open_warehouse
from retention_pipeline.workspace.schema import Play

DATA_DOCS = "data_docs"


def check_raw(paths: StatePaths, feeds: Iterable[str], day: date | None) -> SuiteResult:
    """Validate the batches that were not validated before.

    A check that holds for the new batches still fails where an earlier batch in force broke what only warns.

    Args:
        paths: The state of the business.
        feeds: The feeds that it configures.
        day: The as-of day; None where the run has none, and no result is kept.
    """
    suite = raw_suite(feeds)
    report_progress("looking for new batches")
    new, earlier = read_new_batches(paths.warehouse, suite)
    partial = only_batches(suite, new)
    found = (
        run_suite(
            paths.warehouse,
            partial,
            as_of=day,
            docs=paths.quality / DATA_DOCS,
            keep=[table.table for table in suite.tables],
        )
        if partial.tables
        else SuiteResult(suite.name, ())
    )
    with open_warehouse(paths.warehouse) as con:
        if partial.tables:
            record_batches(con, partial, new, found)
        result = _with_earlier(suite, found, earlier, new)
        if day is not None:
            write_quality_results(con, result, day)
    return result


def check_marts(paths: StatePaths, manifest: Mapping[str, Any], day: date) -> SuiteResult:
    """Validate every mart of the dbt project."""
    return _check(paths, marts_suite(manifest, day), day)


def check_scores(paths: StatePaths, day: date) -> SuiteResult:
    """Validate the churn scores of `day`."""
    return _check(paths, scores_suite(day), day)


def check_lists(paths: StatePaths, plays: Mapping[str, Play], day: date) -> SuiteResult:
    """Validate the campaign lists of `day` before they leave the house."""
    return _check(paths, lists_suite(day, plays), day)


def _check(paths: StatePaths, suite: Suite, day: date) -> SuiteResult:
    result = run_suite(paths.warehouse, suite, as_of=day, docs=paths.quality / DATA_DOCS)
    with open_warehouse(paths.warehouse) as con:
        write_quality_results(con, result, day)
    return result


def _with_earlier(
    suite: Suite, found: SuiteResult, earlier: Mapping[Finding, int], new: Mapping[str, Sequence[int]]
) -> SuiteResult:
    """The result for the whole of `suite`, from that of the new batches and what earlier ones left."""
    validated: dict[str, list[ExpectationResult]] = {}
    for result in found.results:
        validated.setdefault(result.table, []).append(result)
    results: list[ExpectationResult] = []
    for table in suite.tables:
        current = validated.get(table.table) or _held(table)
        results.extend(_plus(result, earlier, feed_of(table)) for result in current)
    notes = {table.table: f"{len(new.get(feed_of(table), ()))} new batches" for table in suite.tables}
    return SuiteResult(suite.name, tuple(results), notes)


def _held(table: TableSuite) -> list[ExpectationResult]:
    """The results of a table of which every batch was validated before."""
    return [
        ExpectationResult(
            table=table.table,
            kind=expectation.kind,
            expectation=expectation.gx_name,
            column=expectation.column,
            severity=expectation.severity,
            passed=True,
            observed="validated before",
        )
        for expectation in table.expectations
    ]


def _plus(result: ExpectationResult, earlier: Mapping[Finding, int], feed: str) -> ExpectationResult:
    count = earlier.get((feed, str(result.kind), result.column), 0)
    if not count:
        return result
    return replace(result, passed=False, unexpected_count=result.unexpected_count + count)
