"""What is expected of a table, as plain values: no Great Expectations here, so that declaring a suite costs nothing.

A rule knows which rows break it. That SQL gives the keys of failing rows and their number by batch; the verdict itself
comes from Great Expectations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from retention_pipeline.quoting import identifier, literal

BATCH = "{batch}"
"""Stands for the rows under test in the query of a `NoRows` rule; there may be a WHERE behind it, but no alias."""


class Severity(StrEnum):
    """What a failure means."""

    ERROR = "error"
    """A wrong number would reach a person: what comes after is stopped."""
    WARN = "warn"
    """Worth a look; nothing is stopped."""


class Kind(StrEnum):
    """The check to which an expectation belongs: one check a table and kind."""

    COLUMNS = "columns_as_declared"
    REQUIRED = "required_values"
    ALLOWED = "allowed_values"
    RANGE = "values_in_range"
    RATES = "rates_in_range"
    GRAIN = "grain_is_unique"
    DAY = "nothing_after_the_day"
    LINES = "lines_are_unique"
    KEYS = "keys_are_unique_in_batch"
    LEDGER = "rows_match_the_ledger"
    COVERAGE = "every_customer_is_scored"
    RANKS = "ranks_follow_scores"
    BASE_RATE = "mean_score_near_base_rate"
    ACCOUNTED = "everybody_accounted_for"
    ONE_PLAY = "one_play_a_day"
    ONE_SIDE = "targeted_or_excluded"
    EXPIRY = "offers_expire_later"
    PROFIT = "profit_where_required"


SENTENCES = {
    Kind.COLUMNS: "The declared columns, in their order and with their types, and no others.",
    Kind.REQUIRED: "Never null",
    Kind.ALLOWED: "Only values that the declaration allows",
    Kind.RANGE: "Within the declared bounds",
    Kind.RATES: "Between 0 and 1",
    Kind.GRAIN: "One row per declared grain.",
    Kind.DAY: "No row says anything about a day after the as-of day.",
    Kind.LINES: "No line of a file was loaded twice.",
    Kind.KEYS: "A key appears once in a file; where it does not, the last line of the file counts.",
    Kind.LEDGER: "As many rows of each file as the ledger says.",
    Kind.COVERAGE: "Every active customer who has not given notice has a score, and nobody else.",
    Kind.RANKS: "Ranks count from 1 without a gap, and a higher score never ranks lower.",
    Kind.BASE_RATE: "The mean score lies between a third and three times the churn of the test dates.",
    Kind.ACCOUNTED: "Eligible = treatment + control + excluded, for every play, and each as the tables hold them.",
    Kind.ONE_PLAY: "A customer is taken by one play a day at most.",
    Kind.ONE_SIDE: "Nobody is both a target of a play and excluded from it.",
    Kind.EXPIRY: "Every offer expires after the as-of day.",
    Kind.PROFIT: "No target of a play that must pay is expected to lose money.",
}
"""What each kind of check says, to people."""


@dataclass(frozen=True)
class Required:
    """`column` is never null."""

    column: str


@dataclass(frozen=True)
class OneOf:
    """`column` holds one of `values`, where it is not null."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Within:
    """`column` lies between two inclusive bounds, where it is not null; None leaves a side open."""

    column: str
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class AllRequired:
    """None of `columns` is ever null: one pass for all of them."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class AllWithin:
    """Each of `columns` lies between two inclusive bounds, where it is not null: one pass for all of them."""

    columns: tuple[str, ...]
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class UniqueBy:
    """No two rows share the values of `columns`, none of which is null."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class ColumnsAre:
    """The table has these columns, in this order, and no others."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class NoRows:
    """A query that finds nothing. `{batch}` in it stands for the rows under test; it selects keys only."""

    query: str
    column: str = ""


Rule = Required | OneOf | Within | AllRequired | AllWithin | UniqueBy | ColumnsAre | NoRows


@dataclass(frozen=True)
class Expectation:
    """One thing that must hold."""

    kind: Kind
    rule: Rule
    severity: Severity = Severity.ERROR

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is about; none where it is about the table."""
        if isinstance(self.rule, AllRequired | AllWithin):
            return self.rule.columns
        column = str(getattr(self.rule, "column", ""))
        return (column,) if column else ()

    @property
    def column(self) -> str:
        """The same as one text."""
        return ", ".join(self.columns)

    @property
    def gx_name(self) -> str:
        """Its name in Great Expectations."""
        match self.rule:
            case Required():
                return "expect_column_values_to_not_be_null"
            case OneOf():
                return "expect_column_values_to_be_in_set"
            case Within():
                return "expect_column_values_to_be_between"
            case UniqueBy((_,)):
                return "expect_column_values_to_be_unique"
            case UniqueBy():
                return "expect_compound_columns_to_be_unique"
            case ColumnsAre():
                return "expect_table_columns_to_match_ordered_list"
            case NoRows() | AllRequired() | AllWithin():
                return "unexpected_rows_expectation"


@dataclass(frozen=True)
class TableSuite:
    """What is expected of one table.

    Attributes:
        table: `schema.table`.
        keys: Columns that identify a failing row to a person; never personal ones.
        expectations: In the order in which they are shown.
        where: A SQL condition that chooses the rows under test; empty for all of them.
    """

    table: str
    keys: tuple[str, ...]
    expectations: tuple[Expectation, ...]
    where: str = ""

    @property
    def select(self) -> str:
        """The rows under test, as a query."""
        return f"SELECT * FROM {quoted(self.table)}{f' WHERE {self.where}' if self.where else ''}"

    @property
    def fingerprint(self) -> str:
        """Changes when what is expected changes."""
        return sha256(repr((self.table, self.keys, self.expectations)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Suite:
    """The tables that are validated together, over one connection."""

    name: str
    title: str
    tables: tuple[TableSuite, ...]


@dataclass(frozen=True)
class Check:
    """All expectations of one kind on one table: what people see as one check."""

    table: str
    kind: Kind
    description: str
    blocking: bool


def declared_checks(suite: Suite) -> tuple[Check, ...]:
    """The checks of `suite`, in the order of their first expectation."""
    found: dict[tuple[str, Kind], list[Expectation]] = {}
    for table in suite.tables:
        for expectation in table.expectations:
            found.setdefault((table.table, expectation.kind), []).append(expectation)
    return tuple(
        Check(
            table=table,
            kind=kind,
            description=describe(kind, expectations),
            blocking=any(expectation.severity is Severity.ERROR for expectation in expectations),
        )
        for (table, kind), expectations in found.items()
    )


def failing_rows(table: TableSuite, rule: Rule) -> str | None:
    """A query for the keys of the rows that break `rule`; None where no row can be pointed at."""
    batch = f"({table.select}) AS subselect"
    keys = ", ".join(identifier(key) for key in table.keys) or "1"
    match rule:
        case Required(column):
            return f"SELECT {keys} FROM {batch} WHERE {identifier(column)} IS NULL"
        case AllRequired() | AllWithin():
            return any_broken(table, rule).format(batch=batch)
        case OneOf(column, values):
            allowed = ", ".join(literal(value) for value in values)
            return f"SELECT {keys} FROM {batch} WHERE {identifier(column)} NOT IN ({allowed})"
        case Within(column, minimum, maximum):
            return f"SELECT {keys} FROM {batch} WHERE {_outside(column, minimum, maximum)}"
        case UniqueBy(columns):
            grain = ", ".join(identifier(column) for column in columns)
            return f"SELECT {grain} FROM {batch} GROUP BY {grain} HAVING count(*) > 1"
        case NoRows(query):
            return query.format(batch=batch)
        case _:
            return None


def any_broken(table: TableSuite, rule: AllRequired | AllWithin) -> str:
    """A query on `{batch}` for the keys of the rows that break `rule` in any of its columns."""
    keys = ", ".join(identifier(key) for key in table.keys) or "1"
    return f"SELECT {keys} FROM {BATCH} WHERE {' OR '.join(broken_by_column(rule).values())}"


def broken_by_column(rule: AllRequired | AllWithin) -> dict[str, str]:
    """Column → the SQL condition under which a row breaks the rule in it."""
    if isinstance(rule, AllRequired):
        return {column: f"{identifier(column)} IS NULL" for column in rule.columns}
    return {column: _outside(column, rule.minimum, rule.maximum) for column in rule.columns}


def _outside(column: str, minimum: float | None, maximum: float | None) -> str:
    low = f"{identifier(column)} < {minimum!r}" if minimum is not None else "false"
    high = f"{identifier(column)} > {maximum!r}" if maximum is not None else "false"
    return f"({low} OR {high})"


def quoted(table: str) -> str:
    """`schema.table` as quoted identifiers."""
    return ".".join(identifier(part) for part in table.split("."))


def describe(kind: Kind, expectations: Sequence[Expectation]) -> str:
    """What expectations of one kind say, to people."""
    columns = dict.fromkeys(column for expectation in expectations for column in expectation.columns)
    return f"{SENTENCES[kind].removesuffix('.')}: {', '.join(columns)}." if columns else f"{SENTENCES[kind]}"
