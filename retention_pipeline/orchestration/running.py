"""Runs the daily job in this process, as `retention run` does, and says what came of it."""

import logging
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg

from retention_pipeline.errors import RetentionError
from retention_pipeline.feeds.loading import last_complete_day
from retention_pipeline.orchestration.jobs import DAILY_JOB, LOAD_JOB
from retention_pipeline.orchestration.outcomes import blocking_checks, collect_outcome
from retention_pipeline.orchestration.schedules import previous_day
from retention_pipeline.report.outcome import RunOutcome
from retention_pipeline.settings import PROJECT, StatePaths
from retention_pipeline.warehouse import open_warehouse, run_lock
from retention_pipeline.workspace.loading import Business

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def prepare_dagster_home(paths: StatePaths) -> Path:
    """Make the Dagster home of a business, with the project's `dagster.yaml`, and point the environment at it."""
    home = paths.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT / "dagster.yaml", home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def run_daily(defs: dg.Definitions, business: Business, paths: StatePaths, as_of: date | None) -> RunOutcome:
    """Run every asset for `as_of`; with None, for the configured day or the last complete day of the data.

    Raises:
        RetentionError: The day lies before the first day of the business, no data says which day is the last, or
            another run is at work.
    """
    home = prepare_dagster_home(paths)
    with run_lock(paths.run_lock, purpose="retention run"):
        pass
    with quiet_libraries(), dg.DagsterInstance.from_config(str(home)) as instance:
        _close_interrupted_runs(instance)
        outcomes: list[RunOutcome] = []
        day = as_of or business.config.as_of
        if day is None:
            loaded = _execute(defs, LOAD_JOB, instance, None)
            outcomes.append(loaded)
            # A row dated in the future, right or mistyped, must not let everybody appear silent.
            day = min(_last_day(paths, loaded), date.fromisoformat(previous_day(datetime.now(UTC), business.config)))
        if day < business.config.first_day:
            raise RetentionError(
                f"{day} lies before the first day of the business",
                where="--as-of",
                expected=f"a day from {business.config.first_day} on",
                way_out="give a later day, or set `first_day` in retention.yaml",
            )
        outcomes.append(_execute(defs, DAILY_JOB, instance, day))
    return _merged(outcomes, day)


def _last_day(paths: StatePaths, loaded: RunOutcome) -> date:
    with open_warehouse(paths.warehouse, read_only=True) as con:
        day = last_complete_day(con)
    if day is None:
        raise RetentionError(
            "no row was loaded that says on which day the data ends",
            where="feeds",
            expected="rows in order_lines, subscriptions, usage or events",
            way_out="; ".join(loaded.failures) or "check the `files` patterns in retention.yaml with `retention check`",
        )
    return day


def _execute(defs: dg.Definitions, job: str, instance: dg.DagsterInstance, day: date | None) -> RunOutcome:
    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=day.isoformat() if day else None,
        run_config=_QUIET,
        raise_on_error=False,
    )
    return collect_outcome(
        result.all_events, blocking_checks(defs), day or date.min, succeeded=result.success and not _skipped(result)
    )


def _skipped(result: dg.ExecuteInProcessResult) -> bool:
    """Whether a step had nothing to work on, because what it reads was held back."""
    return any(event.is_step_skipped for event in result.all_events)


def _merged(outcomes: Sequence[RunOutcome], day: date) -> RunOutcome:
    checks = {(check.asset, check.name): check for outcome in outcomes for check in outcome.checks}
    metadata: dict[str, dict[str, object]] = {}
    for outcome in outcomes:
        for key, values in outcome.metadata.items():
            metadata.setdefault(key, dict(values)).update(values)
    return RunOutcome(
        as_of=day,
        succeeded=all(outcome.succeeded for outcome in outcomes),
        checks=tuple(checks.values()),
        failures=tuple(dict.fromkeys(line for outcome in outcomes for line in outcome.failures)),
        skipped=tuple(dict.fromkeys(step for outcome in outcomes for step in outcome.skipped)),
        metadata=metadata,
    )


def _close_interrupted_runs(instance: dg.DagsterInstance) -> None:
    """Mark runs that were killed as failed: nobody else can be at work, since the run lock was free."""
    unfinished = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
    for run in instance.get_runs(filters=unfinished):
        instance.report_run_failed(run, "The process of this run ended before the run did.")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep what libraries say about themselves out of the page of a run."""
    loggers = [logging.getLogger(name) for name in ("dagster", "great_expectations", "matplotlib", "alembic")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
