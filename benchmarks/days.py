"""The steps of a daily run one by one, each with its time; training apart, since it looks at all of history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from time import perf_counter, process_time

from retention_pipeline.settings import StatePaths


class Stopwatch:
    """Wall and processor seconds of each named piece of work."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.processor_seconds: dict[str, float] = {}

    @contextmanager
    def time(self, name: str) -> Iterator[None]:
        """Time a block."""
        started, busy = perf_counter(), process_time()
        yield
        self.seconds[name] = perf_counter() - started
        self.processor_seconds[name] = process_time() - busy


def prepare_day(folder: Path, paths: StatePaths) -> Callable[[date, Stopwatch], None]:
    """Import and parse what a day needs; returns what does a day without training."""
    import retention_pipeline.quality.validating  # noqa: F401 - its imports are no work of a day
    from retention_pipeline.campaigns.deciding import decide
    from retention_pipeline.campaigns.history import load_contacts
    from retention_pipeline.campaigns.releasing import release
    from retention_pipeline.churn.registry import load_model, promoted_model
    from retention_pipeline.churn.scoring import clear_scores, score
    from retention_pipeline.dbt_runner import load_manifest, prepare_manifest, project_hash, run_dbt
    from retention_pipeline.feeds.loading import load_feeds
    from retention_pipeline.increments import complete_build, plan_build
    from retention_pipeline.orchestration.published import published_tables
    from retention_pipeline.publish.serving import publish
    from retention_pipeline.quality.checking import check_lists, check_marts, check_raw, check_scores
    from retention_pipeline.segments.building import build_micro_segments
    from retention_pipeline.warehouse import create_layout, open_warehouse, write_run_context
    from retention_pipeline.workspace.loading import load_business

    business = load_business(folder)
    config = business.config
    prepare_manifest(paths)
    manifest = load_manifest(paths)

    def do(day: date, watch: Stopwatch) -> None:
        with watch.time("load"), open_warehouse(paths.warehouse) as con:
            create_layout(con)
            load_feeds(con, business)
        with watch.time("check raw"):
            check_raw(paths, config.feeds, day)
        with watch.time("models"):
            with open_warehouse(paths.warehouse) as con:
                write_run_context(con, config, day)
                load_contacts(con, config, day, paths.state)
                plan = plan_build(con, project_hash())
            run = run_dbt(["build", "--exclude", "resource_type:unit_test"], paths, incremental=plan.is_incremental)
            if not run.success:
                raise RuntimeError("; ".join(run.failures))
            with open_warehouse(paths.warehouse) as con:
                complete_build(con, project_hash())
        with watch.time("check marts"):
            check_marts(paths, manifest, day)
        with watch.time("score"), open_warehouse(paths.warehouse) as con:
            model = promoted_model(paths.models, day)
            if model is None:
                clear_scores(con)
            else:
                score(con, load_model(paths.models, model), day)
        with watch.time("decide"):
            with open_warehouse(paths.warehouse) as con:
                decide(con, config, day, paths.state)
            check_scores(paths, day)
            check_lists(paths, config.plays, day)
            with open_warehouse(paths.warehouse, read_only=True) as con:
                release(con, config, day, paths.lists, paths.state)
        with watch.time("segments"), open_warehouse(paths.warehouse) as con:
            build_micro_segments(con, day, config.segments.micro, config.language, paths.state)
        with watch.time("publish"):
            publish(paths.warehouse, paths, day, published_tables(manifest))

    return do


def train_model(folder: Path, paths: StatePaths, day: date) -> None:
    """Train a model on what is in the warehouse, and keep it."""
    from retention_pipeline.churn.model import train
    from retention_pipeline.churn.registry import save_model
    from retention_pipeline.warehouse import open_warehouse
    from retention_pipeline.workspace.loading import load_business

    with open_warehouse(paths.warehouse, read_only=True) as con:
        save_model(train(con, day, load_business(folder).config.churn), paths.models)
