"""Walks the schema of `retention.yaml`: which keys a section has, and what each may be."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from retention_pipeline.workspace.document import Location
from retention_pipeline.workspace.schema import Retention


def section_at(location: Location) -> type[BaseModel] | None:
    """The section that holds the keys at `location`; None where the keys are free (such as names of plays)."""
    annotation: Any = Retention
    for part in location:
        annotation = _below(annotation, part)
        if annotation is None:
            return None
    return next(_sections(annotation), None)


def keys_at(location: Location) -> tuple[str, ...]:
    """The keys that may stand at `location`."""
    section = section_at(location)
    return tuple(section.model_fields) if section else ()


def _below(annotation: Any, part: str | int) -> Any:
    for candidate in _members(annotation):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            if isinstance(part, str) and part in candidate.model_fields:
                return candidate.model_fields[part].annotation
        elif get_origin(candidate) is dict:
            return get_args(candidate)[1]
        elif get_origin(candidate) is tuple and isinstance(part, int):
            return get_args(candidate)[0]
    return None


def _members(annotation: Any) -> Iterator[Any]:
    """The alternatives of a type, without what annotates it."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    for member in _members(annotation):
        if isinstance(member, type) and issubclass(member, BaseModel):
            yield member


def sections_below(section: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel], bool]]:
    """The sections within a section: key, section, and whether there may be several under it."""
    for name, info in section.model_fields.items():
        yield from ((name, inner, several) for inner, several in _nested(info.annotation, several=False))


def _nested(annotation: Any, *, several: bool) -> Iterator[tuple[type[BaseModel], bool]]:
    for member in _members(annotation):
        if isinstance(member, type) and issubclass(member, BaseModel):
            yield member, several
        elif get_origin(member) is dict:
            yield from _nested(get_args(member)[1], several=True)
        elif get_origin(member) is tuple:
            yield from _nested(get_args(member)[0], several=True)


def alternatives(annotation: Any) -> Sequence[Any]:
    """The alternatives of a type."""
    return tuple(_members(annotation))
