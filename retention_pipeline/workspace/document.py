"""A YAML document with the line of every key, so that a message can point at what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from retention_pipeline.plain_yaml import PlainLoader

Location = tuple[str | int, ...]

_MOST_NODES = 20_000


@dataclass(frozen=True)
class Problem:
    """Something wrong in a document: the line, the key as a path, and what it is."""

    line: int
    key: str
    text: str


@dataclass(frozen=True)
class Document:
    """A parsed document.

    Attributes:
        data: Its content; None where it cannot be parsed.
        lines: Path of a key or list item → line.
        problems: What is wrong with it as YAML: syntax, keys that occur twice.
    """

    data: object
    lines: Mapping[Location, int]
    problems: tuple[Problem, ...]

    def line_of(self, location: Location) -> int:
        """The line of a key, or of the nearest key around it."""
        for length in range(len(location), 0, -1):
            if location[:length] in self.lines:
                return self.lines[location[:length]]
        return 1


def key_text(location: Location) -> str:
    """A path as people write it: feeds.order_lines[0].columns."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def read_document(text: str) -> Document:
    """Parse YAML with the safe loader; a key that occurs twice is a problem, and so is an alias that never ends."""
    loader = PlainLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Document(None, {}, (Problem(1, "", "the file is empty"),))
        lines: dict[Location, int] = {}
        problems: list[Problem] = []
        _walk(node, (), lines, problems, [0])
        return Document(loader.construct_document(node), lines, tuple(problems))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        what = " ".join(part for part in (error.context, error.problem) if part)
        return Document(None, {}, (Problem(line, "", f"is not YAML: {what}"),))
    except yaml.YAMLError as error:
        return Document(None, {}, (Problem(1, "", f"is not YAML: {str(error).splitlines()[0]}"),))
    except _TooLargeError:
        return Document(None, {}, (Problem(1, "", f"holds more than {_MOST_NODES} values"),))
    except ValueError as error:
        return Document(None, {}, (Problem(1, "", f"holds a value that cannot be read: {error}"),))
    finally:
        loader.dispose()


class _TooLargeError(Exception):
    pass


def _walk(
    node: yaml.Node, location: Location, lines: dict[Location, int], problems: list[Problem], count: list[int]
) -> None:
    count[0] += 1
    if count[0] > _MOST_NODES:
        raise _TooLargeError
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
            line = key_node.start_mark.line + 1
            if key in seen and key != "<<":
                problems.append(
                    Problem(line, key_text((*location, key)), f"occurs twice; it was set in line {seen[key]} already")
                )
            seen[key] = line
            lines[(*location, key)] = line
            _walk(value_node, (*location, key), lines, problems, count)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*location, index)] = item.start_mark.line + 1
            _walk(item, (*location, index), lines, problems, count)
