"""The documentation of the models: dbt's own as one page, and the reference of the metrics."""

from __future__ import annotations

import shutil
from pathlib import Path

from retention_pipeline.dbt_runner import run_dbt
from retention_pipeline.errors import RetentionError
from retention_pipeline.settings import StatePaths


def write_documentation(paths: StatePaths) -> Path:
    """Write dbt's documentation as one self-contained page into the report folder and return its path.

    Raises:
        RetentionError: There is no warehouse yet, so no table to describe.
    """
    if not paths.warehouse.is_file():
        raise RetentionError(
            "there is no warehouse to document",
            where=paths.warehouse.name,
            expected="a warehouse that a run has built",
            way_out="run `retention run` first",
        )
    run_dbt(["docs", "generate", "--static"], paths)
    page = paths.report / "models.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(paths.dbt_target / "static_index.html", page)
    return page
