"""The rule that columns have their declared types."""

from __future__ import annotations

import re
from collections.abc import Mapping

from retention_pipeline.quality.declaring import BATCH, NoRows
from retention_pipeline.quoting import identifier, literal

_TYPE = re.compile(r"[A-Za-z][A-Za-z ]*(\(\d+(\s*,\s*\d+)?\))?(\[\])?")


def types_are(types: Mapping[str, str]) -> NoRows:
    """No column has another type than the declared one; DuckDB itself says which names mean the same type.

    Args:
        types: Column → type, as declared.
    """
    for name, declared in types.items():
        if not _TYPE.fullmatch(declared):
            raise ValueError(f"column {name}: {declared!r} is not the name of a type")
    declared = ", ".join(f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in types.items())
    names = ", ".join(literal(name) for name in types)
    return NoRows(
        f"SELECT column_name FROM (DESCRIBE SELECT * FROM {BATCH}) WHERE column_name IN ({names}) AND (column_name,"
        f" column_type) NOT IN (SELECT (column_name, column_type) FROM (DESCRIBE SELECT {declared}))"
    )
