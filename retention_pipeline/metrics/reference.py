"""Writes docs/metrics.md from the YAML of the marts: every metric, every published table and column, every rule.

`python -m retention_pipeline.metrics.reference` writes the file; a test says when it differs from the marts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from retention_pipeline.metrics.declarations import MARTS, Metric, MetricMart, definitions, read_marts
from retention_pipeline.metrics.values import NewestValue, by_metric, read_values
from retention_pipeline.settings import PROJECT

REFERENCE = PROJECT / "docs" / "metrics.md"

_HEAD = """\
# Metrics

Every metric, and every published table and column. Written by `python -m retention_pipeline.metrics.reference` from the
YAML of the marts in `dbt_project/models/marts`, which is also what the comments in the serving database say: change it
there.

All figures are as of one day and use what was known by its end. Shares lie between 0 and 1. A figure whose feed the
business does not have is missing, not zero; a rate without a denominator is missing, and one without a case is 0.
Intervals are 95 %: Wilson's for shares, a bootstrap over customers for ratios of money, log-log Greenwood for survival.

BI tools read the tables below, or everything in one: `marts.metric_values`, a row per metric, day, period and segment,
with `marts.metrics` for what each means.
"""

_AT_A_GLANCE = """\
## Metrics at a glance

The value is that of the newest complete period of each business that ships, written by
`python -m retention_pipeline.metrics.values --business <folder>` after a run: money in the currency of the business.
*waits for* says what none of them has yet.
"""

_FOLDERS = {
    "metrics": "All metrics in one table",
    "retention": "Churn and retention",
    "revenue": "Recurring revenue",
    "payments": "Payments and recovery",
    "engagement": "Messages",
    "voice": "Voice of the customer",
    "segments": "Segments and scores",
    "core": "Customers and orders",
    "churn": "The churn model's rows",
}
"""Folder of the marts → its chapter, in the order of the reference."""

_WORD = re.compile(r"\w+")
_DOC_BLOCK = re.compile(r"{%\s*docs\s+(\w+)\s*%}\n(.*?)\n{%\s*enddocs\s*%}", re.DOTALL)
_DOC_CALL = re.compile(r"{{\s*doc\('(\w+)'\)\s*}}")


def metrics_reference() -> str:
    """The text of docs/metrics.md."""
    blocks = _doc_blocks()
    marts = read_marts()
    parts = [_HEAD, _AT_A_GLANCE, *_at_a_glance(marts, read_values())]
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


def _at_a_glance(marts: Sequence[MetricMart], values: Sequence[NewestValue]) -> Iterator[str]:
    businesses = sorted({value.business for value in values})
    known = by_metric(values)
    tests = _unit_tests()
    yield f"| metric | formula | unit | better | mart | unit test | {''.join(f'{name} | ' for name in businesses)}"
    yield "|---" * (6 + len(businesses)) + "|"
    for name, metric in definitions(marts).items():
        places = [mart.name for mart in marts if any(other.name == name for other in mart.metrics)]
        tested = next((tests[place, name] for place in places if (place, name) in tests), "")
        cells = [_cell(known.get(name, {}).get(business), metric) for business in businesses]
        if not any(cells):
            cells = [f"*waits for {metric.waits_for or 'its feed'}*", *cells[1:]]
        row = (
            f"`{name}`", f"{metric.formula} ({metric.source})", metric.unit, metric.better,
            ", ".join(f"`{place}`" for place in places), f"`{tested}`" if tested else "", *cells,
        )  # fmt: skip
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""


def _cell(value: NewestValue | None, metric: Metric) -> str:
    if value is None:
        return ""
    if not value.value:
        return f"by {value.dimension}"
    number = float(value.value)
    shown = f"{number:.2%}" if metric.unit == "share" else f"{number:,.10g}"
    return f"{shown} ({value.day})"


def _unit_tests() -> dict[tuple[str, str], str]:
    """Mart and column → the first unit test that expects a value of it."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(MARTS.parent.rglob("*.yml")):
        for test in yaml.safe_load(path.read_text(encoding="utf-8")).get("unit_tests", []):
            for column in _expected_columns(test["expect"]):
                found.setdefault((test["model"], column), test["name"])
    return found


def _expected_columns(expected: Mapping[str, Any]) -> Iterator[str]:
    rows = expected["rows"]
    if isinstance(rows, str):
        # The header of CSV, or the aliases of SQL.
        yield from _WORD.findall(rows if expected["format"] == "sql" else rows.strip().splitlines()[0])
    else:
        for row in rows:
            yield from row


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
