"""What Dagster loads: the assets, checks, jobs, schedule and sensor of one business.

`RETENTION_BUSINESS` names the folder of the business, `RETENTION_STATE` that of the state.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

from retention_pipeline.dbt_runner import load_manifest, prepare_manifest
from retention_pipeline.orchestration.assets.campaigns import build_campaign_assets
from retention_pipeline.orchestration.assets.churn import build_churn_assets
from retention_pipeline.orchestration.assets.models import build_model_assets
from retention_pipeline.orchestration.assets.raw import build_raw_assets
from retention_pipeline.orchestration.assets.report import build_report_assets
from retention_pipeline.orchestration.assets.segments import build_segment_assets
from retention_pipeline.orchestration.assets.serving import build_serving_assets
from retention_pipeline.orchestration.assets.voice import build_voice_assets
from retention_pipeline.orchestration.checks import build_checks
from retention_pipeline.orchestration.jobs import build_jobs
from retention_pipeline.orchestration.partitions import daily_partitions
from retention_pipeline.orchestration.resources import WORKSPACE_KEY, WorkspaceResource
from retention_pipeline.orchestration.schedules import build_daily_schedule, build_new_files_sensor
from retention_pipeline.settings import business_folder, state_paths
from retention_pipeline.workspace.loading import load_business


def build_defs(resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The definitions of the chosen business.

    Args:
        resource_overrides: Resources that take the place of the defaults; `workspace` decides which business is loaded.

    Raises:
        RetentionError: `retention.yaml` is missing or wrong.
    """
    with warnings.catch_warnings():
        # Backfill policies are called beta; they only say here that days run one after the other.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return _build(dict(resource_overrides or {}))


def _build(overrides: dict[str, Any]) -> dg.Definitions:
    workspace = overrides.get(WORKSPACE_KEY)
    if workspace is None:
        business = load_business(business_folder())
        root = state_paths(business.name).root
        workspace = WorkspaceResource(business_folder=str(business.folder), state_folder=str(root))
    business, paths = workspace.business, workspace.paths
    config, partitions = business.config, daily_partitions(business.config)
    manifest_path, manifest = prepare_manifest(paths), load_manifest(paths)
    return dg.Definitions(
        assets=[
            build_raw_assets(business),
            *build_voice_assets(config, partitions),
            build_model_assets(manifest_path, list(config.owners), partitions),
            *build_churn_assets(config, partitions),
            *build_segment_assets(config, partitions),
            *build_campaign_assets(config, partitions),
            *build_serving_assets(config, manifest, partitions),
            *build_report_assets(config, partitions),
        ],
        asset_checks=build_checks(business, manifest),
        jobs=build_jobs(),
        schedules=[build_daily_schedule(config)],
        sensors=[build_new_files_sensor(business)],
        resources={WORKSPACE_KEY: workspace, **overrides},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions that `workspace.yaml` names; made when Dagster asks, so that importing this module is cheap."""
    return build_defs()
