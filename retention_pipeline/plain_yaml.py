"""YAML as people expect it: only `true` and `false` are truth values, so that `on`, `off`, `yes` and `no` are texts."""

from __future__ import annotations

import re
from typing import Any

import yaml

_TRUTH = "tag:yaml.org,2002:bool"
_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TRUTH]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _first in "tTfF":
    _RESOLVERS[_first] = [(_TRUTH, re.compile("^(true|True|TRUE|false|False|FALSE)$")), *_RESOLVERS.get(_first, [])]


class PlainLoader(yaml.SafeLoader):
    """PyYAML's safe loader with the truth values of YAML 1.2."""

    yaml_implicit_resolvers = _RESOLVERS


class FastPlainLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same on the C library, where PyYAML was built with it."""

    yaml_implicit_resolvers = _RESOLVERS


def load_plain(text: str) -> Any:
    """The content of a YAML text that is known to be right."""
    return yaml.load(text, Loader=FastPlainLoader)  # noqa: S506 -- a safe loader
