"""Keeps the decisions of a day and writes its lists, as one folder that is there whole or not at all."""

from __future__ import annotations

import json
import shutil
from datetime import date
from hashlib import file_digest
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from retention_pipeline.campaigns.deciding import in_order
from retention_pipeline.campaigns.files import seal, sync
from retention_pipeline.campaigns.history import keep_decisions
from retention_pipeline.campaigns.lists import list_id, list_query, write_list
from retention_pipeline.progress import report_progress
from retention_pipeline.workspace.schema import Play, Retention

MANIFEST = "manifest.json"


def release(
    con: DuckDBPyConnection, config: Retention, day: date, lists_folder: Path, state_folder: Path
) -> dict[str, int]:
    """Write `lists/<day>/` with a CSV and a Parquet per play, and `state/decisions/<day>.parquet`.

    The decisions are kept first: a list that somebody may have sent is never unknown to the next day. The same
    decisions give the same bytes. The lists hold contact addresses: only their owner can read them.

    Args:
        con: The warehouse after `decide`; it is only read.
        config: The business.
        day: The as-of day.
        lists_folder: Where the folder of the day is put.
        state_folder: Where the decisions are kept.

    Returns:
        Play → customers on its list.
    """
    keep_decisions(con, day, state_folder)
    build, replaced = lists_folder / f".{day.isoformat()}.build", lists_folder / f".{day.isoformat()}.replaced"
    for leftover in (build, replaced):
        shutil.rmtree(leftover, ignore_errors=True)
    build.mkdir(parents=True, mode=0o700)
    try:
        sizes = _write_lists(con, config, day, build)
        _swap(build, lists_folder / day.isoformat(), replaced)
    except BaseException:
        shutil.rmtree(build, ignore_errors=True)
        raise
    return sizes


def _write_lists(con: DuckDBPyConnection, config: Retention, day: date, folder: Path) -> dict[str, int]:
    counts = {
        play: dict(zip(("eligible", "treatment", "control", "excluded"), numbers, strict=True))
        for play, *numbers in con.execute(
            "SELECT play, eligible, treatment, control, excluded FROM decisions.campaign_summary WHERE as_of = ?", [day]
        ).fetchall()
    }
    plays: dict[str, Any] = {}
    for name, play in in_order(config.plays):
        report_progress(f"{name}: {counts[name]['treatment']:,} customers")
        plays[name] = _released(con, name, play, day, folder) | counts[name]
    models = con.execute("SELECT model_id FROM decisions.churn_model WHERE as_of = ?", [day]).fetchall()
    manifest = {
        "business": config.business,
        "as_of": day.isoformat(),
        "model_id": models[0][0] if models else None,
        "plays": plays,
    }
    path = folder / MANIFEST
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    seal(path)
    sync(folder)
    return {name: counts[name]["treatment"] for name in plays}


def _released(con: DuckDBPyConnection, name: str, play: Play, day: date, folder: Path) -> dict[str, Any]:
    """Write the list of a play; what the manifest says of it."""
    digests = {}
    for path in write_list(con, list_query(name, play, day), folder, name):
        with path.open("rb") as handle:
            digests[path.name] = file_digest(handle, "sha256").hexdigest()
    return {"title": play.title, "list_id": list_id(name, day), "channel": play.channel, "sha256": digests}


def _swap(build: Path, target: Path, replaced: Path) -> None:
    """Put the finished folder in place. A reader finds the old one, the new one, or for a moment none; never a half."""
    if target.exists():
        target.rename(replaced)
    build.rename(target)
    sync(target.parent)
    shutil.rmtree(replaced, ignore_errors=True)
