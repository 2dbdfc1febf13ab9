"""Writes docs/metrics.md from the YAML of the marts: every published table, every column, every rule that holds.

`python -m retention_pipeline.metrics_reference` writes the file; a test says when it differs from the marts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from retention_pipeline.settings import PROJECT

MARTS = PROJECT / "dbt_project" / "models" / "marts"
REFERENCE = PROJECT / "docs" / "metrics.md"

_HEAD = """\
# Metrics

Every published table and column. Written by `python -m retention_pipeline.metrics_reference` from the YAML of the marts
in `dbt_project/models/marts`, which is also what the comments in the serving database say: change it there.

All figures are as of one day and use what was known by its end. Shares lie between 0 and 1; intervals are 95 % Wilson
intervals. A figure whose feed the business does not have is missing, not zero.
"""

_FOLDERS = {
    "retention": "Churn and retention",
    "core": "Customers and orders",
    "segments": "Segments and scores",
    "churn": "The churn model's rows",
}
"""Folder of the marts → its chapter, in the order of the reference."""

_DOC_BLOCK = re.compile(r"{%\s*docs\s+(\w+)\s*%}\n(.*?)\n{%\s*enddocs\s*%}", re.DOTALL)
_DOC_CALL = re.compile(r"{{\s*doc\('(\w+)'\)\s*}}")


def metrics_reference() -> str:
    """The text of docs/metrics.md."""
    blocks = _doc_blocks()
    parts = [_HEAD]
    for folder, title in _FOLDERS.items():
        parts.append(f"## {title}\n")
        for path in sorted((MARTS / folder).glob("*.yml")):
            for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
                parts.append(_model_text(model, blocks))
    return "\n".join(parts)


def write_metrics_reference(path: Path = REFERENCE) -> Path:
    """Write the reference and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(metrics_reference(), encoding="utf-8")
    return path


def _doc_blocks() -> dict[str, str]:
    texts = (path.read_text(encoding="utf-8") for path in sorted(MARTS.rglob("*.md")))
    return {name: body.strip() for text in texts for name, body in _DOC_BLOCK.findall(text)}


def _model_text(model: Mapping[str, Any], blocks: Mapping[str, str]) -> str:
    lines = [
        f"### {model['name']}",
        "",
        str(model["description"]).strip(),
        "",
        "| column | type | meaning |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{column['name']}` | {column['data_type']} | {_described(column, blocks)} |" for column in model["columns"]
    ]
    rules = list(_rules(model))
    if rules:
        lines += ["", "Checked at every build:", "", *(f"- {name}: `{rule}`" for name, rule in rules)]
    return "\n".join([*lines, ""])


def _described(column: Mapping[str, Any], blocks: Mapping[str, str]) -> str:
    text = _DOC_CALL.sub(lambda call: blocks[call.group(1)], str(column["description"]).strip())
    return text.replace("|", "\\|")


def _rules(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for test in model.get("data_tests", []):
        if isinstance(test, dict) and "holds" in test:
            for name, rule in test["holds"]["arguments"]["rules"].items():
                yield name, " ".join(str(rule).split())


if __name__ == "__main__":
    write_metrics_reference()
