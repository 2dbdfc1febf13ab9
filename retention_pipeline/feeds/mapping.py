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
    """

    contract: Contract
    mapping: FileMapping
    rules: TextRules
    delivered_on: date | None
    currency: str

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
    for column in file.mapped_columns():
        value = str(file.value_sql(column))
        name = column.name
        if guarded and isinstance(file.mapping.columns.get(name), Expression):
            caught = f"TRY({{'v': {value}}})"
            parts.append(f"struct_extract({caught}, 'v') AS m_{name}, {caught} IS NULL AS e_{name}")
        else:
            parts.append(f"{value} AS m_{name}")
    return f"SELECT {', '.join(parts)} FROM {source}"


def typed_sql(file: MappedFile, types: Mapping[str, str], mapped: str, *, guarded: bool) -> str:
    """SELECT of the canonical values `t_<column>`, the broken rule's number `bad` (null: none) and the day `known_on`.

    Args:
        file: The file.
        types: DuckDB type of each `m_<column>`.
        mapped: A relation as `mapped_sql` makes it.
        guarded: As in `mapped_sql`.
    """
    columns = file.mapped_columns()
    casts = ", ".join(f"{cast_sql(f'm_{c.name}', types[f'm_{c.name}'], c, file.rules)} AS t_{c.name}" for c in columns)
    rules = row_rules(file, guarded=guarded)
    cases = " ".join(f"WHEN {rule.broken} THEN {number}" for number, rule in enumerate(rules))
    bad = f"CASE {cases} END::SMALLINT" if cases else "NULL::SMALLINT"
    names = ", ".join(f"t_{c.name}" for c in columns)
    cast = f"(SELECT *, {casts} FROM ({mapped}) AS m) AS t"
    return f"SELECT {names}, {bad} AS bad, {_row_day(file, types)} AS day FROM {cast}"


def row_rules(file: MappedFile, *, guarded: bool) -> list[Rule]:
    """The rules that a row of the file must keep, in the order in which they are looked at."""
    rules = []
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
        rules.extend(_value_rules(column, typed, file.delivered_on))
    return rules


def _value_rules(column: Column, typed: str, delivered_on: date | None) -> list[Rule]:
    rules = []
    if column.values:
        # Written out: a list would become a join.
        other = " AND ".join(f"{typed} <> {literal(value)}" for value in column.values)
        rules.append(Rule(column.name, "enumeration", other))
    if column.currency:
        known = ", ".join(map(literal, sorted(CURRENCIES)))
        rules.append(Rule(column.name, "currency", f"{typed} NOT IN ({known})"))
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
    return day_sql(f"m_{time}", types[f"m_{time}"], file.contract.column(time), file.rules)
