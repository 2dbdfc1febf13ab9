"""Runs of whole businesses for tests: in a process of their own as a user starts them, or in this one."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from retention_pipeline.settings import BUSINESS_VARIABLE, PROJECT, STATE_VARIABLE, StatePaths

ONLINE_RETAIL = PROJECT / "data" / "online_retail"
OULAD = PROJECT / "data" / "oulad"


def retention(*arguments: str, state: Path, timeout: int = 600) -> subprocess.CompletedProcess[str]:
    """Run `retention` with `arguments` as a user would, with its state under `state`."""
    return subprocess.run(
        [sys.executable, "-m", "retention_pipeline.cli", *arguments],
        cwd=PROJECT,
        env={**os.environ, STATE_VARIABLE: str(state), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run_here(business: Path, state: Path, as_of: date | None = None):
    """Run a day of `business` in this process; returns the outcome of the run."""
    from retention_pipeline.definitions import build_defs
    from retention_pipeline.orchestration.running import run_daily
    from retention_pipeline.workspace.loading import load_business

    os.environ[BUSINESS_VARIABLE] = str(business)
    os.environ[STATE_VARIABLE] = str(state)
    loaded = load_business(business)
    return run_daily(build_defs(), loaded, StatePaths(state / loaded.name), as_of)


def compute_day(business: Path, state: Path, day: date, *, anew: bool = False) -> None:
    """Load, model, train, score, decide and write the lists of a day, without checks, pages and Dagster around them.

    With `anew`, the models are built from scratch, whatever was built before.
    """
    from retention_pipeline.campaigns.deciding import decide
    from retention_pipeline.campaigns.releasing import release
    from retention_pipeline.churn.model import train
    from retention_pipeline.churn.registry import save_model
    from retention_pipeline.churn.scoring import score
    from retention_pipeline.dbt_runner import project_hash, run_dbt
    from retention_pipeline.feeds.loading import load_feeds
    from retention_pipeline.increments import complete_build, forget_build, plan_build
    from retention_pipeline.warehouse import create_layout, open_warehouse, write_run_context
    from retention_pipeline.workspace.loading import load_business

    loaded = load_business(business)
    config, paths = loaded.config, StatePaths(state / loaded.name)
    paths.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with open_warehouse(paths.warehouse) as con:
        create_layout(con)
        assert not any(load.problems for load in load_feeds(con, loaded).values())
        write_run_context(con, config, day)
        if anew:
            forget_build(con)
        plan = plan_build(con, project_hash())
    assert run_dbt(["run"], paths, incremental=plan.is_incremental).success
    with open_warehouse(paths.warehouse) as con:
        complete_build(con, project_hash())
        model = train(con, day, config.churn)
        save_model(model, paths.models)
        score(con, model, day)
        decide(con, config, day, paths.state)
        release(con, config, day, paths.lists, paths.state)


@contextmanager
def once_for_all_workers(folder: Path, name: str) -> Iterator[bool]:
    """Hold a lock on `name`; yields whether the work is still to be done (the first comer's task)."""
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / f"{name}.done"
    with (folder / f"{name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield not done.exists()
        done.touch()


def folder_digest(folder: Path) -> dict[str, str]:
    """SHA-256 of every file under `folder`, by relative path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


def table_digests(database: Path, schemas: tuple[str, ...]) -> dict[str, tuple[int, str]]:
    """Row count and an order-free hash of the content of every table in `schemas`.

    What an incremental build computed anew is left out: it depends on what was built before, and is nothing to read.
    """
    with duckdb.connect(str(database), read_only=True) as con:
        tables = con.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE list_contains(?, schema_name)"
            " AND NOT starts_with(table_name, 'int_changed_') ORDER BY ALL",
            [list(schemas)],
        ).fetchall()
        digests = {}
        for schema, table in tables:
            found = con.execute(
                f'SELECT count(*), coalesce(sum(hash(t)::HUGEINT), 0)::VARCHAR FROM "{schema}"."{table}" t'
            ).fetchall()
            digests[f"{schema}.{table}"] = found[0]
    return digests
