"""What the schema alone cannot say: names that exist, expressions that are safe, settings that fit together.

Works on the parsed document, so that a mistake in one section does not hide those in another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import PurePosixPath
from zoneinfo import available_timezones

import duckdb
from pydantic import BaseModel, ValidationError

from retention_pipeline.feeds.contracts import CONTRACTS, Column, Contract, Type
from retention_pipeline.feeds.currencies import CURRENCIES
from retention_pipeline.feeds.expressions import parse_expression
from retention_pipeline.feeds.presets import presets
from retention_pipeline.workspace.document import Document, Location, Problem, key_text
from retention_pipeline.workspace.schema import Expression, FileMapping, Play
from retention_pipeline.workspace.wording import nearest_hint, shown

Finding = tuple[Location, str]

EPOCHS = ("epoch_seconds", "epoch_milliseconds")
_NEEDED_FEEDS = {
    "transactional": (("order_lines", "usage", "events"),),
    "subscription": (("subscriptions",),),
    "hybrid": (("subscriptions",), ("order_lines", "usage", "events")),
}


def meaning_problems(document: Document) -> list[Problem]:
    """Everything that is wrong beyond the schema, with its line."""
    if not isinstance(document.data, dict):
        return []
    data = document.data
    findings = [
        *_business(data), *_feeds(data.get("feeds")), *_churn(data.get("churn")), *_plays(data.get("plays"))
    ]  # fmt: skip
    return [Problem(document.line_of(where), key_text(where), text) for where, text in findings]


def _business(data: Mapping[str, object]) -> Iterator[Finding]:
    yield from _zone(data.get("timezone"), ("timezone",))
    currency = data.get("currency")
    if isinstance(currency, str) and re.fullmatch("[A-Z]{3}", currency) and currency not in CURRENCIES:
        yield ("currency",), f"{shown(currency)} is no ISO 4217 code{nearest_hint(currency, sorted(CURRENCIES))}"
    first, shown_day = data.get("first_day"), data.get("as_of")
    if isinstance(first, date) and isinstance(shown_day, date) and shown_day < first:
        yield ("as_of",), f"{shown_day} lies before first_day ({first})"
    yield from _primary(data)
    yield from _rhythms(data)
    feeds = data.get("feeds")
    for needed in _NEEDED_FEEDS.get(str(data.get("kind")), ()):
        if isinstance(feeds, dict) and not any(feed in feeds for feed in needed):
            yield ("kind",), f"{data['kind']} needs the feed {' or '.join(needed)}"


def _rhythms(data: Mapping[str, object]) -> Iterator[Finding]:
    rhythms, feeds = data.get("delivery"), data.get("feeds")
    if isinstance(rhythms, dict) and isinstance(feeds, dict):
        for feed in rhythms:
            if feed in CONTRACTS and feed not in feeds:
                yield ("delivery", feed), "is no feed of this business"


def _primary(data: Mapping[str, object]) -> Iterator[Finding]:
    identity, feeds = data.get("identity"), data.get("feeds")
    primary = identity.get("primary") if isinstance(identity, dict) else None
    if not isinstance(primary, str) or not isinstance(feeds, dict):
        return
    lists = [mappings for mappings in feeds.values() if isinstance(mappings, list)]
    mappings = [_valid(FileMapping, raw) for raw_list in lists for raw in raw_list]
    sources = {mapping.source for mapping in mappings if isinstance(mapping, FileMapping) and mapping.source}
    if primary not in sources:
        names = ", ".join(sorted(sources)) or "none"
        yield (
            ("identity", "primary"),
            f"{shown(primary)} is no `source` of a mapping{nearest_hint(primary, sorted(sources))}; allowed: {names}",
        )


def _zone(zone: object, where: Location) -> Iterator[Finding]:
    if isinstance(zone, str) and zone not in _zones():
        hint = nearest_hint(zone, sorted(_zones()))
        yield where, f"{shown(zone)} is no IANA time zone{hint}; such as Europe/Paris or UTC"


@cache
def _zones() -> frozenset[str]:
    """Names of all time zones."""
    return frozenset(available_timezones())


def _feeds(feeds: object) -> Iterator[Finding]:
    if not isinstance(feeds, dict):
        return
    for feed, mappings in feeds.items():
        if feed not in CONTRACTS or not isinstance(mappings, list):
            continue
        if not mappings:
            yield ("feeds", feed), "has no files; leave the feed out, or say where its files are"
        for number, raw in enumerate(mappings):
            mapping = _valid(FileMapping, raw)
            if isinstance(mapping, FileMapping):
                yield from _preset(feed, mapping, ("feeds", feed, number))
                for where, text in _mapping(CONTRACTS[feed], mapping):
                    yield ("feeds", feed, number, *where), text


def _preset(feed: str, mapping: FileMapping, where: Location) -> Iterator[Finding]:
    if mapping.preset is not None and presets()[mapping.preset].feed != feed:
        yield (*where, "preset"), f"{mapping.preset} delivers {presets()[mapping.preset].feed}, not {feed}"


def _valid(section: type[BaseModel], raw: object) -> BaseModel | None:
    """The section, where it is right; the schema says what is wrong with it otherwise."""
    try:
        return section.model_validate(raw)
    except ValidationError:
        return None


def _mapping(contract: Contract, mapping: FileMapping) -> Iterator[Finding]:
    yield from _canonical_names(contract, mapping)
    yield from _pattern(mapping.files)
    yield from _zone(mapping.timezone, ("timezone",))
    expressions = [(("columns", name), value) for name, value in mapping.columns.items()]
    for where, value in [*expressions, (("skip",), mapping.skip)]:
        if isinstance(value, Expression):
            for problem in parse_expression(value.sql).problems:
                yield (*where, "sql"), f"the expression {problem}"
    for name, lookup in mapping.lookups.items():
        for _, text in _pattern(lookup.files):
            yield ("lookups", name, "files"), text
        for problem in parse_expression(lookup.where.sql).problems if lookup.where else ():
            yield ("lookups", name, "where", "sql"), f"the expression {problem}"
    if mapping.sheet is not None and mapping.format != "xlsx":
        yield ("sheet",), f"has no meaning for {mapping.format} files"
    if mapping.thousands_mark == mapping.decimal_mark:
        yield ("thousands_mark",), "is the same as decimal_mark"
    if mapping.delimiter in '"\r\n':
        yield ("delimiter",), f"{shown(mapping.delimiter)} cannot separate cells"
    if mapping.format != "csv" and "delimiter" in mapping.model_fields_set:
        yield ("delimiter",), f"has no meaning for {mapping.format} files"
    if mapping.delivered is not None:
        yield from _delivery(mapping.delivered.pattern)
    yield from _time_formats(mapping.time_format)


def _canonical_names(contract: Contract, mapping: FileMapping) -> Iterator[Finding]:
    names = [column.name for column in contract.columns]
    for key, given in (("columns", mapping.columns), ("constants", mapping.constants)):
        for name in given:
            if name not in names:
                hint = nearest_hint(name, names)
                yield (key, name), f"{contract.name} has no such column{hint}; allowed: {', '.join(names)}"
    for name in mapping.constants:
        if name in mapping.columns:
            yield ("constants", name), "is mapped under columns already"
        elif name in names:
            yield from _constant(contract.column(name), mapping.constants[name])
    for name in contract.required:
        if name not in mapping.columns and name not in mapping.constants:
            yield (
                ("columns",),
                f"{name} is required by {contract.name} and not mapped: {contract.column(name).description}",
            )
    if contract.one_of and not any(name in mapping.columns or name in mapping.constants for name in contract.one_of):
        yield ("columns",), f"{contract.name} needs one of {', '.join(contract.one_of)}"


def _constant(column: Column, value: object) -> Iterator[Finding]:
    where: Location = ("constants", column.name)
    if column.values and value not in column.values:
        hint = nearest_hint(str(value), column.values)
        yield where, f"{shown(value)} is not allowed{hint}; allowed: {', '.join(column.values)}"
    if column.currency and value not in CURRENCIES:
        yield where, f"{shown(value)} is no ISO 4217 code{nearest_hint(str(value), sorted(CURRENCIES))}"
    if column.type in (Type.INTEGER, Type.NUMBER, Type.MONEY, Type.QUANTITY):
        try:
            Decimal(str(value))
        except InvalidOperation:
            yield where, f"{shown(value)} is no number"


def _pattern(files: str) -> Iterator[Finding]:
    path = PurePosixPath(files)
    deep = any("**" in part and part != "**" for part in path.parts)
    if not files.strip() or path.is_absolute() or ".." in path.parts or deep:
        yield ("files",), f"{shown(files)} must be a pattern below the folder of the business, such as exports/*.csv"


def _delivery(pattern: str) -> Iterator[Finding]:
    try:
        groups = re.compile(pattern).groupindex
    except re.error as error:
        yield ("delivered", "pattern"), f"is no regular expression: {error}"
        return
    if "day" not in groups and "month" not in groups:
        yield ("delivered", "pattern"), "names no group `day` or `month`, such as (?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"


def _time_formats(formats: tuple[str, ...]) -> Iterator[Finding]:
    for text in formats:
        if text in EPOCHS:
            if len(formats) > 1:
                yield ("time_format",), f"{text} stands alone: a number cannot be told from other times"
        elif "%" not in text:
            hint = nearest_hint(text, EPOCHS)
            yield ("time_format",), f"{shown(text)} is no strptime format{hint}; such as %d/%m/%Y %H:%M"
        elif problem := _format_problem(text):
            yield ("time_format",), f"{shown(text)} is no strptime format: {problem}"


@cache
def _format_problem(text: str) -> str:
    with duckdb.connect() as con:
        try:
            con.execute("SELECT try_strptime('', ?::VARCHAR)", [text]).fetchall()
        except duckdb.Error as error:
            return str(error).splitlines()[0].split(": ", 1)[-1]
    return ""


def _churn(churn: object) -> Iterator[Finding]:
    excluded = churn.get("excluded_features") if isinstance(churn, dict) else None
    if not isinstance(excluded, list) or not excluded:
        return
    from retention_pipeline.churn.features import FEATURES

    known = [feature.name for feature in FEATURES]
    for number, name in enumerate(excluded):
        if name not in known:
            yield ("churn", "excluded_features", number), f"{shown(name)} is no feature{nearest_hint(str(name), known)}"


def _plays(plays: object) -> Iterator[Finding]:
    if not isinstance(plays, dict) or not plays:
        return
    # Importing a SQL parser only pays where there is something to parse.
    from retention_pipeline.campaigns.conditions import check_play

    for name, raw in plays.items():
        play = _valid(Play, raw)
        if isinstance(play, Play):
            for key, problem in check_play(play):
                yield ("plays", name, *key.split(".")), problem
