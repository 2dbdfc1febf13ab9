"""The expectation suites as asset checks: after the feeds, the marts, the scores and the lists."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg

from retention_pipeline.orchestration.checks.outcomes import check_key, check_result, check_specs
from retention_pipeline.orchestration.resources import WorkspaceResource, run_day
from retention_pipeline.progress import stage
from retention_pipeline.quality.checking import check_lists, check_marts, check_raw, check_scores
from retention_pipeline.quality.decisions import lists_suite, scores_suite
from retention_pipeline.quality.declaring import Suite
from retention_pipeline.quality.marts import marts_suite
from retention_pipeline.quality.raw import raw_suite
from retention_pipeline.quality.results import SuiteResult
from retention_pipeline.settings import StatePaths
from retention_pipeline.warehouse import open_warehouse
from retention_pipeline.workspace.loading import Business

Validation = Callable[[StatePaths, date | None], SuiteResult]


def build_checks(business: Business, manifest: Mapping[str, Any]) -> list[dg.AssetChecksDefinition]:
    """One step a suite, with a check for each table and kind of expectation."""
    config = business.config
    # Which checks there are does not depend on the day; what they compare with does.
    day = config.first_day
    return [
        _checks_of(raw_suite(config.feeds), "raw", lambda paths, day: check_raw(paths, config.feeds, day)),
        _checks_of(
            marts_suite(manifest, day), "marts", lambda paths, day: check_marts(paths, manifest, _known(paths, day))
        ),
        _checks_of(scores_suite(day), "scores", lambda paths, day: check_scores(paths, _known(paths, day))),
        _checks_of(
            lists_suite(day, config.plays),
            "lists",
            lambda paths, day: check_lists(paths, config.plays, _known(paths, day)),
        ),
    ]


def _checks_of(suite: Suite, name: str, validate: Validation) -> dg.AssetChecksDefinition:
    specs = check_specs(suite)

    @dg.multi_asset_check(name=f"check_{name}", specs=specs, can_subset=True)
    def check_step(
        context: dg.AssetCheckExecutionContext, workspace: WorkspaceResource
    ) -> Iterator[dg.AssetCheckResult]:
        with stage(f"Check {name}"):
            result = validate(workspace.paths, _day(context))
        selected = context.selected_asset_check_keys
        for check in result.checks():
            if check_key(check) in selected:
                yield check_result(check, result.notes)

    return check_step


def _day(context: dg.AssetCheckExecutionContext) -> date | None:
    """The as-of day; None in a run without one: it only loads files, or evaluates a check by itself."""
    return run_day(context) if "dagster/partition" in context.run.tags else None


def _known(paths: StatePaths, day: date | None) -> date:
    """The day to compare with; without one, that of the models in the warehouse."""
    if day is not None:
        return day
    with open_warehouse(paths.warehouse, read_only=True) as con:
        rows = con.execute("SELECT as_of FROM control.run").fetchall()
    if not rows:
        raise dg.Failure("no day was computed yet: run the daily job first", allow_retries=False)
    shown: date = rows[0][0]
    return shown
