"""Runs dbt in this process, quietly, on the warehouse of one business.

A dbt started as its own process costs seconds of imports each time; `dbtRunner` shares those of the run. Its connection
pool is closed after each call: a connection left open would refuse the next one with another configuration.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from retention_pipeline import __version__
from retention_pipeline.errors import RetentionError
from retention_pipeline.progress import current_listener
from retention_pipeline.settings import PROJECT, StatePaths

DBT_PROJECT = PROJECT / "dbt_project"
_FINISHED = ("LogModelResult", "LogTestResult")
_FAILED = ("error", "fail", "runtime error")
_BUILDING = ("build", "run")


@dataclass(frozen=True)
class DbtRun:
    """What one call of dbt did.

    Attributes:
        success: Whether every model was built and every test with severity `error` passed.
        events: The structured events of finished models and tests, in the order in which they finished.
        failures: One line for each model or test that failed.
        seconds: Seconds of work by model.
        models_built: Whether every chosen model was built, whatever the tests say.
    """

    success: bool
    events: tuple[dict[str, Any], ...]
    failures: tuple[str, ...]
    seconds: dict[str, float]
    models_built: bool = True


def run_dbt(arguments: Sequence[str], paths: StatePaths, *, incremental: bool = False) -> DbtRun:
    """Run dbt with `arguments` (such as `["build"]`) on the warehouse in `paths`.

    Args:
        arguments: Command and options.
        paths: The state of the business.
        incremental: Whether models compute only what has changed, as `increments.plan_build` allowed; else all of
            them are built anew.

    Raises:
        RetentionError: dbt could not even start: the project does not parse, or the warehouse is locked.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner
    from dbt_common.events.functions import msg_to_dict

    os.environ["RETENTION_WAREHOUSE"] = str(paths.warehouse)
    paths.dbt_target.mkdir(parents=True, exist_ok=True)
    listener = current_listener()
    events: list[dict[str, Any]] = []

    def collect(message: Any) -> None:
        if message.info.name in _FINISHED:
            event = msg_to_dict(message)
            events.append(event)
            if listener is not None:
                listener.detail(_progress_line(event))

    runner = dbtRunner(callbacks=[collect])
    try:
        result = runner.invoke([*arguments, *_building_flags(arguments[0], incremental), *_common_flags(paths)])
    finally:
        DuckDBConnectionManager.close_all_connections()
    if result.exception is not None:
        raise RetentionError(
            f"dbt stopped: {_first_lines(str(result.exception))}",
            where="dbt_project",
            expected="a project that parses and a warehouse that can be written",
            way_out="run `make lint` to see whether the models parse; close other programs that hold the warehouse",
        ) from result.exception
    results = getattr(result.result, "results", [])
    failed = [item for item in results if str(item.status) in _FAILED]
    return DbtRun(
        success=bool(result.success),
        events=tuple(events),
        failures=tuple(f"{item.node.name}: {_first_lines(item.message or str(item.status))}" for item in failed),
        seconds={item.node.name: float(item.execution_time) for item in results},
        models_built=all(str(item.status) == "success" for item in results if str(item.node.resource_type) == "model"),
    )


def prepare_manifest(paths: StatePaths) -> Path:
    """The manifest of the dbt project, parsed anew only where a file of the project has changed."""
    manifest = paths.dbt_target / "manifest.json"
    stamp = paths.dbt_target / "sources.sha256"
    current = project_hash()
    if manifest.is_file() and stamp.is_file() and stamp.read_text(encoding="utf-8") == current:
        return manifest
    run_dbt(["parse"], paths)
    stamp.write_text(current, encoding="utf-8")
    return manifest


def load_manifest(paths: StatePaths) -> dict[str, Any]:
    """The manifest as plain data."""
    manifest: dict[str, Any] = json.loads(prepare_manifest(paths).read_text(encoding="utf-8"))
    return manifest


def _building_flags(command: str, incremental: bool) -> list[str]:
    if command not in _BUILDING:
        return []
    # The manifest is that of the last parse, and what came of the models is read from the events.
    return ["--no-write-json", *([] if incremental else ["--full-refresh"])]


def _common_flags(paths: StatePaths) -> list[str]:
    return [
        *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
        *("--target-path", str(paths.dbt_target), "--log-path", str(paths.dbt_target)),
        *("--quiet", "--log-level", "none", "--log-level-file", "none", "--no-use-colors"),
        *("--no-send-anonymous-usage-stats", "--no-version-check"),
    ]


def project_hash() -> str:
    """A hash of everything that the models are made of."""
    digest = sha256(__version__.encode())
    for path in sorted(DBT_PROJECT.rglob("*")):
        if path.is_file() and path.suffix in {".sql", ".yml", ".md", ".csv"}:
            digest.update(path.relative_to(DBT_PROJECT).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _progress_line(event: dict[str, Any]) -> str:
    node = event["data"].get("node_info", {})
    return f"{node.get('resource_type', 'model')} {node.get('node_name', '')}"


def _first_lines(text: str, count: int = 3) -> str:
    return " ".join(line.strip() for line in text.strip().splitlines()[:count])
