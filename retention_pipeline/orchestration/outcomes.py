"""What a run did, read from the events that Dagster recorded of it."""

from collections.abc import Collection, Iterable
from datetime import date

import dagster as dg

from retention_pipeline.report.outcome import RunOutcome
from retention_pipeline.report.summary import CheckSummary


def blocking_checks(defs: dg.Definitions) -> frozenset[dg.AssetCheckKey]:
    """The checks that stop what comes after them."""
    graph = defs.resolve_asset_graph()
    return frozenset(key for key in graph.asset_check_keys if graph.get_check_spec(key).blocking)


def collect_outcome(
    events: Iterable[dg.DagsterEvent], blocking: Collection[dg.AssetCheckKey], day: date, *, succeeded: bool
) -> RunOutcome:
    """The outcome of a run from its events.

    Args:
        events: In the order in which they were recorded.
        blocking: The checks that stop what comes after them.
        day: The as-of day of the run.
        succeeded: Whether the run as a whole did.
    """
    checks: list[CheckSummary] = []
    metadata: dict[str, dict[str, object]] = {}
    failures: list[str] = []
    skipped: list[str] = []
    for event in events:
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            found = event.asset_check_evaluation_data
            key = dg.AssetCheckKey(found.asset_key, found.check_name)
            checks.append(
                CheckSummary(
                    asset=found.asset_key.to_user_string(),
                    name=found.check_name,
                    passed=found.passed,
                    blocking=key in blocking,
                    description=found.description or "",
                )
            )
        elif event.is_step_materialization:
            materialized = event.step_materialization_data.materialization
            metadata[materialized.asset_key.to_user_string()] = {
                name: getattr(value, "value", None) for name, value in materialized.metadata.items()
            }
        elif event.is_step_failure:
            failures.append(f"{event.step_key}: {_reason(event)}")
        elif event.is_step_skipped and event.step_key:
            skipped.append(event.step_key)
        elif event.event_type_value == "PIPELINE_FAILURE" and not failures and event.job_failure_data.error:
            failures.append(_innermost(event.job_failure_data.error))
    return RunOutcome(
        as_of=day,
        succeeded=succeeded,
        checks=tuple(checks),
        failures=tuple(failures),
        skipped=tuple(skipped),
        metadata=metadata,
    )


def _reason(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return data.user_failure_data.description
    return _innermost(data.error) if data.error else "no reason was given"


def _innermost(error: object) -> str:
    """The message of the error that started a chain of errors, without the name of its class."""
    while getattr(error, "cause", None) is not None:
        error = error.cause  # type: ignore[attr-defined]
    text = str(getattr(error, "message", error)).strip()
    return text.removeprefix("retention_pipeline.errors.RetentionError: ")
