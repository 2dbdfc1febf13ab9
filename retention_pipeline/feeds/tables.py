"""The tables of `raw` and `quarantine`, derived from the contracts."""

from __future__ import annotations

from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.contracts import CONTRACTS, Contract
from retention_pipeline.quoting import identifier

PROVENANCE = (
    ("_batch_id", "BIGINT NOT NULL"),
    ("_line", "BIGINT NOT NULL"),
    ("_known_on", "DATE"),
    ("_line_id", "UHUGEINT"),
)
"""What `raw` adds to a contract's columns: the batch, the line in the file, the day from which the row is known (null:
always), and for feeds without a key the identity of the line."""


def raw_columns(contract: Contract) -> tuple[tuple[str, str], ...]:
    """Name and DuckDB type of every column of `raw.<feed>`, in order."""
    return (*PROVENANCE, *((column.name, column.type.value) for column in contract.columns))


def create_feed_tables(con: DuckDBPyConnection) -> None:
    """Create what is missing of `raw.<feed>`, `quarantine.<feed>` and the ledger, for every contract."""
    con.execute("CREATE SCHEMA IF NOT EXISTS raw")
    con.execute("CREATE SCHEMA IF NOT EXISTS quarantine")
    for contract in CONTRACTS.values():
        columns = ", ".join(f"{identifier(name)} {sql_type}" for name, sql_type in raw_columns(contract))
        con.execute(f"CREATE TABLE IF NOT EXISTS raw.{identifier(contract.name)} ({columns})")
        con.execute(
            f"CREATE TABLE IF NOT EXISTS quarantine.{identifier(contract.name)} (_batch_id BIGINT NOT NULL, "
            "_line BIGINT NOT NULL, column_name VARCHAR, rule VARCHAR NOT NULL, value VARCHAR, row_text VARCHAR)"
        )
    con.execute(
        "CREATE TABLE IF NOT EXISTS raw.ledger (batch_id BIGINT NOT NULL, feed VARCHAR NOT NULL, path VARCHAR NOT NULL,"
        " content_hash VARCHAR NOT NULL, size_bytes BIGINT NOT NULL, delivered_on DATE, delivered_from VARCHAR,"
        " first_day DATE, last_day DATE, rows_read BIGINT NOT NULL, rows_loaded BIGINT NOT NULL,"
        " rows_quarantined BIGINT NOT NULL, rows_skipped BIGINT NOT NULL, status VARCHAR NOT NULL,"
        " superseded_by BIGINT, message VARCHAR, new_columns VARCHAR[], files VARCHAR NOT NULL,"
        " mapping_hash VARCHAR NOT NULL, columns VARCHAR[])"
    )
