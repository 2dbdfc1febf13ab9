"""Labels of what customers wrote, as assets between raw and the models."""

from collections.abc import Iterator

import dagster as dg

from retention_pipeline.orchestration.assets.raw import raw_key
from retention_pipeline.orchestration.metadata import counts_table, table_schema
from retention_pipeline.orchestration.partitions import ONE_DAY_A_RUN
from retention_pipeline.orchestration.resources import WorkspaceResource
from retention_pipeline.progress import report_progress, stage
from retention_pipeline.voice.tables import DESCRIPTIONS, FEEDS, TABLES, has_texts, label_feeds
from retention_pipeline.warehouse import create_layout, open_warehouse
from retention_pipeline.workspace.schema import Retention


def label_key(table: str) -> dg.AssetKey:
    """The asset of a table of labels."""
    return dg.AssetKey(["voice", table])


def build_voice_assets(config: Retention, partitions: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """The labels of texts and reasons; nothing where no feed of the business has any."""
    if not has_texts(config.feeds):
        return []
    feeds = [feed for feed in FEEDS if feed in config.feeds]

    @dg.multi_asset(
        name="label_texts",
        backfill_policy=ONE_DAY_A_RUN,
        specs=[
            dg.AssetSpec(
                label_key(table),
                deps=[raw_key(feed) for feed in feeds],
                group_name="voice",
                kinds={"python", "scikitlearn", "duckdb"},
                owners=list(config.owners),
                partitions_def=partitions,
                description=description,
                metadata={
                    "dagster/column_schema": table_schema(
                        (name, kind.removesuffix(" NOT NULL"), text) for name, (kind, text) in TABLES[table].items()
                    ),
                    "dagster/table_name": f"voice.{table}",
                },
            )
            for table, description in DESCRIPTIONS.items()
        ],
    )
    def label_texts(_context: dg.AssetExecutionContext, workspace: WorkspaceResource) -> Iterator[dg.MaterializeResult]:
        with stage("Label texts"), open_warehouse(workspace.paths.warehouse) as con:
            create_layout(con)
            done = label_feeds(con, config, workspace.paths.models, on_progress=report_progress)
            counts = {
                column: dict(con.execute(f"SELECT {column}, count(*) FROM voice.text_labels GROUP BY ALL").fetchall())
                for column in ("cause_by", "language", "theme")
            }
        yield dg.MaterializeResult(
            asset_key=label_key("text_labels"),
            metadata={
                "dagster/row_count": done.texts,
                "texts new": done.texts_new,
                "version of the labels": done.version,
                "told by": counts_table(counts["cause_by"], "told by", "texts"),
                "languages": counts_table(counts["language"], "language", "texts"),
                "themes": counts_table(counts["theme"], "theme", "texts"),
            },
        )
        yield dg.MaterializeResult(asset_key=label_key("reason_labels"), metadata={"dagster/row_count": done.reasons})

    return [label_texts]
