"""The only place that reads the environment, and the layout of the state folder.

Nothing here opens or creates a file: a path is a plain value, and who writes it makes its folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
"""The checkout: where `dbt_project/` and `data/` lie."""

STATE_VARIABLE = "RETENTION_STATE"
BUSINESS_VARIABLE = "RETENTION_BUSINESS"

DEFAULT_BUSINESS = PROJECT / "data" / "online_retail"


@dataclass(frozen=True)
class StatePaths:
    """Where one business keeps everything that the pipeline writes."""

    root: Path

    @property
    def warehouse(self) -> Path:
        """The DuckDB file of all layers; one process writes it at a time."""
        return self.root / "warehouse.duckdb"

    @property
    def serving(self) -> Path:
        """What people and BI tools read: a link to the newest published version."""
        return self.root / "serving.duckdb"

    @property
    def serving_versions(self) -> Path:
        """The published versions that `serving` points into."""
        return self.root / "serving"

    @property
    def parquet(self) -> Path:
        """The serving tables as Parquet files."""
        return self.root / "parquet"

    @property
    def lists(self) -> Path:
        """Campaign lists, one folder a day."""
        return self.root / "lists"

    @property
    def state(self) -> Path:
        """What cannot be rebuilt: decisions taken."""
        return self.root / "state"

    @property
    def models(self) -> Path:
        """The registry of trained models."""
        return self.root / "models"

    @property
    def report(self) -> Path:
        """A page for each run."""
        return self.root / "report"

    @property
    def quality(self) -> Path:
        """Data docs and validation results."""
        return self.root / "quality"

    @property
    def dagster_home(self) -> Path:
        """Dagster's own storage for this business."""
        return self.root / "dagster"

    @property
    def dbt_target(self) -> Path:
        """The dbt manifest, compiled SQL and run results."""
        return self.root / "dbt"

    @property
    def run_lock(self) -> Path:
        """Held by the one process that may write."""
        return self.root / "run.lock"


def state_root() -> Path:
    """The folder of all state: `RETENTION_STATE`, or `.retention` in the checkout."""
    return Path(os.environ.get(STATE_VARIABLE) or PROJECT / ".retention").expanduser().resolve()


def business_folder() -> Path:
    """The business to load: `RETENTION_BUSINESS`, or the default that ships."""
    return Path(os.environ.get(BUSINESS_VARIABLE) or DEFAULT_BUSINESS).expanduser().resolve()


def state_paths(business: str) -> StatePaths:
    """The state folder of the business called `business`."""
    return StatePaths(state_root() / business)
