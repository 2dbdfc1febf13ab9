"""Campaign decisions and the lists that leave the house, as assets."""

from collections.abc import Iterator

import dagster as dg

from retention_pipeline.orchestration.assets.churn import SCORES
from retention_pipeline.orchestration.assets.models import model_key
from retention_pipeline.orchestration.metadata import counts_table, pictures_of, table_metadata
from retention_pipeline.orchestration.partitions import ONE_DAY_A_RUN
from retention_pipeline.orchestration.resources import WorkspaceResource, run_day
from retention_pipeline.progress import report_progress, stage
from retention_pipeline.warehouse import open_warehouse
from retention_pipeline.workspace.schema import Retention

TARGETS = dg.AssetKey(["decisions", "campaign_targets"])
EXCLUSIONS = dg.AssetKey(["decisions", "campaign_exclusions"])
SUMMARY = dg.AssetKey(["decisions", "campaign_summary"])
LISTS = dg.AssetKey(["lists", "campaign_lists"])


def build_campaign_assets(config: Retention, partitions: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """Who gets what and who does not, then the files that are sent."""
    owners = list(config.owners)
    inputs = [SCORES, model_key("marts", "customer_360"), model_key("intermediate", "int_customers")]

    @dg.multi_asset(
        name="decide_campaigns",
        backfill_policy=ONE_DAY_A_RUN,
        specs=[
            dg.AssetSpec(
                key,
                deps=inputs,
                group_name="campaigns",
                kinds={"python", "duckdb"},
                owners=owners,
                partitions_def=partitions,
                description=description,
            )
            for key, description in (
                (
                    TARGETS,
                    "Who is on which list with which offer, arm and expected profit. One row per play, customer.",
                ),
                (EXCLUSIONS, "Who qualifies and is on no list, with the first reason. One row per play and customer."),
                (SUMMARY, "Counts, cost and expected profit of the day. One row per play."),
            )
        ],
    )
    def decide_campaigns(
        context: dg.AssetExecutionContext, workspace: WorkspaceResource
    ) -> Iterator[dg.MaterializeResult]:
        from retention_pipeline.campaigns.deciding import decide

        with stage("Decide campaigns"), open_warehouse(workspace.paths.warehouse) as con:
            decide(con, config, run_day(context), workspace.paths.state)
            report_progress("counting")
            shown = table_metadata(con, "decisions", [key.path[-1] for key in (TARGETS, EXCLUSIONS, SUMMARY)])
            shown["campaign_targets"].update(pictures_of(con, "decisions.campaign_summary"))
            reasons = dict(
                con.execute("SELECT reason, count(*) FROM decisions.campaign_exclusions GROUP BY ALL").fetchall()
            )
        shown["campaign_exclusions"]["reasons"] = counts_table(reasons, "reason", "customers")
        for key in (TARGETS, EXCLUSIONS, SUMMARY):
            yield dg.MaterializeResult(asset_key=key, metadata=shown[key.path[-1]])

    @dg.asset(
        key=LISTS,
        backfill_policy=ONE_DAY_A_RUN,
        deps=[TARGETS, EXCLUSIONS, SUMMARY],
        partitions_def=partitions,
        group_name="campaigns",
        kinds={"csv", "parquet"},
        owners=owners,
        description="The lists as files, one CSV and one Parquet a play: the treatment arm only, ready to be sent.",
    )
    def campaign_lists(context: dg.AssetExecutionContext, workspace: WorkspaceResource) -> dg.MaterializeResult:
        from retention_pipeline.campaigns.releasing import release

        paths, day = workspace.paths, run_day(context)
        with stage("Write lists"), open_warehouse(paths.warehouse, read_only=True) as con:
            written = release(con, config, day, paths.lists, paths.state)
        return dg.MaterializeResult(
            metadata={
                "folder": dg.MetadataValue.text(f"lists/{day}"),
                "customers": counts_table(written, "list", "customers"),
            }
        )

    return [decide_campaigns, campaign_lists]
