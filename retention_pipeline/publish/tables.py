"""What is published, under which name, and what must never be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from retention_pipeline.errors import RetentionError
from retention_pipeline.feeds.contracts import CONTRACTS
from retention_pipeline.quoting import identifier

_PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CUSTOMER_ID = re.compile(r"(^|_)customer_id$")
_PERSONAL_NAME = re.compile(
    r"(^|_)(e_?mail|phone|telephone|mobile|first_name|last_name|full_name|surname|birth_?(date|day)|date_of_birth"
    r"|street|postal_address|post_?code|free_text|verbatim)(_address|_number)?$"
)
_PERSONAL_COLUMNS = frozenset(column.name for feed in CONTRACTS.values() for column in feed.columns if column.personal)
# A count or a flag may be called after a channel (`consents_email`): only what can hold a text or a date is personal.
_HARMLESS_TYPE = re.compile(r"^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|BOOLEAN|DOUBLE|FLOAT|DECIMAL\(.*\))$")


@dataclass(frozen=True)
class PublishedTable:
    """A table of the warehouse that people and BI tools may read.

    Attributes:
        source: `schema.table` in the warehouse.
        name: Its name in the serving database, and of its Parquet file.
        description: What one row is; shown as the comment of the table.
        column_descriptions: Column → what it holds, with its unit.
        order_by: Columns that order the rows; best the grain.
        by_month_of: A date by whose month the rows are kept apart, for a table that grows with history: months that
            have not changed are not written again, and its Parquet is a folder with a file a month.
    """

    source: str
    name: str
    description: str = ""
    column_descriptions: Mapping[str, str] = field(default_factory=dict)
    order_by: tuple[str, ...] = ()
    by_month_of: str = ""

    def __post_init__(self) -> None:
        parts = self.source.split(".")
        if len(parts) != 2 or not all(_PLAIN_NAME.fullmatch(part) for part in (*parts, self.name)):
            raise ValueError(f"a published table needs a source schema.table and a plain name: {self}")

    @property
    def schema_and_table(self) -> tuple[str, str]:
        """The two parts of `source`."""
        schema, table = self.source.split(".")
        return schema, table

    @property
    def quoted_source(self) -> str:
        """`source` quoted, for SQL text."""
        return ".".join(identifier(part) for part in self.schema_and_table)


def refuse_personal_columns(table: str, columns: Iterable[tuple[str, str]]) -> None:
    """Refuse a table with a column that identifies a person or holds free text.

    Args:
        table: The source, for the message.
        columns: Name and DuckDB type of every column.

    Raises:
        RetentionError: One of the columns must not leave the warehouse.
    """
    found = sorted(name for name, kind in columns if _is_personal(name.lower(), kind))
    if found:
        raise RetentionError(
            f"not published: {', '.join(found)} would show persons or what they wrote",
            where=table,
            expected="customer_key instead of customer_id, and no address, telephone number or free text",
            way_out="leave these columns out of the model, or do not publish the table",
        )


def _is_personal(name: str, kind: str) -> bool:
    if _CUSTOMER_ID.search(name):
        return True
    if _HARMLESS_TYPE.match(kind):
        return False
    return name in _PERSONAL_COLUMNS or _PERSONAL_NAME.search(name) is not None
