"""SQL that maps the rows of a file on its feed and says of each row which rule it breaks, if any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from retention_pipeline.feeds.casting import TextRules, cast_sql, day_sql
from retention_pipeline.feeds.contracts import Column, Contract, Dated, Type
from retention_pipeline.feeds.currencies import CURRENCIES
from retention_pipeline.quoting import identifier, literal
from retention_pipeline.workspace.schema import Expression, FileMapping, Retention

EARLIEST = date(1990, 1, 1)
"""A time before this day is a mistake: no business system wrote it."""

SKIPPED = -1
"""Stands for a broken rule's number in rows that are no rows of the feed."""

_IDS_OF_SOURCE = ("customer_id", "referred_by", "merged_into")


@dataclass(frozen=True)
class Rule:
    """A rule that a row of a file can break: the column, the rule's name, and the SQL that finds it broken."""

    column: str
    name: str
    broken: str


@dataclass(frozen=True)
class MappedFile:
    """How one file is read.

    Attributes:
        contract: The feed.
        mapping: The section of `retention.yaml`.
        rules: How its texts are written.
        delivered_on: The day on which it was delivered, where that is known.
        currency: The currency of amounts whose mapping names none.
        id_prefix: What the customers' ids get in front, because they are those of a source of their own.
    """

    contract: Contract
    mapping: FileMapping
    rules: TextRules
    delivered_on: date | None
    currency: str
    id_prefix: str = ""

    def mapped_columns(self) -> list[Column]:
        """The canonical columns that get a value, in the contract's order."""
        return [column for column in self.contract.columns if self.value_sql(column) is not None]

    def value_sql(self, column: Column) -> str | None:
        """SQL of the unread value of `column` over a source row; None where the mapping gives none."""
        source = self.mapping.columns.get(column.name)
        if isinstance(source, Expression):
            return f"({source.sql}\n)"
        if source is not None:
            return identifier(source)
        if column.name in self.mapping.constants:
            constant = self.mapping.constants[column.name]
            return str(constant).lower() if isinstance(constant, bool) else f"{literal(str(constant))}::VARCHAR"
        return literal(self.currency) + "::VARCHAR" if column.currency else None


def id_prefix(mapping: FileMapping, config: Retention) -> str:
    """What customers' ids in the files of `mapping` get in front; those of the primary source stand as they are."""
    return f"{mapping.source}:" if mapping.source and mapping.source != config.identity.primary else ""


def text_rules(mapping: FileMapping, config: Retention) -> TextRules:
    """How texts are written in the files of `mapping`."""
    return TextRules(
        decimal_mark=mapping.decimal_mark,
        thousands_mark=mapping.thousands_mark,
        time_formats=mapping.time_format,
        zone=mapping.timezone or config.timezone,
        business_zone=config.timezone,
    )


def mapped_sql(file: MappedFile, source: str, *, guarded: bool, beside: str = "") -> str:
    """SELECT of the mapped but unread values as `m_<column>`.

    Args:
        file: The file.
        source: A relation with the file's columns.
        guarded: Catch the errors of expressions: `e_<column>` then says whether one failed.
        beside: SQL of further columns to take along.
    """
    parts = [beside] if beside else []
    if file.mapping.skip is not None:
        parts.append(_skip_sql(file.mapping.skip, guarded=guarded))
    for column in file.mapped_columns():
        value = str(file.value_sql(column))
        name = column.name
        if guarded and isinstance(file.mapping.columns.get(name), Expression):
            caught = f"TRY({{'v': {value}}})"
            parts.append(f"struct_extract({caught}, 'v') AS m_{name}, {caught} IS NULL AS e_{name}")
        else:
            parts.append(f"{value} AS m_{name}")
    return f"SELECT {', '.join(parts)} FROM {source}"


def _skip_sql(skip: Expression, *, guarded: bool) -> str:
    """SQL of `m_skip`, whether the row is none of the feed, and of `e_skip`, as in `mapped_sql`."""
    value = f"({skip.sql}\n)::BOOLEAN"
    if not guarded:
        return f"{value} AS m_skip"
    caught = f"TRY({{'v': {value}}})"
    return f"struct_extract({caught}, 'v') AS m_skip, {caught} IS NULL AS e_skip"


def typed_sql(file: MappedFile, types: Mapping[str, str], mapped: str, *, guarded: bool, beside: str = "") -> str:
    """SELECT of the canonical values `t_<column>`, the broken rule's number `bad` (null: none) and the row's `day`.

    `bad` is `SKIPPED` in rows that are none of the feed; no rule is held against them.

    Args:
        file: The file.
        types: DuckDB type of each `m_<column>`.
        mapped: A relation as `mapped_sql` makes it.
        guarded: As in `mapped_sql`.
        beside: As in `mapped_sql`.
    """
    columns = file.mapped_columns()
    casts = ", ".join(f"{_typed_value(file, c, types[f'm_{c.name}'])} AS t_{c.name}" for c in columns)
    rules = row_rules(file, guarded=guarded)
    cases = " ".join(f"WHEN {rule.broken} THEN {number}" for number, rule in enumerate(rules))
    if file.mapping.skip is not None:
        cases = f"WHEN m_skip THEN {SKIPPED} {cases}"
    bad = f"CASE {cases} END::SMALLINT" if cases else "NULL::SMALLINT"
    names = ", ".join([*([beside] if beside else []), *(f"t_{c.name}" for c in columns)])
    cast = f"(SELECT *, {casts} FROM ({mapped}) AS m) AS t"
    return f"SELECT {names}, {bad} AS bad, {_row_day(file, types)} AS day FROM {cast}"


def _typed_value(file: MappedFile, column: Column, source_type: str) -> str:
    """SQL of the canonical value of `column`."""
    value = cast_sql(f"m_{column.name}", source_type, column, file.rules)
    if file.id_prefix and column.name in _IDS_OF_SOURCE:
        return f"{literal(file.id_prefix)} || {value}"
    return value


def row_rules(file: MappedFile, *, guarded: bool) -> list[Rule]:
    """The rules that a row of the file must keep, in the order in which they are looked at."""
    rules = []
    if guarded and file.mapping.skip is not None:
        rules.append(Rule("skip", "expression", "e_skip"))
    for column in file.mapped_columns():
        if column.name not in file.mapping.columns and column.type is Type.TEXT:
            continue  # a constant, checked when the configuration was loaded
        mapped, typed = f"m_{column.name}", f"t_{column.name}"
        if guarded and isinstance(file.mapping.columns.get(column.name), Expression):
            rules.append(Rule(column.name, "expression", f"e_{column.name}"))
        if column.required:
            rules.append(Rule(column.name, "required", f"{mapped} IS NULL"))
        if column.type is not Type.TEXT:
            rules.append(Rule(column.name, "type", f"{typed} IS NULL AND {mapped} IS NOT NULL"))
        rules.extend(_value_rules(column, typed, file))
    named = [column.name for column in file.mapped_columns() if column.name in file.contract.one_of]
    if named:
        rules.append(Rule(named[0], "one_of", " AND ".join(f"m_{name} IS NULL" for name in named)))
    return rules


def _value_rules(column: Column, typed: str, file: MappedFile) -> list[Rule]:
    rules, delivered_on = [], file.delivered_on
    if column.values:
        # Written out: a list would become a join.
        other = " AND ".join(f"{typed} <> {literal(value)}" for value in column.values)
        rules.append(Rule(column.name, "enumeration", other))
    if column.currency:
        # Not a list either: that would become a join too.
        known = literal(f"|{'|'.join(sorted(CURRENCIES))}|")
        unknown = f"(strlen({typed}) <> 3 OR NOT contains({known}, '|' || {typed} || '|'))"
        rules.append(Rule(column.name, "currency", f"{typed} <> {literal(file.currency)} AND {unknown}"))
    if column.minimum is not None:
        rules.append(Rule(column.name, "range", f"{typed} < {column.minimum!r}"))
    if column.maximum is not None:
        rules.append(Rule(column.name, "range", f"{typed} > {column.maximum!r}"))
    if column.type in (Type.DATE, Type.TIMESTAMP):
        rules.append(Rule(column.name, "before_1990", f"{typed} < DATE '{EARLIEST}'"))
        if delivered_on and column.dated is Dated.HAPPENED:
            limit = f"DATE '{delivered_on}' + 2"
            rules.append(Rule(column.name, "after_delivery", f"{typed} >= {limit}"))
    return rules


def _row_day(file: MappedFile, types: Mapping[str, str]) -> str:
    """SQL of the business day of a row; null for feeds and rows without one."""
    time = file.contract.time
    if time is None or f"m_{time}" not in types:
        return "NULL::DATE"
    column = file.contract.column(time)
    if column.type is Type.TIMESTAMP and file.rules.business_zone == "UTC":
        return f"t_{time}::DATE"
    return day_sql(f"m_{time}", types[f"m_{time}"], column, file.rules)
