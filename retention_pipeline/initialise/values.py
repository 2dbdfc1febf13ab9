"""What the cells of a sample are: how far they can be read as numbers, times, truth values or codes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from retention_pipeline.feeds.casting import TextRules, cast_sql
from retention_pipeline.feeds.contracts import Column, Type
from retention_pipeline.feeds.currencies import CURRENCIES
from retention_pipeline.initialise.samples import Row
from retention_pipeline.initialise.synonyms import normalised, value_words
from retention_pipeline.initialise.times import stands_for_never

NUMBERS = (Type.INTEGER, Type.NUMBER, Type.MONEY, Type.QUANTITY)
TIMES = (Type.DATE, Type.TIMESTAMP)

MISSING = (
    "NULL",
    "null",
    "Null",
    "(null)",
    "nan",
    "NaN",
    "NAN",
    "N/A",
    "n/a",
    "#N/A",
    "\\N",
    "<NA>",
    "#NULL!",
    "#REF!",
)
_MISSING_NUMBERS = ("-", "--", "NA", "na", "None", "none", "?", ".")
_LIMIT = 3_000
SYMBOLS = r"[$€£¥₹₽₺₩]|\b[A-Z]{3}\b|\bkr\b"
"""Signs of currencies, as a regular expression that DuckDB knows too."""
_SYMBOL = re.compile(rf"\s*(?:{SYMBOLS})\s*")
MARKS = ((".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (".", " "), (".", "'"))
"""Decimal and thousands marks, the likeliest first."""


@dataclass(frozen=True)
class Profile:
    """A column of a sample.

    Attributes:
        name: The column.
        rows: Rows of the sample.
        filled: Cells that hold something that does not mean "missing".
        values: Filled cells → how often, up to a limit of different ones.
        is_unique: Whether no two filled cells are equal.
        missing: Texts in it that mean "missing".
    """

    name: str
    rows: int
    filled: int
    values: Mapping[str, int]
    is_unique: bool
    missing: tuple[str, ...]

    @property
    def fill_share(self) -> float:
        """Share of the rows that have a value."""
        return self.filled / self.rows if self.rows else 0.0

    def share(self, texts: Iterable[str]) -> float:
        """Share of the looked-at cells that are among `texts`."""
        wanted = set(texts)
        total = sum(self.values.values())
        return sum(count for text, count in self.values.items() if text in wanted) / total if total else 0.0


def profile(columns: Sequence[str], rows: Sequence[Row]) -> dict[str, Profile]:
    """Each column of a sample."""
    found = {}
    for place, name in enumerate(columns):
        counts = Counter(cell for row in rows if (cell := row[place]) is not None and cell.strip())
        missing = tuple(text for text in _missing_texts(counts) if text in counts)
        for text in missing:
            del counts[text]
        filled = sum(counts.values())
        found[name] = Profile(
            name, len(rows), filled, dict(list(counts.items())[:_LIMIT]), filled == len(counts), missing
        )
    return found


def _missing_texts(counts: Counter[str]) -> list[str]:
    texts = [*MISSING, *(text for text in counts if stands_for_never(text))]
    others = [text for text in list(counts)[:_LIMIT] if text not in texts and text not in _MISSING_NUMBERS]
    digits = sum(any(letter.isdigit() for letter in text) for text in others)
    # In a column of numbers or times a dash or NA is no value; elsewhere it may be one (NA is Namibia).
    return [*texts, *_MISSING_NUMBERS] if others and digits == len(others) else texts


class Reader:
    """Tries how the reader of the feeds would read texts; the same SQL as in a run."""

    def __init__(self) -> None:
        self._con = duckdb.connect()
        self._con.execute("SET TimeZone = 'UTC'")

    def readable(self, column: Profile, target: Column, rules: TextRules) -> float:
        """Share of the filled cells that can be read as the type of `target`."""
        if not column.values:
            return 0.0
        cast = cast_sql("v", "VARCHAR", target, rules)
        good, total = self._con.execute(
            f"SELECT coalesce(sum(n) FILTER (WHERE {_is_sane(cast, target)}), 0), sum(n) FROM "
            "(SELECT unnest(?::VARCHAR[]) AS v, unnest(?::BIGINT[]) AS n)",
            [list(column.values), list(column.values.values())],
        ).fetchall()[0]
        return float(good) / float(total)

    def bounds(self, column: Profile, target: Column, rules: TextRules) -> tuple[float, float]:
        """The least and the greatest number of a column; both zero where there is none."""
        low, high = self._con.execute(
            f"SELECT min(x)::DOUBLE, max(x)::DOUBLE FROM (SELECT {cast_sql('v', 'VARCHAR', target, rules)} AS x FROM "
            "(SELECT unnest(?::VARCHAR[]) AS v))",
            [list(column.values)],
        ).fetchall()[0]
        return (low or 0.0, high or 0.0)

    def close(self) -> None:
        """End it."""
        self._con.close()


def _is_sane(cast: str, target: Column) -> str:
    if target.type not in TIMES:
        return f"({cast}) IS NOT NULL"
    return f"year({cast}) BETWEEN 1990 AND 2100"


def rules_of(decimal: str = ".", thousands: str = "", formats: Sequence[str] = ()) -> TextRules:
    """Rules of reading, for times in UTC."""
    return TextRules(decimal, thousands, tuple(formats), "UTC", "UTC")


def value_map(column: Profile, target: Column) -> dict[str, str] | None:
    """Text of a cell → allowed value of a closed column; None where a cell is neither known nor rare."""
    words = value_words(target.name)
    known = {text: words[normalised(text)] for text in column.values if words.get(normalised(text)) in target.values}
    return known if known and column.share(known) >= 0.99 else None


def is_currency(column: Profile) -> bool:
    """Whether the cells are ISO 4217 codes, in capitals or not."""
    return column.filled > 0 and all(text.strip().upper() in CURRENCIES for text in column.values)


def has_float_ids(column: Profile) -> bool:
    """Whether ids are written as 17850.0, as programs do where some are missing."""
    return column.filled > 0 and all(re.fullmatch(r"\d+[.]0", text) for text in column.values)


def looks_like_address(column: Profile) -> bool:
    """Whether the cells are e-mail addresses."""
    good = sum(count for text, count in column.values.items() if re.fullmatch(r"[^@\s]+@[^@\s]+", text.strip()))
    return column.filled > 0 and good >= 0.9 * sum(column.values.values())


def looks_like_text(column: Profile) -> bool:
    """Whether the cells are words rather than numbers or times."""
    words = sum(count for text, count in column.values.items() if any(letter.isalpha() for letter in text))
    return column.filled > 0 and words >= 0.5 * sum(column.values.values())


def has_symbols(column: Profile) -> bool:
    """Whether amounts are written with the sign of their currency."""
    signed = sum(count for text, count in column.values.items() if _SYMBOL.search(text) and any(map(str.isdigit, text)))
    return column.filled > 0 and signed >= 0.5 * sum(column.values.values())


def without_symbols(column: Profile) -> Profile:
    """The same column without signs of currencies."""
    values: Counter[str] = Counter()
    for text, count in column.values.items():
        values[_SYMBOL.sub("", text)] += count
    return replace(column, values=values)


def has_fractions(column: Profile) -> bool:
    """Whether cells are numbers with a fraction: amounts, no ids."""
    if has_float_ids(column):
        return False
    found = sum(bool(re.fullmatch(r"[+-]?\d+[.,]\d{1,6}", text)) for text in column.values)
    return found > 0.2 * len(column.values)
