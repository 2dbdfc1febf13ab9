"""Raw: every configured feed as one asset, loaded file by file, with checks on what was refused and what is late."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg

from retention_pipeline.feeds.contracts import CONTRACTS, Contract
from retention_pipeline.feeds.lateness import Arrival, arrivals
from retention_pipeline.feeds.loading import FeedLoad, load_feeds
from retention_pipeline.feeds.tables import raw_columns
from retention_pipeline.orchestration.metadata import counts_table, table_schema
from retention_pipeline.orchestration.resources import WorkspaceResource, run_day
from retention_pipeline.progress import report_progress, stage
from retention_pipeline.warehouse import create_layout, open_warehouse, write_held_feeds
from retention_pipeline.workspace.loading import Business


def raw_key(feed: str) -> dg.AssetKey:
    """The asset of a feed as it came in."""
    return dg.AssetKey(["raw", feed])


def _spec(contract: Contract, business: Business) -> dg.AssetSpec:
    described = {column.name: column.description for column in contract.columns}
    schema = table_schema((name, kind, described.get(name, "")) for name, kind in raw_columns(contract))
    return dg.AssetSpec(
        raw_key(contract.name),
        group_name="raw",
        kinds={"duckdb"},
        owners=list(business.config.owners),
        description=f"{contract.description}\n\nOne row per {contract.grain}.",
        metadata={"dagster/column_schema": schema, "dagster/table_name": f"raw.{contract.name}"},
    )


def _check_specs(feed: str, business: Business) -> list[dg.AssetCheckSpec]:
    in_time = dg.AssetCheckSpec(
        "delivered_in_time",
        asset=raw_key(feed),
        description=(
            "The feed has arrived as often as `delivery` in retention.yaml says. When it is late, the models that read "
            "it are held back for the day and what was published stays; a file without a row is silence, not lateness."
        ),
    )
    return [
        *([in_time] if feed in business.config.delivery else []),
        dg.AssetCheckSpec(
            "files_accepted",
            asset=raw_key(feed),
            description=(
                "No file was refused or blocked. When one was, the models that read this feed are held back for the "
                "day and what was published stays."
            ),
        ),
        dg.AssetCheckSpec(
            "rows_accounted_for",
            asset=raw_key(feed),
            description="Rows read = rows loaded + rows quarantined + rows skipped, over all files in force.",
        ),
    ]


def _accepted(feed: str, load: FeedLoad) -> dg.AssetCheckResult:
    problems = {f"problem {number}": problem.message for number, problem in enumerate(load.problems, start=1)}
    return dg.AssetCheckResult(
        asset_key=raw_key(feed),
        check_name="files_accepted",
        passed=not load.problems,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "files refused": load.files_refused,
            "files blocked": load.files_blocked,
            **{name: dg.MetadataValue.text(text) for name, text in problems.items()},
        },
    )


def _accounted(feed: str, load: FeedLoad) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=raw_key(feed),
        check_name="rows_accounted_for",
        passed=load.rows_read == load.rows_loaded + load.rows_quarantined + load.rows_skipped,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "read": load.rows_read,
            "loaded": load.rows_loaded,
            "quarantined": load.rows_quarantined,
            "skipped": load.rows_skipped,
        },
    )


def _in_time(feed: str, arrival: Arrival | None) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {"compared with": "no day: this run only loads"}
    if arrival is not None:
        metadata = {
            "compared with": str(arrival.day),
            "last arrived": str(arrival.last_day or "none"),
            "next expected by": str(arrival.expected_by),
        }
        if arrival.is_late:
            metadata["late"] = dg.MetadataValue.text(arrival.message())
    return dg.AssetCheckResult(
        asset_key=raw_key(feed),
        check_name="delivered_in_time",
        passed=arrival is None or not arrival.is_late,
        severity=dg.AssetCheckSeverity.ERROR,
        description=arrival.message() if arrival is not None and arrival.is_late else None,
        metadata=metadata,
    )


def _materialized(feed: str, load: FeedLoad, in_time: list[dg.AssetCheckResult]) -> dg.MaterializeResult:
    metadata: dict[str, Any] = {
        "dagster/row_count": load.rows_in_raw,
        "files seen": load.files_seen,
        "files new": load.files_new,
        "rows quarantined": load.rows_quarantined,
        "rows skipped": load.rows_skipped,
        "first day": str(load.first_day or "none"),
        "last day": str(load.last_day or "none"),
    }
    if load.rules:
        metadata["rules broken"] = counts_table(load.rules, "rule", "rows")
    if load.new_columns:
        metadata["new columns, ignored"] = ", ".join(load.new_columns)
    return dg.MaterializeResult(
        asset_key=raw_key(feed),
        metadata=metadata,
        check_results=[*in_time, _accepted(feed, load), _accounted(feed, load)],
    )


def build_raw_assets(business: Business) -> dg.AssetsDefinition:
    """The raw assets of the feeds that the business configures."""
    contracts = [contract for contract in CONTRACTS.values() if contract.name in business.config.feeds]

    @dg.multi_asset(
        name="load_feeds",
        specs=[_spec(contract, business) for contract in contracts],
        check_specs=[spec for contract in contracts for spec in _check_specs(contract.name, business)],
    )
    def load_feeds_op(
        context: dg.AssetExecutionContext, workspace: WorkspaceResource
    ) -> Iterator[dg.MaterializeResult]:
        from retention_pipeline.quality.running import importing_meanwhile

        # DuckDB reads the files while the checks that follow are imported.
        with stage("Load feeds"), importing_meanwhile(), open_warehouse(workspace.paths.warehouse) as con:
            create_layout(con)
            loads = load_feeds(con, workspace.business, on_progress=report_progress)
            write_held_feeds(con, {feed: load.problems[0].message for feed, load in loads.items() if load.problems})
            day = _day(context)
            arrived = arrivals(con, workspace.business.config, day) if day else {}
        for feed, load in sorted(loads.items()):
            has_rhythm = feed in workspace.business.config.delivery
            yield _materialized(feed, load, [_in_time(feed, arrived.get(feed))] if has_rhythm else [])

    return load_feeds_op


def _day(context: dg.AssetExecutionContext) -> date | None:
    """The as-of day; None in a run that only loads files."""
    return run_day(context) if "dagster/partition" in context.run.tags else None
