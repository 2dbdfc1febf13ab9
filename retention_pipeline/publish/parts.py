"""What a version was made of, so that the next one writes only what is another: a file beside its database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import duckdb

from retention_pipeline.publish.database import Part
from retention_pipeline.publish.tables import PublishedTable

FILE = "parts.json"


@dataclass(frozen=True)
class PublishedParts:
    """A table as a version holds it.

    Attributes:
        shape: A hash of its columns, descriptions and order: where it is another one, the table is written anew.
        parts: Name of the part → its rows.
        hashes: Name of the part → SHA-256 of its Parquet file.
    """

    shape: str
    parts: Mapping[str, Part]
    hashes: Mapping[str, str]

    @property
    def content_hash(self) -> str:
        """SHA-256 of the Parquet file, or over those of its months."""
        if list(self.hashes) == [""]:
            return self.hashes[""]
        lines = [f"{name} {self.hashes[name]}\n" for name in sorted(self.hashes)]
        return sha256("".join(lines).encode()).hexdigest()

    @staticmethod
    def shape_of(table: PublishedTable, columns: Sequence[tuple[str, str]]) -> str:
        """A hash of what is not rows."""
        described = sorted(table.column_descriptions.items())
        text = repr((table.description, described, table.order_by, table.by_month_of, list(columns)))
        return sha256(text.encode()).hexdigest()


def write_parts(path: Path, tables: Mapping[str, PublishedParts]) -> None:
    """Write what the version holds."""
    content = {"duckdb": duckdb.__version__, "tables": {name: asdict(found) for name, found in tables.items()}}
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def earlier_parts(version: Path) -> dict[str, PublishedParts]:
    """What a version holds; nothing where that is not known, or was hashed by another DuckDB."""
    try:
        content = json.loads((version / FILE).read_text(encoding="utf-8"))
        if content["duckdb"] != duckdb.__version__:
            return {}
        return {
            name: PublishedParts(
                found["shape"], {part: Part(**one) for part, one in found["parts"].items()}, found["hashes"]
            )
            for name, found in content["tables"].items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}
