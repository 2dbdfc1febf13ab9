"""Folders of exports for the tests of `retention init`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from retention_pipeline.initialise.running import Initialised, initialise
from retention_pipeline.workspace.check import render_check


def put(folder: Path, name: str, content: str | bytes) -> Path:
    """A file below `folder`."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def table(header: Sequence[str], rows: Iterable[Sequence[object]], delimiter: str = ",") -> str:
    """A CSV text."""
    target = io.StringIO()
    writer = csv.writer(target, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return target.getvalue()


def orders(count: int = 30, month: int = 1) -> str:
    """Orders of a shop, as many lines as orders."""
    rows = [
        [f"o{month}-{number}", f"c{number % 7}", f"2024-{month:02}-{1 + number % 28:02} 10:00:00", 1, "12.50", "EUR"]
        for number in range(count)
    ]
    return table(["order_id", "customer_id", "order_date", "quantity", "unit_price", "currency"], rows)


def init(folder: Path, *, force: bool = False) -> Initialised:
    """Run `retention init`."""
    return initialise(folder, force=force, on_progress=lambda _line: None)


def configured(folder: Path) -> dict:
    """The written configuration, read by anybody's YAML parser."""
    return yaml.safe_load((folder / "retention.yaml").read_text(encoding="utf-8"))


def init_and_check(folder: Path) -> dict:
    """Run `retention init`, and `retention check` on what it wrote; returns the configuration."""
    init(folder)
    good, text = render_check(folder)
    assert good, text
    return configured(folder)
