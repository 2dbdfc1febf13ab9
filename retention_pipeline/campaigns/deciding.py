"""Decides who gets which play on a day, and writes the three tables of decisions in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from duckdb import DuckDBPyConnection

from retention_pipeline.campaigns.conditions import check_play
from retention_pipeline.campaigns.history import load_history
from retention_pipeline.campaigns.permission import Permission
from retention_pipeline.campaigns.selecting import fill_pool, select_customers
from retention_pipeline.campaigns.tables import create_tables
from retention_pipeline.errors import RetentionError
from retention_pipeline.progress import report_progress
from retention_pipeline.transactions import transaction
from retention_pipeline.workspace.schema import Play, Retention

_WORKING_TABLES = (
    "campaign_pool", "campaign_history", "campaign_selected", "campaign_left_out", "campaign_judged", "campaign_ranked",
)  # fmt: skip


def decide(con: DuckDBPyConnection, config: Retention, day: date, state_folder: Path) -> None:
    """Decide for every customer and play of `day`.

    Every customer who qualifies for a play is in its treatment arm, in its control arm, or excluded with a reason. The
    plays choose one after the other by priority, and a customer is taken by one play a day. What is decided depends on
    the marts and scores of `day`, the configuration, and the decisions of days before it.

    Args:
        con: The warehouse, with the marts and scores of `day`.
        config: The business.
        day: The as-of day.
        state_folder: Holds the decisions of earlier days.

    Raises:
        RetentionError: A play names what does not exist, or the decisions of earlier days cannot be read.
    """
    _refuse_wrong_plays(config)
    load_history(con, day, state_folder)
    fill_pool(con, config, day)
    grounds: dict[str, Permission] = {}
    for name, play in in_order(config.plays):
        report_progress(f"{name}: {play.title}")
        grounds[name] = select_customers(con, config, name, play, day)
    _write(con, config, day, grounds)
    for table in _WORKING_TABLES:
        con.execute(f"DROP TABLE IF EXISTS temp.{table}")


def in_order(plays: Mapping[str, Play]) -> list[tuple[str, Play]]:
    """The plays in the order in which they choose."""
    return sorted(plays.items(), key=lambda item: (item[1].priority, item[0]))


def _refuse_wrong_plays(config: Retention) -> None:
    for name, play in in_order(config.plays):
        for key, problem in check_play(play):
            raise RetentionError(
                problem,
                where=f"plays.{name}.{key}",
                expected="conditions and fields over the columns of customer_360 and the churn score",
                way_out="correct it in retention.yaml; docs/campaigns.md lists what a condition may hold",
            )


def _write(con: DuckDBPyConnection, config: Retention, day: date, grounds: Mapping[str, Permission]) -> None:
    with transaction(con):
        create_tables(con)
        for table, source, rank in (
            ("campaign_targets", "campaign_selected", "priority_rank"),
            ("campaign_exclusions", "campaign_left_out", "customer_key"),
        ):
            con.execute(f"INSERT INTO decisions.{table} BY NAME SELECT * FROM {source} ORDER BY play, {rank}")
        for name in sorted(config.plays):
            _summarise(con, day, name, grounds[name].note)


def _summarise(con: DuckDBPyConnection, day: date, name: str, ground: str) -> None:
    """The row of a play, with a note where the list is empty or short for a reason that a person can change."""
    counts = con.execute(
        "SELECT (SELECT count(*) FROM campaign_left_out WHERE play = $play),"
        " (SELECT count(*) FROM campaign_left_out WHERE play = $play AND reason = 'no_score'),"
        " (SELECT count(*) FROM campaign_left_out WHERE play = $play AND reason = 'no_value'),"
        " (SELECT count(*) FROM campaign_selected WHERE play = $play),"
        " (SELECT count(*) FROM decisions.churn_scores WHERE as_of = $day)",
        {"play": name, "day": day},
    ).fetchall()[0]
    excluded, no_score, no_value, selected, scored = counts
    notes = []
    if ground:
        notes.append(ground)
    elif not excluded and not selected:
        notes.append("nobody qualifies")
    if no_score and not scored:
        notes.append("no churn model for the day: who needs a score is left out")
    if no_value:
        notes.append("no revenue tells what is at stake: set value.fixed_value")
    con.execute(
        "INSERT INTO decisions.campaign_summary"
        " SELECT $day, $play, count(*) + $excluded, count(*) FILTER (arm = 'treatment'),"
        " count(*) FILTER (arm = 'control'), $excluded, coalesce(sum(cost) FILTER (arm = 'treatment'), 0),"
        " coalesce(sum(expected_profit) FILTER (arm = 'treatment'), 0), $note FROM campaign_selected"
        " WHERE play = $play",
        {"day": day, "play": name, "excluded": excluded, "note": "; ".join(notes)},
    )
