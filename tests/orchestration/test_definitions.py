"""The lineage as Dagster sees it: what every asset shows, and when jobs run."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from retention_pipeline.definitions import build_defs
from retention_pipeline.orchestration.resources import WorkspaceResource
from retention_pipeline.settings import BUSINESS_VARIABLE, PROJECT, STATE_VARIABLE
from tests.pipelines import ONLINE_RETAIL, OULAD

GROUPS_OF_FLOW = {"raw", "staging", "intermediate", "churn", "campaigns", "serving"}


@pytest.fixture(scope="module", params=[ONLINE_RETAIL, OULAD], ids=["online_retail", "oulad"])
def defs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    """The definitions of a business that ships, with an empty state."""
    os.environ[BUSINESS_VARIABLE] = str(request.param)
    os.environ[STATE_VARIABLE] = str(tmp_path_factory.mktemp("state"))
    return build_defs()


def _own_specs(defs: dg.Definitions) -> list[dg.AssetSpec]:
    graph = defs.resolve_asset_graph()
    return [spec for spec in defs.resolve_all_asset_specs() if spec.key in graph.materializable_asset_keys]


def test_every_asset_says_whose_it_is_and_what_it_holds(defs: dg.Definitions) -> None:
    for spec in _own_specs(defs):
        assert spec.owners, spec.key
        assert spec.kinds, spec.key
        assert spec.description, spec.key
        assert spec.group_name not in (None, "default"), spec.key


def test_groups_follow_the_flow(defs: dg.Definitions) -> None:
    groups = {spec.group_name for spec in _own_specs(defs)}
    assert groups >= GROUPS_OF_FLOW


def test_lineage_reaches_from_an_export_to_serving(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    upstream: set[dg.AssetKey] = set()
    todo = [dg.AssetKey(["serving", "serving"])]
    while todo:
        key = todo.pop()
        if key not in upstream:
            upstream.add(key)
            todo.extend(graph.get(key).parent_keys)
    for wanted in ("raw", "staging", "intermediate", "marts", "decisions"):
        assert any(key.path[0] == wanted for key in upstream), wanted


def test_there_are_checks_at_every_step(defs: dg.Definitions) -> None:
    checked = {key.asset_key.path[0] for key in defs.resolve_asset_graph().asset_check_keys}
    assert checked >= {"raw", "marts", "decisions"}


def test_what_has_a_day_is_partitioned_by_it(defs: dg.Definitions) -> None:
    for spec in _own_specs(defs):
        if spec.group_name == "raw":
            assert spec.partitions_def is None, spec.key
        else:
            assert isinstance(spec.partitions_def, dg.DailyPartitionsDefinition), spec.key


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        # 04:00 British Summer Time: the day before ended an hour before midnight UTC.
        (datetime(2011, 7, 5, 3, 0, tzinfo=UTC), "2011-07-04"),
        (datetime(2011, 12, 1, 4, 0, tzinfo=UTC), "2011-11-30"),
        # The morning after the clocks went back.
        (datetime(2011, 10, 30, 4, 0, tzinfo=UTC), "2011-10-29"),
    ],
)
def test_schedule_asks_for_the_day_that_has_ended(tmp_path: Path, moment: datetime, day: str) -> None:
    os.environ[BUSINESS_VARIABLE], os.environ[STATE_VARIABLE] = str(ONLINE_RETAIL), str(tmp_path)
    defs = build_defs()
    schedule = defs.resolve_schedule_def("daily_retention_schedule")
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance=instance, scheduled_execution_time=moment, repository_def=defs.get_repository_def()
        )
        evaluated = schedule.evaluate_tick(context)
    assert [request.partition_key for request in evaluated.run_requests] == [day]


def test_sensor_asks_once_for_each_change_of_files(tmp_path: Path) -> None:
    business = tmp_path / "business"
    shutil.copytree(ONLINE_RETAIL, business)
    os.environ[BUSINESS_VARIABLE], os.environ[STATE_VARIABLE] = str(business), str(tmp_path / "state")
    defs = build_defs()
    sensor = defs.resolve_sensor_def("new_files_sensor")

    def look(cursor: str | None):
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(
                instance=instance, cursor=cursor, repository_def=defs.get_repository_def()
            )
            return sensor.evaluate_tick(context)

    first = look(None)
    assert len(first.run_requests) == 1
    assert not look(first.cursor).run_requests
    arrived = business / "exports" / "invoices_fy2011_2012-01.csv.zst"
    shutil.copyfile(business / "exports" / "invoices_fy2011_2011-12.csv.zst", arrived)
    again = look(first.cursor)
    assert len(again.run_requests) == 1
    assert again.run_requests[0].run_key != first.run_requests[0].run_key


def test_resources_can_be_replaced(tmp_path: Path) -> None:
    other = WorkspaceResource(business_folder=str(OULAD), state_folder=str(tmp_path))
    defs = build_defs(resource_overrides={"workspace": other})
    assert defs.resources["workspace"] is other


def test_dagster_itself_finds_the_definitions_valid(tmp_path: Path) -> None:
    finished = subprocess.run(
        [str(Path(sys.executable).parent / "dagster"), "definitions", "validate", "-w", "workspace.yaml"],
        cwd=PROJECT,
        env={**os.environ, STATE_VARIABLE: str(tmp_path), "DAGSTER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_only_the_orchestration_knows_dagster() -> None:
    package = PROJECT / "retention_pipeline"
    allowed = {package / "definitions.py"}
    for path in sorted(package.rglob("*.py")):
        if path in allowed or path.is_relative_to(package / "orchestration"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not any(name.split(".")[0] in ("dagster", "dagster_dbt") for name in names), path
