"""The columns of a campaign list, and its two files: a CSV that is safe to open, and a Parquet that is exact."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from duckdb import DuckDBPyConnection

from retention_pipeline.campaigns.files import seal, write_parquet
from retention_pipeline.campaigns.permission import ADDRESS_COLUMN
from retention_pipeline.quoting import identifier, literal
from retention_pipeline.workspace.schema import Play

COLUMNS = (
    "list_id", "customer_id", "customer_key", "address", "play", "offer", "offer_title", "channel", "language",
    "send_at", "expires_on", "reason_codes", "churn_probability", "expected_value", "expected_profit", "arm",
    "experiment_id",
)  # fmt: skip
"""Columns of every list; those of the play's personalisation follow."""

_BATCH = 10_000

_FORMULA = "^[=+@\\t\\r\\n＝＋－＠-]"  # noqa: RUF001
"""How a cell begins that a spreadsheet might run; the full-width signs count in some locales."""
_NUMBER = "[+-]?[0-9]+([.,][0-9]+)?"


def list_id(play: str, day: date) -> str:
    """The id under which a sending system reports what became of the messages of a list."""
    return f"{play}-{day.isoformat()}"


def list_query(name: str, play: Play, day: date) -> str:
    """SQL: the rows of the list of a play, the most profitable first. The treatment arm only."""
    titles = " ".join(f"WHEN {literal(offer.name)} THEN {literal(offer.title)}" for offer in play.offers)
    address = ADDRESS_COLUMN.get(play.channel)
    own = [column for column in play.personalisation if column not in COLUMNS]
    return (
        f"SELECT {literal(list_id(name, day))} AS list_id, person.customer_id, target.customer_key,"
        f" {f'record.{address}' if address else 'CAST(NULL AS VARCHAR)'} AS address, target.play, target.offer,"
        f" CASE target.offer {titles} END AS offer_title, target.channel, target.language, target.send_at,"
        " target.expires_on, target.reason_codes, target.churn_probability, target.value_at_stake AS expected_value,"
        " target.expected_profit, target.arm, target.experiment_id"
        + "".join(f", customer.{identifier(column)}" for column in own)
        + " FROM decisions.campaign_targets AS target"
        " JOIN intermediate.int_customers AS person ON person.customer_key = target.customer_key"
        " JOIN marts.customer_360 AS customer"
        " ON customer.customer_key = target.customer_key AND customer.as_of = target.as_of"
        " LEFT JOIN intermediate.int_customer_records AS record ON record.customer_id = person.customer_id"
        f" WHERE target.as_of = DATE {literal(day.isoformat())} AND target.play = {literal(name)}"
        " AND target.arm = 'treatment' ORDER BY target.priority_rank"
    )


def write_list(con: DuckDBPyConnection, query: str, folder: Path, name: str) -> tuple[Path, Path]:
    """Write the rows of `query` to `<name>.csv` and `<name>.parquet` in `folder`; without rows, the header alone."""
    csv_path, parquet_path = folder / f"{name}.csv", folder / f"{name}.parquet"
    write_parquet(con, query, parquet_path)
    columns = con.execute(f"DESCRIBE {query}").fetchall()
    _write_csv(con, query, [(column, kind) for column, kind, *_ in columns], csv_path)
    return csv_path, parquet_path


def _write_csv(con: DuckDBPyConnection, query: str, columns: Sequence[tuple[str, str]], path: Path) -> None:
    """RFC 4180 in UTF-8: a header, lines that end with CRLF, quotes where a cell needs them."""
    cells = ", ".join(_cell(identifier(name), kind) for name, kind in columns)
    rows = con.execute(f"SELECT {cells} FROM ({query})")
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow([name for name, _ in columns])
        while batch := rows.fetchmany(_BATCH):
            writer.writerows(batch)
    seal(path)


def _cell(column: str, kind: str) -> str:
    """SQL: the value as text. Text that a spreadsheet might run gets a leading apostrophe; numbers stay numbers."""
    if kind != "VARCHAR":
        return f"CAST({column} AS VARCHAR)"
    return (
        f"CASE WHEN regexp_matches({column}, {literal(_FORMULA)})"
        f" AND NOT regexp_full_match({column}, {literal(_NUMBER)}) THEN '''' || {column} ELSE {column} END"
    )
