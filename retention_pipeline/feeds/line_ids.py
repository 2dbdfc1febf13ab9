"""The identity of a row of a feed without a key: a number over all its canonical values and its occurrence in its file.

It is made of DuckDB's own hash, the only one that costs next to nothing beside reading. That hash is not the same in
every version of DuckDB, so the warehouse keeps a sample of it, and all identities are made anew from the values in
`raw` when the sample differs. Nothing outside the warehouse holds one.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from duckdb import DuckDBPyConnection

from retention_pipeline.feeds.contracts import CONTRACTS, Contract
from retention_pipeline.quoting import identifier
from retention_pipeline.transactions import transaction

_SAMPLE = (
    "concat_ws(' ', hash('a', NULL::VARCHAR), hash('', 1.5::DECIMAL(18,4)), hash(TIMESTAMP '2000-01-01', 'é'), 'v1')"
)


def line_id_sql(contract: Contract, values: Mapping[str, str]) -> str:
    """SQL of the identity of a row's first occurrence, null for feeds with a key.

    Two hashes of 64 bits, over all values and over the required ones: rows that differ are told apart even where one
    of the two happens to be equal.

    Args:
        contract: The feed.
        values: SQL of the canonical values that a row has, by column; every other one is null.
    """
    if contract.keys:
        return "NULL::UHUGEINT"
    own = next((values[c.name] for c in contract.columns if c.identity and c.name in values), None)
    every = [values.get(c.name, f"NULL::{c.type.value}") for c in contract.columns]
    required = [values.get(name, "NULL") for name in contract.required]
    of_values = _joined(f"hash({', '.join(every)})", f"hash({', '.join(required)})")
    if own is None:
        return of_values
    return f"CASE WHEN {own} IS NOT NULL THEN {_joined(f'hash({own})', f'hash(1, {own})')} ELSE {of_values} END"


def _joined(upper: str, lower: str) -> str:
    return f"(({upper}::UHUGEINT << 64) | {lower}::UHUGEINT)"


def number_repeats(con: DuckDBPyConnection, contract: Contract, batch_id: int) -> None:
    """Give rows of a batch in `raw` that are equal to an earlier one an identity of their own, by their occurrence.

    Few files hold any, so a sorted copy of half of each identity first shows whether there are some.
    """
    if contract.keys:
        return
    table = f"raw.{identifier(contract.name)}"
    of_batch = f"WHERE _batch_id = {int(batch_id)}"
    # A row with an id of its own is the same row wherever that id stands again.
    of_batch += "".join(f" AND {identifier(column.name)} IS NULL" for column in contract.columns if column.identity)
    half = "(_line_id >> 64)::UBIGINT"
    halves = np.asarray(con.execute(f"SELECT {half} AS half FROM {table} {of_batch}").fetchnumpy()["half"])
    halves.sort()
    repeated = np.unique(halves[1:][halves[1:] == halves[:-1]])
    if not len(repeated):
        return
    con.register("repeated_halves", {"half": repeated})
    con.execute(
        f"UPDATE {table} AS r SET _line_id = "
        f"{_joined('hash(r._line_id, q.occurrence)', 'hash(q.occurrence, r._line_id)')} FROM (SELECT rowid AS row_id, "
        f"row_number() OVER (PARTITION BY _line_id ORDER BY _line) AS occurrence FROM {table} {of_batch} "
        f"AND {half} IN (FROM repeated_halves)) AS q WHERE r.rowid = q.row_id AND q.occurrence > 1"
    )
    con.unregister("repeated_halves")


def renew_line_ids(con: DuckDBPyConnection) -> None:
    """Make all identities anew where those in `raw` come from another hash."""
    con.execute("CREATE TABLE IF NOT EXISTS raw.line_id_sample (sample VARCHAR NOT NULL)")
    found = con.execute(f"SELECT list(sample) = [{_SAMPLE}], {_SAMPLE} FROM raw.line_id_sample").fetchall()
    if found[0][0]:
        return
    with transaction(con):
        for contract in CONTRACTS.values():
            if contract.keys:
                continue
            table = f"raw.{identifier(contract.name)}"
            own = line_id_sql(contract, {c.name: identifier(c.name) for c in contract.columns})
            con.execute(f"UPDATE {table} SET _line_id = {own}")
            for (batch_id,) in con.execute(f"SELECT DISTINCT _batch_id FROM {table} ORDER BY 1").fetchall():
                number_repeats(con, contract, batch_id)
        con.execute("DELETE FROM raw.line_id_sample")
        con.execute("INSERT INTO raw.line_id_sample VALUES (?)", [found[0][1]])
