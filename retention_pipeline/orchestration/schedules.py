"""When the daily job runs by itself: every night, and when new files have arrived. Both are off until switched on."""

from datetime import datetime, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

import dagster as dg

from retention_pipeline.feeds.files import matching_files
from retention_pipeline.orchestration.jobs import DAILY_JOB
from retention_pipeline.workspace.loading import Business
from retention_pipeline.workspace.schema import Retention


def build_daily_schedule(config: Retention) -> dg.ScheduleDefinition:
    """Every night at 04:00 in the business time zone, for the day that has just ended."""

    @dg.schedule(
        name="daily_retention_schedule",
        job_name=DAILY_JOB,
        cron_schedule="0 4 * * *",
        execution_timezone=config.timezone,
        description="Every night at 04:00 business time, for the day that has just ended.",
    )
    def daily_retention_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        day = previous_day(context.scheduled_execution_time, config)
        return dg.RunRequest(run_key=day, partition_key=day)

    return daily_retention_schedule


def previous_day(moment: datetime, config: Retention) -> str:
    """The business day before `moment`, as a partition key."""
    return (moment.astimezone(ZoneInfo(config.timezone)).date() - timedelta(days=1)).isoformat()


def files_fingerprint(business: Business) -> str:
    """A hash over name, size and time of every export file: it changes when one arrives or changes."""
    digest = sha256()
    for path in sorted(
        {
            path
            for mappings in business.config.feeds.values()
            for m in mappings
            for path in matching_files(business.folder, m.files)
        }
    ):
        stat = path.stat()
        digest.update(f"{path.name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def build_new_files_sensor(business: Business) -> dg.SensorDefinition:
    """Ask for a run of yesterday when export files have arrived or changed since the last look."""
    config = business.config

    @dg.sensor(
        name="new_files_sensor",
        job_name=DAILY_JOB,
        minimum_interval_seconds=60,
        description="Runs the day that has just ended again when an export file arrives or changes.",
    )
    def new_files_sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        fingerprint = files_fingerprint(business)
        if context.cursor == fingerprint:
            return dg.SkipReason("No export file has arrived or changed since the last look.")
        day = (
            config.as_of.isoformat() if config.as_of else previous_day(datetime.now(ZoneInfo(config.timezone)), config)
        )
        request = dg.RunRequest(run_key=f"{day}-{fingerprint[:16]}", partition_key=day)
        return dg.SensorResult(run_requests=[request], cursor=fingerprint)

    return new_files_sensor
