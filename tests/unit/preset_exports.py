"""Loads one preset alone from a folder of export files, for the tests of the presets."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import yaml

from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.feeds.loading import load_feeds
from retention_pipeline.feeds.presets import Preset
from retention_pipeline.warehouse import create_layout
from retention_pipeline.workspace.loading import load_business

HEAD = """\
business: presets
title: A business of exports
kind: transactional
timezone: Europe/Paris
currency: EUR
salt: nothing-to-see-here
first_day: 2024-01-01
"""


@dataclass(frozen=True)
class Loaded:
    """What came of a preset's files.

    Attributes:
        rows: The canonical rows, as texts; empty where null.
        quarantined: The bad rows as "line column rule".
        read, skipped, loaded: Counts of rows.
    """

    rows: list[dict[str, str]]
    quarantined: list[str]
    read: int
    skipped: int
    loaded: int


def mapped_columns(preset: Preset) -> list[str]:
    """The canonical columns that the preset names, in the contract's order."""
    named = {*preset.mapping["columns"], *preset.mapping.get("constants", {})}
    return [column.name for column in CONTRACTS[preset.feed].columns if column.name in named]


def load_preset(folder: Path, preset: Preset, files: Iterable[Path]) -> Loaded:
    """A business in `folder` of the preset and `files` alone, loaded; a file that is not taken fails the test."""
    exports = folder / "exports"
    exports.mkdir()
    for path in files:
        shutil.copy(path, exports / path.name)
    feeds: dict[str, list[dict]] = {preset.feed: [{"preset": preset.name, "max_bad_share": 1.0}]}
    if preset.feed != "events":  # some activity feed must be configured; this one has no files
        constants = {"customer_id": "c", "occurred_at": "2024-01-01", "name": "login"}
        feeds["events"] = [{"files": "none/*.csv", "columns": {}, "constants": constants}]
    (folder / "retention.yaml").write_text(HEAD + yaml.safe_dump({"feeds": feeds}), encoding="utf-8")
    columns = mapped_columns(preset)
    texts = ", ".join(f"coalesce(\"{name}\"::VARCHAR, '')" for name in columns)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        create_layout(con)
        load = load_feeds(con, load_business(folder))[preset.feed]  # type: ignore[index]
        assert not load.problems, [problem.message for problem in load.problems]
        rows = con.execute(f"SELECT {texts} FROM raw.{preset.feed} ORDER BY ALL").fetchall()
        bad = con.execute(
            f"SELECT concat_ws(' ', _line, column_name, rule) FROM quarantine.{preset.feed} ORDER BY _batch_id, _line"
        ).fetchall()
    return Loaded(
        rows=[dict(zip(columns, row, strict=True)) for row in rows],
        quarantined=[text for (text,) in bad],
        read=load.rows_read,
        skipped=load.rows_skipped,
        loaded=load.rows_loaded,
    )
