"""Says in words what pydantic found: the key, the value, what is allowed, the nearest name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from retention_pipeline.workspace.document import Document, Location, Problem, key_text
from retention_pipeline.workspace.structure import keys_at

SECRET_KEYS = frozenset({"salt"})
_TAGS = frozenset({"str", "int", "float", "bool", "Expression", "[key]", "constrained-str"})
_UNION_TYPES = {"str": "a text", "int": "a number", "float": "a number", "bool": "true or false"}


def schema_problems(error: ValidationError, document: Document) -> list[Problem]:
    """Every error of the schema, with its line; alternatives of one value are told as one problem."""
    problems: dict[Location, Problem] = {}
    for item in error.errors(include_url=False):
        location, value = _location(item["loc"], document), item.get("input")
        if _is_other_alternative(item, value):
            continue
        text = _text(item, location, value)
        problem = Problem(document.line_of(location), key_text(location), text)
        problems.setdefault((*location, item["type"]) if item["type"] == "missing" else location, problem)
    return list(problems.values())


def nearest_hint(name: str, allowed: Sequence[str]) -> str:
    """`; did you mean ...?`, or nothing."""
    near = get_close_matches(name, allowed, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""


def shown(value: object, key: str = "") -> str:
    """A value for a message: short, and never a secret."""
    if key in SECRET_KEYS:
        return "(not shown)"
    if isinstance(value, dict):
        return "a section"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing"
    text = str(value)
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _location(parts: tuple[int | str, ...], document: Document) -> Location:
    """The path in the document: without the names that pydantic adds for alternatives and keys."""
    location: Location = ()
    for part in parts:
        if (*location, part) not in document.lines and part in _TAGS:
            continue
        location = (*location, part)
    return location


def _is_other_alternative(item: Any, value: object) -> bool:
    """Whether the error belongs to an alternative that was not meant: a text where a section stands."""
    return item["type"] == "string_type" and isinstance(value, dict) and item["loc"][-1] == "str"


def _text(item: Any, location: Location, value: object) -> str:
    kind, context = item["type"], item.get("ctx", {})
    key = str(location[-1]) if location else ""
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        allowed = keys_at(location[:-1])
        return f"is no key here{nearest_hint(key, allowed)}; allowed: {', '.join(allowed)}"
    if kind in ("literal_error", "enum"):
        values = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        given = key if item["loc"][-1] == "[key]" else str(value)
        quoted = ", ".join(text if re.fullmatch(r"[\w-]+", text) else repr(text) for text in values)
        return f"{shown(given, key)} is not allowed{nearest_hint(given, values)}; allowed: {quoted}"
    if kind == "string_pattern_mismatch":
        return f"{shown(value, key)} does not match; allowed: {_pattern_text(str(context.get('pattern')))}"
    if kind == "value_error":
        return str(context.get("error", item["msg"]))
    if kind == "model_type" and item["loc"] and item["loc"][-1] == "Expression":
        return f"{shown(value, key)} is not allowed; allowed: a source column, or a section {{sql: expression}}"
    if kind == "model_type":
        return f"{shown(value, key)} stands where a section is expected; its keys: {', '.join(keys_at(location))}"
    return f"{shown(value, key)}: {_plain(item['msg'])}"


def _pattern_text(pattern: str) -> str:
    known = {
        r"^[a-z][a-z0-9_]{0,62}$": "lower-case letters, digits and underscores, a letter first",
        r"^[A-Z]{3}$": "three capital letters, such as EUR",
    }
    return known.get(pattern, pattern)


def _plain(message: str) -> str:
    return message[0].lower() + message[1:].replace("Input", "input")
