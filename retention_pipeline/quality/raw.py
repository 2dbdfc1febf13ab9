"""The suites of the feeds as they came in, from their contracts, over the batches that were not validated before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from retention_pipeline.feeds.contracts import CONTRACTS, Column, Contract, Type
from retention_pipeline.feeds.currencies import CURRENCIES
from retention_pipeline.feeds.mapping import EARLIEST
from retention_pipeline.feeds.tables import raw_columns
from retention_pipeline.quality.column_types import types_are
from retention_pipeline.quality.declaring import (
    BATCH,
    ColumnsAre,
    Expectation,
    Kind,
    NoRows,
    OneOf,
    Required,
    Severity,
    Suite,
    TableSuite,
    Within,
    quoted,
)
from retention_pipeline.quoting import identifier

_KEYS = ("_batch_id", "_line")


def raw_suite(feeds: Iterable[str]) -> Suite:
    """The suite of the feeds that a business configures, over all their rows."""
    wanted = set(feeds)
    return Suite(
        name="raw",
        title="Feeds as they came in",
        tables=tuple(_table_suite(contract) for contract in CONTRACTS.values() if contract.name in wanted),
    )


def only_batches(suite: Suite, batches: Mapping[str, Sequence[int]]) -> Suite:
    """`suite` over the given batches of each feed; feeds without any are left out."""
    return replace(
        suite,
        tables=tuple(
            replace(table, where=f"_batch_id IN ({', '.join(str(int(batch)) for batch in batches[feed_of(table)])})")
            for table in suite.tables
            if batches.get(feed_of(table))
        ),
    )


def feed_of(table: TableSuite) -> str:
    """The feed that fills the table."""
    return table.table.split(".")[1]


def _table_suite(contract: Contract) -> TableSuite:
    columns = raw_columns(contract)
    return TableSuite(
        table=f"raw.{contract.name}",
        keys=_KEYS,
        expectations=(
            Expectation(Kind.COLUMNS, ColumnsAre(tuple(name for name, _ in columns))),
            Expectation(Kind.COLUMNS, types_are({name: kind.removesuffix(" NOT NULL") for name, kind in columns})),
            *(Expectation(Kind.REQUIRED, Required(name)) for name in _never_null(contract)),
            *_at_least_one(contract),
            *(expectation for column in contract.columns for expectation in _of_column(column)),
            Expectation(Kind.LINES, _unique(_KEYS, _KEYS)),
            *(
                [Expectation(Kind.KEYS, _unique(("_batch_id", *contract.keys), ("_batch_id",)), Severity.WARN)]
                if contract.keys
                else []
            ),
            Expectation(Kind.LEDGER, _ledger(contract)),
        ),
    )


def _never_null(contract: Contract) -> Iterator[str]:
    yield from _KEYS
    if not contract.keys:
        yield "_line_id"
    yield from contract.required


def _at_least_one(contract: Contract) -> Iterator[Expectation]:
    if contract.one_of:
        nothing = " AND ".join(f"{identifier(name)} IS NULL" for name in contract.one_of)
        yield Expectation(Kind.REQUIRED, _breaking(contract.one_of[0], nothing))


def _of_column(column: Column) -> Iterator[Expectation]:
    name = identifier(column.name)
    if column.values:
        yield Expectation(Kind.ALLOWED, OneOf(column.name, column.values))
    if column.currency:
        yield Expectation(Kind.ALLOWED, OneOf(column.name, tuple(sorted(CURRENCIES))))
    if column.minimum is not None or column.maximum is not None:
        yield Expectation(Kind.RANGE, Within(column.name, column.minimum, column.maximum))
    if column.type in (Type.DATE, Type.TIMESTAMP):
        yield Expectation(Kind.RANGE, _breaking(column.name, f"{name} < DATE '{EARLIEST.isoformat()}'"))


def _breaking(column: str, condition: str) -> NoRows:
    return NoRows(f"SELECT _batch_id, _line FROM {BATCH} WHERE {condition}", column=column)


def _unique(columns: Sequence[str], shown: Sequence[str]) -> NoRows:
    """No two rows share `columns`; a null in one of them is as much a duplicate as another value."""
    grain, keys = (", ".join(identifier(name) for name in names) for names in (columns, shown))
    line = "" if "_line" in shown else ", min(_line) AS _line"
    return NoRows(f"SELECT {keys}{line} FROM {BATCH} GROUP BY {grain} HAVING count(*) > 1")


def _ledger(contract: Contract) -> NoRows:
    return NoRows(
        f"SELECT _batch_id FROM (SELECT _batch_id, count(*) AS found FROM {BATCH} GROUP BY _batch_id) AS counted"
        f" WHERE found <> coalesce((SELECT max(rows_loaded) FROM {quoted('raw.ledger')} AS ledger"
        f" WHERE ledger.feed = '{contract.name}' AND ledger.batch_id = counted._batch_id"
        " AND ledger.status = 'loaded'), -1)"
    )
