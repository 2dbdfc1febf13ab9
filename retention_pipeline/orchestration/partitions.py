"""Days as partitions: everything that has an as-of day is partitioned by it."""

import dagster as dg

from retention_pipeline.workspace.schema import Retention

ONE_DAY_A_RUN = dg.BackfillPolicy.multi_run()
"""A day decides on what earlier days decided, so a backfill runs day after day, never several days in one run."""


def daily_partitions(config: Retention) -> dg.DailyPartitionsDefinition:
    """One partition a business day, from the first day of the business to yesterday, in its own time zone."""
    return dg.DailyPartitionsDefinition(start_date=config.first_day.isoformat(), timezone=config.timezone)
