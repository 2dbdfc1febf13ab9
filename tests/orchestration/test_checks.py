"""The suites as asset checks: part of the daily job, and a wall where a wrong number would reach a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest
import yaml

from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.orchestration.checks import build_checks
from retention_pipeline.orchestration.jobs import DAILY_JOB, LOAD_JOB, build_jobs
from retention_pipeline.orchestration.outcomes import blocking_checks, collect_outcome
from retention_pipeline.orchestration.resources import WorkspaceResource
from retention_pipeline.progress import progress_to
from retention_pipeline.settings import StatePaths
from retention_pipeline.warehouse import open_warehouse, write_run_context
from tests.quality_samples import DAY, FEEDS, PERSONAL, PLAYS, make_manifest, make_warehouse, plant

STEPS = (
    # step, assets that it makes, assets that it needs: the shape of the real lineage
    ("load", ("raw/customers", "raw/order_lines"), ()),
    (
        "build",
        ("marts/fct_orders", "marts/kpi_monthly", "marts/customer_features"),
        ("raw/customers", "raw/order_lines"),
    ),
    ("score", ("decisions/churn_scores",), ("marts/customer_features",)),
    (
        "decide",
        ("decisions/campaign_targets", "decisions/campaign_exclusions", "decisions/campaign_summary"),
        ("decisions/churn_scores",),
    ),
    (
        "serve",
        ("serving/serving",),
        ("decisions/campaign_targets", "decisions/campaign_summary", "marts/fct_orders", "marts/kpi_monthly"),
    ),
)
CHECK_STEPS = {"raw": "check_raw", "marts": "check_marts", "scores": "check_scores", "lists": "check_lists"}


def _key(text: str) -> dg.AssetKey:
    return dg.AssetKey(text.split("/"))


def _step(name: str, makes: tuple[str, ...], needs: tuple[str, ...]) -> dg.AssetsDefinition:
    """A step that leaves the warehouse as the test made it."""
    partitions = None if name == "load" else dg.DailyPartitionsDefinition("2026-01-01")
    specs = [
        dg.AssetSpec(_key(key), deps=[_key(n) for n in needs], group_name=key.split("/")[0], partitions_def=partitions)
        for key in makes
    ]

    @dg.multi_asset(name=name, specs=specs)
    def step() -> Iterator[dg.MaterializeResult]:
        for key in makes:
            yield dg.MaterializeResult(asset_key=_key(key))

    return step


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return make_warehouse(tmp_path / "state")


@pytest.fixture
def defs(paths: StatePaths, tmp_path: Path) -> dg.Definitions:
    folder = tmp_path / "business"
    folder.mkdir()
    feeds = {
        feed: [{"files": f"exports/{feed}_*.csv", "columns": {name: name for name in CONTRACTS[feed].required}}]
        for feed in FEEDS
    }
    config = {
        "business": "sample",
        "title": "Sample",
        "kind": "transactional",
        "timezone": "Europe/London",
        "currency": "GBP",
        "salt": "a salt for the tests only",
        "first_day": "2026-01-01",
        "feeds": feeds,
        "plays": {name: play.model_dump(mode="json") for name, play in PLAYS.items()},
        "consent_basis": {"email": {"basis": "contract", "note": "a sample without people"}},
    }
    (folder / "retention.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    workspace = WorkspaceResource(business_folder=str(folder), state_folder=str(paths.root))
    return dg.Definitions(
        assets=[_step(*step) for step in STEPS],
        asset_checks=build_checks(workspace.business, make_manifest()),
        jobs=build_jobs(),
        resources={"workspace": workspace},
    )


def _run(defs: dg.Definitions, job: str = DAILY_JOB, day: str | None = DAY.isoformat()):
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def(job).execute_in_process(
            instance=instance,
            partition_key=day,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        return collect_outcome(result.all_events, blocking_checks(defs), DAY, succeeded=result.success)


class Stages:
    """Remembers which stages were reported."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def stage_started(self, name: str) -> None:
        self.names.append(name)

    def detail(self, line: str) -> None:
        pass

    def stage_finished(self, name: str, seconds: float, *, succeeded: bool) -> None:
        pass


def test_a_sound_day_passes_every_check(defs: dg.Definitions, paths: StatePaths) -> None:
    stages = Stages()
    with progress_to(stages):
        outcome = _run(defs)
    assert outcome.succeeded, outcome.failures
    assert stages.names == ["Check raw", "Check marts", "Check scores", "Check lists"]
    assert [check for check in outcome.checks if not check.passed] == []
    assert {check.asset.split("/")[0] for check in outcome.checks} == {"raw", "marts", "decisions"}
    with duckdb.connect(str(paths.warehouse), read_only=True) as con:
        days = con.execute("SELECT DISTINCT as_of, suite FROM decisions.quality_results ORDER BY ALL").fetchall()
    assert days == [(DAY, suite) for suite in ("lists", "marts", "raw", "scores")]
    assert (paths.quality / "data_docs" / "index.html").is_file()


def test_the_daily_job_has_every_check(defs: dg.Definitions) -> None:
    keys = defs.resolve_asset_graph().asset_check_keys
    layer = defs.resolve_job_def(DAILY_JOB).asset_layer
    assert set(layer.asset_graph.asset_check_keys) == keys
    assert len(keys) > 30
    assert {node.name for node in defs.resolve_job_def(DAILY_JOB).nodes} >= set(CHECK_STEPS.values())


BLOCKING = [
    (
        "UPDATE raw.order_lines SET order_id = NULL WHERE _line = 3",
        ("raw/order_lines", "required_values"),
        {"build", "score", "decide", "serve", "check_marts", "check_scores", "check_lists"},
    ),
    (
        "UPDATE marts.kpi_monthly SET customer_churn_rate = 1.01 WHERE month_start = DATE '2026-02-01'",
        ("marts/kpi_monthly", "rates_in_range"),
        {"score", "decide", "serve", "check_scores", "check_lists"},
    ),
    (
        "UPDATE decisions.churn_scores SET churn_probability = 1.5 WHERE customer_key = 'k1'",
        ("decisions/churn_scores", "rates_in_range"),
        {"decide", "serve", "check_lists"},
    ),
    (
        "UPDATE decisions.campaign_exclusions SET customer_key = 'k2'",
        ("decisions/campaign_targets", "targeted_or_excluded"),
        {"serve"},
    ),
]


@pytest.mark.parametrize(("fault", "check", "stopped"), BLOCKING, ids=[case[1][0] for case in BLOCKING])
def test_a_blocking_failure_stops_what_comes_after(
    defs: dg.Definitions, paths: StatePaths, fault: str, check: tuple[str, str], stopped: set[str]
) -> None:
    plant(paths, fault)
    outcome = _run(defs)
    assert not outcome.succeeded
    failed = [found for found in outcome.checks if not found.passed]
    assert [(found.asset, found.name, found.blocking) for found in failed] == [(*check, True)]
    made = set(outcome.metadata)
    for name, makes, _ in STEPS:
        assert (set(makes) <= made) is (name not in stopped), name
    assert "rows break it" in failed[0].description
    assert not any(part in repr(outcome) for part in PERSONAL)


def test_a_warning_stops_nothing(defs: dg.Definitions, paths: StatePaths) -> None:
    plant(paths, "UPDATE raw.customers SET customer_id = 'C-secret-1-1' WHERE _line < 4")
    outcome = _run(defs)
    assert outcome.succeeded, outcome.failures
    failed = [(found.asset, found.name, found.blocking) for found in outcome.checks if not found.passed]
    assert failed == [("raw/customers", "keys_are_unique_in_batch", False)]
    assert "serving/serving" in outcome.metadata


def test_loading_alone_checks_raw_without_a_day(defs: dg.Definitions, paths: StatePaths) -> None:
    outcome = _run(defs, LOAD_JOB, None)
    assert outcome.succeeded, outcome.failures
    assert {check.asset for check in outcome.checks} == {"raw/customers", "raw/order_lines"}
    plant(paths, "UPDATE raw.order_lines SET order_id = NULL WHERE _line = 3")
    failed = _run(defs, LOAD_JOB, None)
    assert failed.succeeded, "a batch that was validated is not looked at again"


def test_the_day_of_the_run_is_what_rows_are_compared_with(defs: dg.Definitions) -> None:
    outcome = _run(defs, day="2026-03-30")
    late = {(c.asset, c.name) for c in outcome.checks if not c.passed}
    assert late == {("marts/customer_features", "nothing_after_the_day")}


def test_one_check_can_be_run_alone_for_the_day_that_the_models_show(defs: dg.Definitions, paths: StatePaths) -> None:
    key = dg.AssetCheckKey(_key("marts/customer_features"), "nothing_after_the_day")
    alone = dg.Definitions.merge(
        defs, dg.Definitions(jobs=[dg.define_asset_job("alone", selection=dg.AssetSelection.checks(key))])
    )
    with open_warehouse(paths.warehouse) as con:
        write_run_context(con, alone.resources["workspace"].business.config, DAY)
    outcome = _run(alone, "alone", None)
    assert outcome.succeeded, outcome.failures
    assert [(c.asset, c.name, c.passed) for c in outcome.checks] == [
        ("marts/customer_features", "nothing_after_the_day", True)
    ]


def test_failing_rows_are_named_by_their_keys(defs: dg.Definitions, paths: StatePaths) -> None:
    plant(paths, "UPDATE marts.fct_orders SET status = 'void' WHERE order_id IN ('O3', 'O4')")
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def(DAILY_JOB).execute_in_process(
            instance=instance, partition_key=DAY.isoformat(), raise_on_error=False
        )
    (found,) = [e for e in result.get_asset_check_evaluations() if not e.passed]
    assert found.metadata["rows that break them"].value == 2
    table = found.metadata["first failing rows 1"]
    assert [record.data for record in table.records] == [{"order_id": "O3"}, {"order_id": "O4"}]
