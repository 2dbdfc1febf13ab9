"""Decisions of earlier days, one Parquet file a day in `state/decisions/`: what no other table can give back.

A day only looks at files of days before it, so an older day that is run again decides as it did then.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import duckdb

from retention_pipeline.campaigns.economics import offer_at, offer_terms
from retention_pipeline.campaigns.files import sync, write_parquet
from retention_pipeline.errors import RetentionError
from retention_pipeline.quoting import literal
from retention_pipeline.warehouse import CONTACT_COLUMNS
from retention_pipeline.workspace.schema import Retention

FOLDER = "decisions"
_DAY_FILE = re.compile(r"(\d{4}-\d{2}-\d{2})\.parquet")


def load_history(con: duckdb.DuckDBPyConnection, day: date, state_folder: Path) -> None:
    """Put the decisions of the days before `day` into the temporary table `campaign_history`.

    Raises:
        RetentionError: A file cannot be read.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE campaign_history (day DATE, play VARCHAR, customer_key VARCHAR, arm VARCHAR)"
    )
    _read_earlier(
        con,
        "INSERT INTO campaign_history SELECT as_of, play, customer_key, arm FROM read_parquet(?)"
        " ORDER BY as_of, play, customer_key",
        day,
        state_folder,
    )


def load_contacts(con: duckdb.DuckDBPyConnection, config: Retention, day: date, state_folder: Path) -> None:
    """Put whom the lists of the days before `day` contacted or kept aside into `control.contacts`, for the models.

    Goal and terms are those that the plays have now: a play that is no longer configured has none.

    Raises:
        RetentionError: A file cannot be read.
    """
    con.execute(f"CREATE OR REPLACE TABLE control.contacts ({CONTACT_COLUMNS})")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE terms"
        " (play VARCHAR, offer VARCHAR, goal VARCHAR, contact DECIMAL(18,6), giveaway DECIMAL(9,6))"
    )
    for name, play in sorted(config.plays.items()):
        for terms in offer_terms(play):
            row = [name, offer_at(play, terms.place).name, play.goal, terms.contact, terms.giveaway]
            con.execute("INSERT INTO terms VALUES (?, ?, ?, ?, ?)", row)
    _read_earlier(
        con,
        # The list's id as `lists.list_id` writes it.
        "INSERT INTO control.contacts SELECT kept.as_of, kept.play, kept.customer_key, kept.arm, kept.offer,"
        " kept.channel, kept.experiment_id, kept.play || '-' || kept.as_of, terms.goal, terms.contact, terms.giveaway"
        " FROM read_parquet(?) AS kept LEFT JOIN terms ON terms.play = kept.play AND terms.offer = kept.offer"
        " ORDER BY kept.as_of, kept.play, kept.customer_key",
        day,
        state_folder,
    )
    con.execute("DROP TABLE terms")


def _read_earlier(con: duckdb.DuckDBPyConnection, query: str, day: date, state_folder: Path) -> None:
    """Run `query` over the files of the days before `day`, if there are any."""
    files = [str(path) for path in earlier_files(day, state_folder)]
    if not files:
        return
    try:
        con.execute(query, [files])
    except duckdb.Error as error:
        raise RetentionError(
            f"the decisions of earlier days cannot be read: {str(error).splitlines()[0]}",
            where=f"state/{FOLDER}",
            expected="one Parquet file a day, as the pipeline wrote it",
            way_out="put the file back from a backup: without it customers may be contacted too often",
        ) from error


def earlier_files(day: date, state_folder: Path) -> list[Path]:
    """The files of the days before `day`, oldest first."""
    folder = state_folder / FOLDER
    if not folder.is_dir():
        return []
    found = ((match[1], path) for path in folder.iterdir() if (match := _DAY_FILE.fullmatch(path.name)))
    return [path for written, path in sorted(found) if written < day.isoformat()]


def keep_decisions(con: duckdb.DuckDBPyConnection, day: date, state_folder: Path) -> Path:
    """Write the decisions of `day` to its file, whole or not at all; those of other days are not touched.

    Both arms are kept: who is kept aside waits as long as who is contacted, or the arms would drift apart.
    """
    folder = state_folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path, unfinished = folder / f"{day.isoformat()}.parquet", folder / f".{day.isoformat()}.parquet.tmp"
    write_parquet(
        con,
        "SELECT as_of, play, customer_key, arm, offer, channel, experiment_id FROM decisions.campaign_targets"
        f" WHERE as_of = {literal(day.isoformat())} ORDER BY play, customer_key",
        unfinished,
    )
    unfinished.replace(path)
    sync(folder)
    return path
