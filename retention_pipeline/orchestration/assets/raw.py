"""Raw: every configured feed as one asset, loaded file by file, with a check on what was refused."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from retention_pipeline.feeds.contracts import CONTRACTS, Contract
from retention_pipeline.feeds.loading import FeedLoad, load_feeds
from retention_pipeline.feeds.tables import raw_columns
from retention_pipeline.orchestration.metadata import counts_table, table_schema
from retention_pipeline.orchestration.resources import WorkspaceResource
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


def _check_specs(feed: str) -> list[dg.AssetCheckSpec]:
    return [
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
            description="Rows read = rows loaded + rows quarantined, over all files in force.",
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
        passed=load.rows_read == load.rows_loaded + load.rows_quarantined,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"read": load.rows_read, "loaded": load.rows_loaded, "quarantined": load.rows_quarantined},
    )


def _materialized(feed: str, load: FeedLoad) -> dg.MaterializeResult:
    metadata: dict[str, Any] = {
        "dagster/row_count": load.rows_in_raw,
        "files seen": load.files_seen,
        "files new": load.files_new,
        "rows quarantined": load.rows_quarantined,
        "first day": str(load.first_day or "none"),
        "last day": str(load.last_day or "none"),
    }
    if load.rules:
        metadata["rules broken"] = counts_table(load.rules, "rule", "rows")
    if load.new_columns:
        metadata["new columns, ignored"] = ", ".join(load.new_columns)
    return dg.MaterializeResult(
        asset_key=raw_key(feed), metadata=metadata, check_results=[_accepted(feed, load), _accounted(feed, load)]
    )


def build_raw_assets(business: Business) -> dg.AssetsDefinition:
    """The raw assets of the feeds that the business configures."""
    contracts = [contract for contract in CONTRACTS.values() if contract.name in business.config.feeds]

    @dg.multi_asset(
        name="load_feeds",
        specs=[_spec(contract, business) for contract in contracts],
        check_specs=[spec for contract in contracts for spec in _check_specs(contract.name)],
    )
    def load_feeds_op(workspace: WorkspaceResource) -> Iterator[dg.MaterializeResult]:
        from retention_pipeline.quality.running import importing_meanwhile

        # DuckDB reads the files while the checks that follow are imported.
        with stage("Load feeds"), importing_meanwhile(), open_warehouse(workspace.paths.warehouse) as con:
            create_layout(con)
            loads = load_feeds(con, workspace.business, on_progress=report_progress)
            write_held_feeds(con, {feed: load.problems[0].message for feed, load in loads.items() if load.problems})
        for feed, load in sorted(loads.items()):
            yield _materialized(feed, load)

    return load_feeds_op
