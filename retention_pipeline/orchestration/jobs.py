"""The jobs: one that does a day, and one that only loads what is new."""

from typing import Any

import dagster as dg

DAILY_JOB = "daily_retention"
LOAD_JOB = "load_feeds_only"


def build_jobs() -> list[Any]:
    """`daily_retention` computes a day from the files to the lists; `load_feeds_only` stops after raw.

    Both run their steps in one process: there is one writer of the warehouse, and starting a process for each step
    costs more than the steps.
    """
    return [
        dg.define_asset_job(
            DAILY_JOB,
            selection=dg.AssetSelection.all(),
            description="Load what is new, rebuild the models, retrain, score, decide, and publish the day.",
            executor_def=dg.in_process_executor,
        ),
        dg.define_asset_job(
            LOAD_JOB,
            selection=dg.AssetSelection.groups("raw"),
            description="Load what is new, without an as-of day.",
            executor_def=dg.in_process_executor,
        ),
    ]
