"""Writes the reference of every key of `retention.yaml` from its schema, and of every feed from its contract.

`python -m retention_pipeline.workspace.reference` writes docs/configuration.md; a test says when the two differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from retention_pipeline.feeds.contracts import CONTRACTS, Column, Contract
from retention_pipeline.feeds.expressions import FUNCTIONS
from retention_pipeline.settings import PROJECT
from retention_pipeline.workspace.schema import Retention
from retention_pipeline.workspace.structure import alternatives, sections_below

PAGE = PROJECT / "docs" / "configuration.md"

_INTRODUCTION = """# Configuration

Every key of `retention.yaml`. Written from the schema by `python -m retention_pipeline.workspace.reference`; change the
schema, not this file. `make check BUSINESS=<folder>` says what is wrong with a file: line, key, value, what is allowed.
Unknown keys are errors. A step-by-step guide: [bring-your-own-exports.md](bring-your-own-exports.md).
"""

_NAMES = {str: "text", int: "number", float: "number", bool: "true or false"}


def reference_page() -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    for path, section in _sections(Retention, ""):
        parts.append(f"## {f'`{path}`' if path else 'Top level'}\n\n{section.__doc__ or ''}\n")
        parts.append(_table(section))
    parts.append(_feeds())
    parts.append(
        "## Functions in expressions\n\nAn expression is one scalar DuckDB expression over the columns of the row. "
        "It may use any operator, `CASE`, casts, and these functions: "
        f"{', '.join(f'`{name}`' for name in sorted(FUNCTIONS))}.\n"
    )
    return "\n".join(parts)


def _sections(section: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """The section and all below it, depth first, each with its path."""
    yield path, section
    for name, inner, several in sections_below(section):
        below = f"{path}.{name}" if path else name
        yield from _sections(inner, _path_of(below, inner) if several else below)


def _path_of(path: str, section: type[BaseModel]) -> str:
    names = {
        "FileMapping": f"{path}.<feed>[]",
        "Expression": f"{path}.<column>",
        "Play": f"{path}.<play>",
        "ConsentGround": f"{path}.<channel>",
        "Component": f"{path}.<name>",
        "LoyaltyLevel": f"{path}.<tier>",
    }
    return names.get(section.__name__, f"{path}[]")


def _table(section: type[BaseModel]) -> str:
    lines = ["| key | allowed | default | meaning |", "|---|---|---|---|"]
    for name, info in section.model_fields.items():
        default = "**required**" if info.is_required() else _default(info)
        lines.append(f"| `{name}` | {_allowed(info)} | {default} | {_cell(info.description or '')} |")
    return "\n".join(lines) + "\n"


def _default(info: FieldInfo) -> str:
    value = info.default
    if isinstance(value, BaseModel):
        return "the defaults below"
    if isinstance(value, Enum):
        value = value.value
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, dict):
        return "; ".join(f"`{name}`: {_shown(item)}" for name, item in value.items())
    if isinstance(value, tuple):
        return ", ".join(f"`{item!r}`" if not item else f"`{item}`" for item in value)
    return f"`{value!r}`" if value == "" else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _shown(value: object) -> str:
    """A value of a section by name: a number, or the numbers of an inner section."""
    if isinstance(value, BaseModel):
        return ", ".join(f"{name} {number:g}" for name, number in value.model_dump().items())
    return f"{value:g}"


def _allowed(info: FieldInfo) -> str:
    texts = [text for member in alternatives(info.annotation) if (text := _type_text(member))]
    bounds = [text for constraint in info.metadata if (text := _bound(constraint))]
    return _cell(" or ".join(dict.fromkeys(texts)) + (f", {', '.join(bounds)}" if bounds else ""))


def _type_text(member: Any) -> str:
    origin = get_origin(member)
    if member is type(None):
        return ""
    if origin is Literal:
        return ", ".join(f"`{value}`" if value else "`''`" for value in get_args(member))
    if origin is dict:
        return "a section by name"
    if origin is tuple:
        return "a list"
    if isinstance(member, type) and issubclass(member, Enum):
        return ", ".join(f"`{item.value}`" for item in member)
    if isinstance(member, type) and issubclass(member, BaseModel):
        return "a section"
    return _NAMES.get(member, getattr(member, "__name__", str(member)).lower().replace("decimal", "number"))


def _bound(constraint: object) -> str:
    if isinstance(constraint, Ge):
        return f"at least {constraint.ge}"
    if isinstance(constraint, Le):
        return f"at most {constraint.le}"
    if isinstance(constraint, MinLen):
        return f"at least {constraint.min_length} long"
    if isinstance(constraint, MaxLen):
        return f"at most {constraint.max_length} long"
    return ""


def _feeds() -> str:
    parts = [
        "## Feeds and their columns\n\nWhat may stand under `columns` and `constants`. **R**: required, a row without "
        "it goes to quarantine; **k**: part of the key, a later delivery of a key replaces the row.\n"
    ]
    parts += [_feed(contract) for contract in CONTRACTS.values()]
    return "\n".join(parts)


def _feed(contract: Contract) -> str:
    lines = [
        f"### `{contract.name}`\n",
        f"{contract.description} One row is {contract.grain}.\n",
        "| column | | type | meaning |",
        "|---|---|---|---|",
    ]
    for column in contract.columns:
        marks = ("R" if column.required else "") + ("k" if column.key else "")
        lines.append(f"| `{column.name}` | {marks} | {column.type.name.lower()} | {_cell(_meaning(column))} |")
    return "\n".join(lines) + "\n"


def _meaning(column: Column) -> str:
    text = column.description
    if column.values:
        text += f" One of: {', '.join(column.values)}."
    return text


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def write_reference(path: Path = PAGE) -> None:
    """Write the page."""
    path.write_text(reference_page(), encoding="utf-8")


if __name__ == "__main__":
    write_reference()
