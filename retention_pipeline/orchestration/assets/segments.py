"""Micro-segments and their personas as assets."""

from collections.abc import Iterator

import dagster as dg

from retention_pipeline.orchestration.assets.models import model_key
from retention_pipeline.orchestration.metadata import counts_table, pictures_of, table_metadata
from retention_pipeline.orchestration.partitions import ONE_DAY_A_RUN
from retention_pipeline.orchestration.resources import WorkspaceResource, run_day
from retention_pipeline.progress import report_progress, stage
from retention_pipeline.segments.checking import PARTITION, SENTENCES, SIZES, broken_rows
from retention_pipeline.warehouse import open_warehouse
from retention_pipeline.workspace.schema import Retention

MICRO_SEGMENTS = dg.AssetKey(["decisions", "micro_segments"])
PERSONAS = dg.AssetKey(["decisions", "personas"])
TRAITS = dg.AssetKey(["decisions", "persona_traits"])
SEGMENT_TABLES = (MICRO_SEGMENTS, PERSONAS, TRAITS)

_CHECKED = {PARTITION: MICRO_SEGMENTS, SIZES: PERSONAS}

_DESCRIPTIONS = (
    "The segment of every active customer, by behaviour; it changes only where another is clearly nearer. One row per"
    " active customer.",
    "What each segment is: size, what sets it apart in words and numbers, how stable it is. One row per segment.",
    "The numbers behind the personas. One row per segment and behaviour.",
)


def build_segment_assets(config: Retention, partitions: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    """Who behaves like whom, and the segments described."""

    @dg.multi_asset(
        name="find_micro_segments",
        backfill_policy=ONE_DAY_A_RUN,
        specs=[
            dg.AssetSpec(
                key,
                deps=[model_key("marts", "customer_360")],
                group_name="segments",
                kinds={"scikitlearn", "duckdb"},
                owners=list(config.owners),
                partitions_def=partitions,
                description=description,
            )
            for key, description in zip(SEGMENT_TABLES, _DESCRIPTIONS, strict=True)
        ],
        check_specs=[
            dg.AssetCheckSpec(name, asset=key, description=SENTENCES[name], blocking=True)
            for name, key in _CHECKED.items()
        ],
    )
    def find_micro_segments(
        context: dg.AssetExecutionContext, workspace: WorkspaceResource
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        from retention_pipeline.segments.building import build_micro_segments

        day, paths = run_day(context), workspace.paths
        with stage("Find segments"), open_warehouse(paths.warehouse) as con:
            found = build_micro_segments(con, day, config.segments.micro, config.language, paths.state)
            report_progress("counting")
            shown = table_metadata(con, "decisions", [key.path[-1] for key in SEGMENT_TABLES])
            shown["personas"].update(pictures_of(con, "decisions.persona_traits"))
            broken = broken_rows(con)
            sizes = dict(con.execute("SELECT segment || ' ' || name, customers FROM decisions.personas").fetchall())
        shown["micro_segments"] |= {"moved": found.moved, "found on": found.found_on}
        if found.because:
            shown["micro_segments"]["found because"] = found.because
        shown["personas"]["sizes"] = counts_table(sizes, "segment", "customers")
        for key in SEGMENT_TABLES:
            yield dg.MaterializeResult(asset_key=key, metadata=shown[key.path[-1]])
        for name, key in _CHECKED.items():
            yield dg.AssetCheckResult(
                asset_key=key, check_name=name, passed=not broken[name], metadata={"rows that break it": broken[name]}
            )

    return [find_micro_segments]
