"""Identifiers and literals in SQL text, for the places where binding a parameter is not possible."""

from __future__ import annotations


def identifier(name: str) -> str:
    """`name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """`text` as a quoted SQL string literal; for COPY, ATTACH and option lists, which take no parameters."""
    return "'" + text.replace("'", "''") + "'"
