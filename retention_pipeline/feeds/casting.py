"""SQL that turns a mapped value into its canonical type, or null where it cannot be: never a guess.

Texts are read by explicit rules. What DuckDB's own casts would quietly accept (`1_000`, `0x10`, `5.7` as 6, `infinity`,
an offset that is dropped) is no number and no time here.
"""

from __future__ import annotations

from dataclasses import dataclass

from retention_pipeline.feeds.contracts import Column, Type
from retention_pipeline.quoting import literal

_EPOCH_UNITS = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1_000}
_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")
_ISO_OFFSET = r"[ 0-9](Z|z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_PLAIN_NUMBER = r" *[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)? *"


@dataclass(frozen=True)
class TextRules:
    """How numbers and times are written in a file.

    Attributes:
        decimal_mark, thousands_mark: As in the mapping.
        time_formats: strptime formats, tried in order; empty: ISO 8601.
        zone: Zone of times without an offset.
        business_zone: Zone of business days.
    """

    decimal_mark: str
    thousands_mark: str
    time_formats: tuple[str, ...]
    zone: str
    business_zone: str


def cast_sql(value: str, source_type: str, column: Column, rules: TextRules) -> str:
    """SQL of `value` (of the DuckDB type `source_type`) as the type of `column`; null where that is impossible."""
    kind = _kind(source_type)
    if column.type is Type.TEXT:
        return _text(value, kind)
    if column.type is Type.JSON:
        return f"try_cast({value} AS JSON)" if kind == "text" else f"to_json({value})"
    if column.type is Type.BOOLEAN:
        return _boolean(value) if kind == "text" else f"try_cast({value} AS BOOLEAN)"
    if column.type is Type.TIMESTAMP:
        return _timestamp(value, kind, rules)
    if column.type is Type.DATE:
        return _date(value, kind, rules)
    return _number(value, kind, column.type, rules)


def business_day(timestamp: str, zone: str) -> str:
    """SQL of the business day in `zone` of a UTC timestamp."""
    if zone == "UTC":
        return f"({timestamp})::DATE"
    return f"timezone({literal(zone)}, timezone('UTC', {timestamp}))::DATE"


def day_sql(value: str, source_type: str, column: Column, rules: TextRules) -> str:
    """SQL of the business day of a DATE or TIMESTAMP column, from the value as it stands in the file.

    The same as `business_day` of the timestamp. A local time of the business zone shows its day by itself, which spares
    most files two conversions for each row.
    """
    kind = _kind(source_type)
    if column.type is Type.DATE:
        return _date(value, kind, rules)
    timestamp = _timestamp(value, kind, rules)
    if rules.zone != rules.business_zone or kind == "instant":
        return business_day(timestamp, rules.business_zone)
    if kind in ("local", "date"):
        return f"{value}::DATE"
    if kind == "text" and not rules.time_formats:
        return (
            f"CASE WHEN {_is_plain_iso(value)} THEN try_cast({value} AS TIMESTAMP)::DATE"
            f" ELSE {business_day(timestamp, rules.business_zone)} END"
        )
    return business_day(timestamp, rules.business_zone)


def _kind(source_type: str) -> str:
    """The family of a DuckDB type."""
    name = source_type.upper()
    if name == "VARCHAR":
        return "text"
    if name.startswith("TIMESTAMP") and "TIME ZONE" in name:
        return "instant"
    if name.startswith("TIMESTAMP"):
        return "local"
    if name == "DATE":
        return "date"
    if name in ("DOUBLE", "FLOAT", "REAL"):
        return "float"
    if name.startswith("DECIMAL"):
        return "decimal"
    if name.endswith("INT") or name == "INTEGER" or name.endswith("INTEGER"):
        return "integer"
    return "other"


def text_sql(value: str, source_type: str) -> str:
    """SQL of a value as text, such as that of an id, by its DuckDB type."""
    return _text(value, _kind(source_type))


def _text(value: str, kind: str) -> str:
    if kind == "float":
        # Ids in Parquet files are often written as floats because some are missing: 17850.0 is the id 17850.
        whole = f"isfinite({value}) AND {value} = floor({value}) AND abs({value}) < 9e15"
        return f"CASE WHEN {whole} THEN {value}::BIGINT::VARCHAR ELSE {value}::VARCHAR END"
    return value if kind == "text" else f"{value}::VARCHAR"


def _boolean(value: str) -> str:
    low = f"lower(trim({value}))"
    true, false = (", ".join(map(literal, words)) for words in (_TRUE, _FALSE))
    return f"CASE WHEN {low} IN ({true}) THEN true WHEN {low} IN ({false}) THEN false END"


def _number(value: str, kind: str, target: Type, rules: TextRules) -> str:
    text, is_plain = value, kind == "text" and rules.decimal_mark == "." and not rules.thousands_mark
    if is_plain and target in (Type.MONEY, Type.QUANTITY):
        # What this cast takes beyond numbers in plain notation: `1_000`, and white space around a number.
        return f"CASE WHEN NOT contains({value}, '_') THEN try_cast({value} AS {target.value}) END"
    if is_plain and target is Type.NUMBER:
        as_double = f"try_cast({value} AS DOUBLE)"
        odd = f"contains({value}, '_') OR contains({value}, '+-')"
        return f"CASE WHEN isfinite({as_double}) AND NOT ({odd}) THEN {as_double} END"
    if kind == "text":
        value = _number_text(value, rules)
    if kind == "float" or (kind == "text" and target is Type.NUMBER):
        as_double = f"try_cast({value} AS DOUBLE)"
        value = f"CASE WHEN isfinite({as_double}) THEN {as_double if target is Type.NUMBER else value} END"
    if target is not Type.INTEGER or kind == "integer":
        return f"try_cast({value} AS {target.value})"
    exact = f"try_cast({value} AS DECIMAL(38,9))"
    whole = f"CASE WHEN {exact} = floor({exact}) THEN try_cast({exact} AS BIGINT) END"
    if not is_plain:
        return whole
    # Most whole numbers are written as they are printed, and need no more than that.
    as_integer = f"try_cast({text} AS BIGINT)"
    return f"CASE WHEN {as_integer}::VARCHAR = {text} THEN {as_integer} ELSE {whole} END"


def _number_text(value: str, rules: TextRules) -> str:
    """SQL of a number's text in plain notation, null where it is not a number in the file's notation."""
    text = f"trim({value})"
    if rules.thousands_mark:
        mark, decimal = _class(rules.thousands_mark), _class(rules.decimal_mark)
        shape = f"[+-]?([0-9]{{1,3}}({mark}[0-9]{{3}})+|[0-9]+)({decimal}[0-9]*)?"
        cleaned = f"regexp_replace({text}, {literal(mark)}, '', 'g')"
        if rules.decimal_mark != ".":
            cleaned = f"replace({cleaned}, {literal(rules.decimal_mark)}, '.')"
        return f"CASE WHEN regexp_full_match({text}, {literal(shape)}) THEN {cleaned} END"
    if rules.decimal_mark != ".":
        shape = _PLAIN_NUMBER.replace("[.]", _class(rules.decimal_mark))
        cleaned = f"replace({text}, {literal(rules.decimal_mark)}, '.')"
        return f"CASE WHEN regexp_full_match({text}, {literal(shape)}) THEN {cleaned} END"
    return f"CASE WHEN regexp_full_match({value}, {literal(_PLAIN_NUMBER)}) THEN {value} END"


def _class(mark: str) -> str:
    """A regular expression of a mark; a space stands for the no-break spaces of office programs too."""
    return "[ \u00a0\u202f]" if mark == " " else f"[{mark}]"


def _timestamp(value: str, kind: str, rules: TextRules) -> str:
    """SQL of the UTC timestamp."""
    if kind == "instant":
        return f"timezone('UTC', {value})"
    if kind in ("local", "date"):
        return _to_utc(f"{value}::TIMESTAMP", rules.zone)
    formats = rules.time_formats
    if formats and formats[0] in _EPOCH_UNITS:
        number = value if kind in ("integer", "decimal") else f"try_cast({value} AS DECIMAL(38,6))"
        return f"TRY(make_timestamp(try_cast({number} * {_EPOCH_UNITS[formats[0]]} AS BIGINT)))"
    if kind != "text":
        value = f"{value}::VARCHAR"
    if formats:
        parsed = f"try_strptime({value}, [{', '.join(map(literal, formats))}])"
        with_offset = any("%z" in text or "%Z" in text for text in formats)
        return f"timezone('UTC', {parsed})" if with_offset else _to_utc(parsed, rules.zone)
    return (
        f"CASE WHEN {_is_plain_iso(value)} THEN {_to_utc(f'try_cast({value} AS TIMESTAMP)', rules.zone)}"
        f" WHEN length({value}) > 12 AND regexp_matches({value}, '{_ISO_OFFSET}')"
        f" THEN timezone('UTC', try_cast({value} AS TIMESTAMPTZ))"
        f" WHEN {_is_other_iso(value)} THEN {_to_utc(f'try_cast({value} AS TIMESTAMP)', rules.zone)} END"
    )


def _is_plain_iso(value: str) -> str:
    """`2026-01-31` and `2026-01-31 10:00:00`, told by length alone: most times are written so."""
    return f"(strlen({value}) = 10 OR (strlen({value}) = 19 AND {value}[17] = ':'))"


def _is_other_iso(value: str) -> str:
    return rf"regexp_full_match({value}, '\d{{4}}-\d{{2}}-\d{{2}}[T ]\d{{2}}:\d{{2}}(:\d{{2}}([.,]\d+)?)?')"


def _to_utc(timestamp: str, zone: str) -> str:
    return timestamp if zone == "UTC" else f"timezone('UTC', timezone({literal(zone)}, {timestamp}))"


def _date(value: str, kind: str, rules: TextRules) -> str:
    """SQL of the date; of a time with an offset, the business day."""
    if kind in ("date", "local"):
        return f"{value}::DATE"
    if kind == "text" and not rules.time_formats:
        moment = business_day(_timestamp(value, kind, rules), rules.business_zone)
        return f"CASE WHEN length({value}) = 10 THEN try_cast({value} AS DATE) ELSE {moment} END"
    if kind == "text" and not any("%z" in text or text in _EPOCH_UNITS for text in rules.time_formats):
        return f"try_strptime({value}, [{', '.join(map(literal, rules.time_formats))}])::DATE"
    return business_day(_timestamp(value, kind, rules), rules.business_zone)
