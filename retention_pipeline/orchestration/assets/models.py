"""The dbt models as assets, their tests as checks, built by dbt in this process."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject, dbt_assets
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from retention_pipeline.campaigns.history import load_contacts
from retention_pipeline.dbt_runner import project_hash, run_dbt
from retention_pipeline.feeds.lateness import late_feeds
from retention_pipeline.increments import complete_build, plan_build
from retention_pipeline.orchestration.metadata import pictures_of, table_metadata
from retention_pipeline.orchestration.partitions import ONE_DAY_A_RUN
from retention_pipeline.orchestration.resources import WorkspaceResource, run_day
from retention_pipeline.progress import report_progress, stage
from retention_pipeline.warehouse import (
    create_layout,
    open_warehouse,
    read_held_feeds,
    write_late_feeds,
    write_run_context,
)

EXCLUDED = "resource_type:unit_test"
WITH_PICTURES = frozenset({"cohort_retention", "kpi_monthly"})
LAYERS = ("staging", "intermediate", "marts")


def model_key(schema: str, name: str) -> dg.AssetKey:
    """The asset of a dbt model: its schema and its table."""
    return dg.AssetKey([schema, name])


class Translator(DagsterDbtTranslator):
    """Names the assets after their tables and groups them after the flow."""

    def __init__(self, owners: list[str]) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=False))
        self._owners = owners

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The spec of one model."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        props = self.get_resource_props(manifest, unique_id)
        return spec.replace_attributes(
            group_name=_group(props), owners=self._owners, kinds={"dbt", "duckdb"}, description=_description(props)
        )

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`<schema>/<table>`: the key of a source is the raw table that a feed fills."""
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey([dbt_resource_props["source_name"], dbt_resource_props["name"]])
        return model_key(dbt_resource_props["schema"], dbt_resource_props["name"])


def _description(props: Mapping[str, Any]) -> str:
    return str(props.get("description") or "")


def _group(props: Mapping[str, Any]) -> str:
    if props["resource_type"] == "source":
        return str(props["source_name"])
    folders = props["fqn"][1:-1]
    return "_".join(folders) if folders else "models"


def build_model_assets(manifest: Path, owners: list[str], partitions: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """All models of the project as one step that dbt orders by itself."""
    translator = Translator(owners)

    @dbt_assets(
        manifest=manifest,
        name="build_models",
        exclude=EXCLUDED,
        partitions_def=partitions,
        backfill_policy=ONE_DAY_A_RUN,
        dagster_dbt_translator=translator,
    )
    def build_models(context: dg.AssetExecutionContext, workspace: WorkspaceResource) -> Iterator[Any]:
        paths, config = workspace.paths, workspace.business.config
        with stage("Build models"):
            with open_warehouse(paths.warehouse) as con:
                create_layout(con)
                write_run_context(con, config, run_day(context))
                load_contacts(con, config, run_day(context), paths.state)
                # Which feeds are late is a matter of the day: models may be built for an older one, without a load.
                late = late_feeds(con, config, run_day(context))
                write_late_feeds(con, late)
                held = sorted({*read_held_feeds(con), *late})
                plan = plan_build(con, project_hash(), held=bool(held))
            report_progress("what has changed" if plan.is_incremental else f"everything: {plan.reason}")
            excluded = [EXCLUDED, *(f"source:raw.{feed}+" for feed in held)]
            run = run_dbt(["build", "--exclude", *excluded], paths, incremental=plan.is_incremental)
            with open_warehouse(paths.warehouse) as con:
                if run.models_built and not held:
                    complete_build(con, project_hash())
                shown = {
                    key: value for layer in LAYERS for key, value in table_metadata(con, layer, run.seconds).items()
                }
                for table in shown.keys() & WITH_PICTURES:
                    shown[table].update(pictures_of(con, f"marts.{table}"))
        for event in run.events:
            yield from _dagster_events(event, context, manifest, translator, shown)
        if run.failures:
            raise dg.Failure("; ".join(run.failures), allow_retries=False)

    return build_models


def _dagster_events(
    event: dict[str, Any],
    context: dg.AssetExecutionContext,
    manifest: Path,
    translator: Translator,
    shown: Mapping[str, dict[str, Any]],
) -> Iterator[Any]:
    message = DbtCoreCliEventMessage(raw_event=event, event_history_metadata={})
    table = event["data"].get("node_info", {}).get("node_name", "")
    for dagster_event in message.to_default_asset_events(manifest, translator, context):
        if isinstance(dagster_event, dg.Output):
            yield dagster_event.with_metadata({**dagster_event.metadata, **shown.get(table, {})})
        else:
            yield dagster_event
