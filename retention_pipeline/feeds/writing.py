"""Writes a batch into `raw` and `quarantine`; the caller holds the transaction."""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.batches import Batch
from retention_pipeline.feeds.guarding import guarded_expressions
from retention_pipeline.feeds.line_ids import number_repeats
from retention_pipeline.feeds.mapping import mapped_sql
from retention_pipeline.feeds.sources import drop_rejects
from retention_pipeline.quoting import identifier


def insert_good_rows(con: DuckDBPyConnection, batch: Batch, batch_id: int) -> None:
    """Insert the rows that broke no rule into `raw.<feed>`."""
    file = batch.file
    present = {column.name for column in file.mapped_columns()}
    known = f"DATE '{file.delivered_on}'" if file.delivered_on else "b.day"
    values = [f"b.t_{column.name}" if column.name in present else "NULL" for column in file.contract.columns]
    con.execute(
        f"INSERT INTO raw.{identifier(file.contract.name)} BY POSITION "
        f"SELECT {int(batch_id)}, {batch.line}, {known}, b.line_id, {', '.join(values)} "
        f"FROM batch AS b {batch.lines_join} WHERE b.bad IS NULL"
    )
    number_repeats(con, file.contract, batch_id)


def broken_rules(con: DuckDBPyConnection, batch: Batch) -> dict[tuple[str | None, str], int]:
    """(Column, rule) → rows, over everything in the batch that is bad."""
    found: dict[tuple[str | None, str], int] = {}
    for number, rows in con.execute(
        "SELECT bad, count(*) FROM batch WHERE bad >= 0 GROUP BY bad ORDER BY bad"
    ).fetchall():
        key = (batch.rules[number].column, batch.rules[number].name)
        found[key] = found.get(key, 0) + rows
    for reject in batch.rejects:
        found[(None, reject.rule)] = found.get((None, reject.rule), 0) + 1
    return found


def quarantine_bad_rows(con: DuckDBPyConnection, batch: Batch, batch_id: int, limit: int | None = None) -> None:
    """Write what is bad to `quarantine.<feed>`, with line, column, rule, value and the whole row.

    The file is read a second time, and only then: a file without a bad row never pays for it.

    Args:
        con: The warehouse.
        batch: What was read.
        batch_id: Its number.
        limit: At most so many rows, the first ones.
    """
    table = f"quarantine.{identifier(batch.file.contract.name)}"
    rejects = batch.rejects[:limit]
    if rejects:
        con.execute(
            f"INSERT INTO {table} (_batch_id, _line, rule, row_text) "
            "SELECT ?::BIGINT, unnest(?::BIGINT[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
            [batch_id, *([getattr(reject, name) for reject in rejects] for name in ("line", "rule", "text"))],
        )
    first = "" if limit is None else f"ORDER BY b.rowid LIMIT {int(limit)}"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE batch_bad AS SELECT b.rowid AS bad_row, b.bad, {batch.line} AS bad_line "
        f"FROM batch AS b {batch.lines_join} WHERE b.bad >= 0 {first}"
    )
    if not con.execute("SELECT count(*) FROM batch_bad").fetchall()[0][0]:
        return
    drop_rejects(con)
    with guarded_expressions(con):
        con.execute(f"INSERT INTO {table} {_quarantine_sql(batch, batch_id)}")
    drop_rejects(con)


def _quarantine_sql(batch: Batch, batch_id: int) -> str:
    file, source = batch.file, batch.source
    cells = ", ".join(f"{identifier(name)} := {identifier(name)}" for name in source.columns)
    text = source.row_text or f"to_json(struct_pack({cells}))::VARCHAR"
    own = f'(SELECT row_number() OVER () - 1 AS "_ row", {text} AS "_ own" FROM {source.relation})'
    rows = f'(SELECT *, row_number() OVER () - 1 AS "_ row" FROM {source.enriched})'
    bad = (
        f'(SELECT s.*, q.bad AS "_ bad", q.bad_line AS "_ at", o."_ own" FROM {rows} AS s '
        f'JOIN batch_bad AS q ON q.bad_row = s."_ row" JOIN {own} AS o ON o."_ row" = q.bad_row)'
    )
    mapped = mapped_sql(file, bad, guarded=True, beside='"_ bad", "_ at", "_ own"')
    column = " ".join(f"WHEN {number} THEN '{rule.column}'" for number, rule in enumerate(batch.rules))
    name = " ".join(f"WHEN {number} THEN '{rule.name}'" for number, rule in enumerate(batch.rules))
    value = " ".join(f"WHEN {number} THEN m_{rule.column}::VARCHAR" for number, rule in enumerate(batch.rules))
    return (
        f'SELECT {int(batch_id)}, "_ at", CASE "_ bad" {column} END, CASE "_ bad" {name} END, '
        f'CASE "_ bad" {value} END, "_ own" FROM ({mapped}) ORDER BY "_ at"'
    )
