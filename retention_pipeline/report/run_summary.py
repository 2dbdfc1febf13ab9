"""Puts together the summary of a run: what the run said about itself, and what the warehouse holds now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from duckdb import DuckDBPyConnection

from retention_pipeline.publish.versions import published_day
from retention_pipeline.report.collecting import (
    collect_feeds,
    collect_figures,
    collect_identities,
    collect_model,
    collect_plays,
    table_columns,
)
from retention_pipeline.report.outcome import RunOutcome
from retention_pipeline.report.summary import Place, RunSummary
from retention_pipeline.settings import StatePaths
from retention_pipeline.warehouse import open_warehouse, read_held_feeds, read_late_feeds
from retention_pipeline.workspace.loading import Business
from retention_pipeline.workspace.schema import Retention


def summarise(
    business: Business, paths: StatePaths, outcome: RunOutcome, seconds: Mapping[str, float] | None = None
) -> RunSummary:
    """The summary of a run that has just ended.

    Args:
        business: The business that was run.
        paths: Its state.
        outcome: How the run ended.
        seconds: Step → seconds, in the order of the run.
    """
    config = business.config
    summary = RunSummary(
        title=config.title,
        as_of=outcome.as_of,
        currency=config.currency,
        succeeded=outcome.succeeded,
        published_day=published_day(paths),
        checks=outcome.checks,
        failures=tuple(outcome.failures),
        notes=_notes(outcome),
        seconds=tuple((seconds or {}).items()),
        look_next=look_next(paths, outcome.as_of),
    )
    if not paths.warehouse.is_file():
        return summary
    with open_warehouse(paths.warehouse, read_only=True) as con:
        return collect_summary(con, config, summary)


def collect_summary(con: DuckDBPyConnection, config: Retention, summary: RunSummary) -> RunSummary:
    """`summary` with what the warehouse says about the day.

    After a run that broke off only the feeds are read: the models and decisions may show another day.
    """
    held = read_held_feeds(con) if table_columns(con, "control.held_feeds") else {}
    late = read_late_feeds(con) if table_columns(con, "control.late_feeds") else {}
    summary = replace(
        summary,
        feeds=collect_feeds(con, summary.as_of, held),
        held_back=(*(f"{feed} is held back: {reason}" for feed, reason in held.items()), *late.values()),
    )
    if not summary.succeeded:
        return summary
    month, figures = collect_figures(con, summary.as_of)
    ordered = sorted(config.plays.items(), key=lambda item: (item[1].priority, item[0]))
    return replace(
        summary,
        month=month,
        figures=figures,
        sources=collect_identities(con),
        model=collect_model(con, summary.as_of),
        plays=collect_plays(con, summary.as_of, {name: play.title for name, play in ordered}),
    )


def look_next(paths: StatePaths, as_of: date) -> tuple[Place, ...]:
    """What a person may open now; only what is there."""
    places = (
        Place("Lists", paths.lists / as_of.isoformat(), "customers to contact: one CSV and one Parquet file per play"),
        Place("Report", paths.report / f"{as_of.isoformat()}.html", "this page with pictures, for a browser"),
        Place("Database", paths.serving, "all tables for SQL and BI tools (DuckDB)"),
        Place("Parquet", paths.parquet, "the same tables as files"),
        Place(
            "Data docs", paths.quality / "data_docs" / "index.html", "the expectations on the data with their results"
        ),
    )
    return tuple(place for place in places if place.path.exists())


def _notes(outcome: RunOutcome) -> tuple[str, ...]:
    """What assets left undone for a reason, and what was skipped after a failure."""
    notes = [
        str(said["reason"]) for said in outcome.metadata.values() if said.get("model") == "none" and "reason" in said
    ]
    skipped = list(outcome.skipped)
    if skipped:
        notes.append(f"not run because of that: {', '.join(skipped)}")
    return tuple(notes)
