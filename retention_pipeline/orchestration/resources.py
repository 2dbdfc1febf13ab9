"""The one resource: which business is processed, where its state lies, and the right to write it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import lru_cache
from pathlib import Path

import dagster as dg

from retention_pipeline.settings import StatePaths
from retention_pipeline.warehouse import run_lock
from retention_pipeline.workspace.loading import Business, load_business

WORKSPACE_KEY = "workspace"


@lru_cache(maxsize=8)
def _business(folder: str) -> Business:
    return load_business(Path(folder))


class WorkspaceResource(dg.ConfigurableResource):
    """A business and its state folder; every asset reads both from here and nowhere else.

    A run holds the lock of the state from its first step to its last, whoever started it.
    """

    business_folder: str
    state_folder: str

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["WorkspaceResource"]:
        """Hold the run lock for as long as the run's steps are executed."""
        with run_lock(self.paths.run_lock, purpose=f"run {context.run.run_id[:8]}" if context.run else "run"):
            yield self

    @property
    def business(self) -> Business:
        """The business, loaded once a process."""
        return _business(self.business_folder)

    @property
    def paths(self) -> StatePaths:
        """The layout of its state."""
        return StatePaths(Path(self.state_folder))


def run_day(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> date:
    """The as-of day of the run: its partition."""
    return date.fromisoformat(context.run.tags["dagster/partition"])
