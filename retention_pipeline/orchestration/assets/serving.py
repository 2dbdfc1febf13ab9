"""What leaves the warehouse: the serving database, and the Parquet files beside it."""

import dagster as dg

from retention_pipeline.dbt_runner import load_manifest
from retention_pipeline.orchestration.assets.campaigns import LISTS
from retention_pipeline.orchestration.assets.models import model_key
from retention_pipeline.orchestration.assets.segments import SEGMENT_TABLES
from retention_pipeline.orchestration.metadata import counts_table
from retention_pipeline.orchestration.partitions import ONE_DAY_A_RUN
from retention_pipeline.orchestration.published import published_marts, published_tables
from retention_pipeline.orchestration.resources import WorkspaceResource, run_day
from retention_pipeline.progress import stage
from retention_pipeline.workspace.schema import Retention

SERVING = dg.AssetKey(["serving", "serving"])


def build_serving_assets(
    config: Retention, manifest: dict[str, object], partitions: dg.PartitionsDefinition
) -> list[dg.AssetsDefinition]:
    """The publication of a day."""

    @dg.asset(
        key=SERVING,
        backfill_policy=ONE_DAY_A_RUN,
        deps=[LISTS, *SEGMENT_TABLES, *(model_key("marts", name) for name in published_marts(manifest))],
        partitions_def=partitions,
        group_name="serving",
        kinds={"duckdb", "parquet"},
        owners=list(config.owners),
        description=(
            "`serving.duckdb` and `parquet/`: marts, scores and decisions for people and BI tools, put in place as a "
            "whole. Customers appear under their key only. An older day never replaces a newer one."
        ),
    )
    def serving(context: dg.AssetExecutionContext, workspace: WorkspaceResource) -> dg.MaterializeResult:
        from retention_pipeline.publish.serving import publish, published_day, should_publish

        paths, day = workspace.paths, run_day(context)
        if not should_publish(paths, day):
            return dg.MaterializeResult(metadata={"published": f"left as it was: it shows {published_day(paths)}"})
        with stage("Publish"):
            published = publish(paths.warehouse, paths, day, published_tables(load_manifest(paths)))
        return dg.MaterializeResult(
            metadata={
                "published": str(published.as_of) if published.changed else f"{published.as_of}, unchanged",
                "dagster/row_count": sum(table.rows for table in published.tables),
                "tables": counts_table({table.name: table.rows for table in published.tables}, "table", "rows"),
            }
        )

    return [serving]
