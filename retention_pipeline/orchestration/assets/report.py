"""The page of the day as an asset: what came in, what changed, what to do next, with pictures."""

import dagster as dg

from retention_pipeline.orchestration.assets.serving import SERVING
from retention_pipeline.orchestration.outcomes import collect_outcome
from retention_pipeline.orchestration.partitions import ONE_DAY_A_RUN
from retention_pipeline.orchestration.resources import WorkspaceResource, run_day
from retention_pipeline.progress import stage
from retention_pipeline.warehouse import open_warehouse
from retention_pipeline.workspace.schema import Retention

REPORT = dg.AssetKey(["report", "daily_report"])


def build_report_assets(config: Retention, partitions: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The page of the day."""

    @dg.asset(
        key=REPORT,
        backfill_policy=ONE_DAY_A_RUN,
        deps=[SERVING],
        partitions_def=partitions,
        group_name="serving",
        kinds={"html"},
        owners=list(config.owners),
        description="The page of the day: feeds, figures of the last full month, model, lists, checks. One file a day.",
    )
    def daily_report(context: dg.AssetExecutionContext, workspace: WorkspaceResource) -> dg.MaterializeResult:
        from retention_pipeline.report.html import write_html
        from retention_pipeline.report.pictures import draw_pictures
        from retention_pipeline.report.run_summary import summarise

        paths = workspace.paths
        with stage("Write the report"):
            events = [entry.dagster_event for entry in context.instance.all_logs(context.run_id) if entry.dagster_event]
            blocking = _blocking(context)
            outcome = collect_outcome(events, blocking, run_day(context), succeeded=True)
            summary = summarise(workspace.business, paths, outcome, _seconds(events))
            with open_warehouse(paths.warehouse, read_only=True) as con:
                pictures = draw_pictures(con)
            page = write_html(summary, pictures, paths.report)
        return dg.MaterializeResult(
            metadata={"page": dg.MetadataValue.text(f"report/{page.name}"), "pictures": len(pictures)}
        )

    return [daily_report]


def _blocking(context: dg.AssetExecutionContext) -> frozenset[dg.AssetCheckKey]:
    layer = context.job_def.asset_layer
    return frozenset(
        key for key in layer.asset_graph.asset_check_keys if layer.asset_graph.get_check_spec(key).blocking
    )


def _seconds(events: list[dg.DagsterEvent]) -> dict[str, float]:
    """Seconds by step, in the order in which the steps ended."""
    return {
        event.step_key: event.step_success_data.duration_ms / 1000
        for event in events
        if event.is_step_success and event.step_key
    }
