"""What guesses are made from and what they become."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from retention_pipeline.initialise.families import Family
from retention_pipeline.initialise.samples import Row, parquet_types, read_sample
from retention_pipeline.initialise.values import Profile, Reader, looks_like_text, profile
from retention_pipeline.quoting import identifier


@dataclass
class Guess:
    """A mapping that might fit, while it is put together.

    Attributes:
        feed: The feed.
        columns: Canonical column → source column or expression, as in a mapping.
        constants: As in a mapping.
        options: Other keys of the mapping.
        notes: Canonical column, constant or option → why.
        sources: Canonical column → the source column that it was taken from.
        lacking: Required columns that nothing was found for.
        score: How well it fits; compared between feeds.
        languages: How many names were found in each language.
    """

    feed: str
    columns: dict[str, str | dict[str, str]] = field(default_factory=dict)
    constants: dict[str, str | int] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()
    score: float = 0.0
    languages: Counter[str] = field(default_factory=Counter)

    def is_mapped(self, name: str) -> bool:
        """Whether a canonical column has a value."""
        return name in self.columns or name in self.constants


@dataclass(frozen=True)
class Table:
    """What guesses are made from.

    Attributes:
        family: The files.
        columns: Names of its columns.
        rows: Rows of a sample.
        profiles: Column → what its cells are; empty columns too.
        types: DuckDB type of each column of a Parquet file; empty for texts.
        reader: Tries to read cells.
    """

    family: Family
    columns: tuple[str, ...]
    rows: Sequence[Row]
    profiles: Mapping[str, Profile]
    types: Mapping[str, str]
    reader: Reader

    @classmethod
    def of(cls, family: Family, reader: Reader) -> Table:
        """The table of a family, from a sample."""
        columns, rows = read_sample(family)
        types = parquet_types(family.exports[0].path) if family.look.format == "parquet" else {}
        return cls(family, columns, rows, profile(columns, rows), types, reader)

    def is_dated(self, name: str) -> bool:
        """Whether a column holds times as such, not as text or numbers."""
        return self.types.get(name, "VARCHAR").startswith(("DATE", "TIMESTAMP"))

    def has_repeats(self, names: Sequence[str]) -> bool:
        """Whether two rows of the sample are equal in these columns."""
        places = [self.columns.index(name) for name in names]
        return len({tuple(row[place] for place in places) for row in self.rows}) < len(self.rows)


def text_sql(source: str, table: Table) -> str:
    """SQL of a source column as text."""
    quoted = identifier(source)
    return quoted if table.types.get(source, "VARCHAR") == "VARCHAR" else f"{quoted}::VARCHAR"


def unmapped_text_columns(guess: Guess, table: Table) -> Sequence[str]:
    """Columns of words that the guess does not use and that have few different values."""
    used = set(guess.sources.values())
    return [
        name
        for name, profile in table.profiles.items()
        if name not in used and looks_like_text(profile) and len(profile.values) <= max(50, 0.05 * profile.filled)
    ]
