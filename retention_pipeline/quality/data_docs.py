"""The pages of Great Expectations, one a table, with an index: readable without a network, equal for equal results.

What comes with Great Expectations loads its styles and scripts from elsewhere and keeps a page for every validation.
Here its renderer makes the content of a page, the rest of the page is ours, and the pages of a suite are replaced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

from retention_pipeline.quality.declaring import Suite, TableSuite
from retention_pipeline.quality.results import ExpectationResult, SuiteResult

_SECTIONS = "{% for section in sections %}{% set section_loop = loop %}{% include 'section.j2' %}{% endfor %}"
_ACTIVE = re.compile(
    r"<script\b.*?</script>|<(?:link|img)\b[^>]*>|<iframe\b.*?</iframe>|</?a\b[^>]*>|\son\w+=\"[^\"]*\"", re.DOTALL
)
_LOADED = re.compile(
    r"(?:src|href)\s*=\s*[\"']?\s*(?:https?:)?//|url\(\s*[\"']?\s*(?:https?:)?//|@import", re.IGNORECASE
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_RESULTS = "results.json"


class DataDocs:
    """The pages of one suite, below `<folder>/<suite>/`."""

    def __init__(self, folder: Path, suite: Suite, as_of: date | None) -> None:
        from great_expectations.render.renderer import ValidationResultsPageRenderer
        from great_expectations.render.view import DefaultJinjaPageView

        self._renderer = ValidationResultsPageRenderer(run_info_at_end=True)
        # One view for all pages: each compiles its templates anew.
        self._sections = DefaultJinjaPageView().env.from_string(_SECTIONS)
        self._folder = folder
        self._suite = suite
        self._as_of = as_of
        self._pages: dict[str, str] = {}

    def write_page(self, table: TableSuite, validation: Any, results: tuple[ExpectationResult, ...]) -> None:
        """Render the page of one table; nothing is on disk before `finish`."""
        sections = self._sections.render(self._renderer.render(validation).to_json_dict())
        title = f"{table.table}, {self._as_of or 'newest files'}"
        self._pages[f"{table.table}.html"] = _page(title, _failures(results) + _harmless(sections), depth=1)

    def finish(self, result: SuiteResult, keep: Collection[str] = ()) -> None:
        """Put the pages in place of those of the last run, and the index over all suites.

        Args:
            result: What came of the suite.
            keep: Tables of which an earlier page stays where they were not validated now.
        """
        target = self._folder / self._suite.name
        target.mkdir(parents=True, exist_ok=True)
        earlier = {name: counts for name, counts in _read(target / _RESULTS)["tables"].items() if name in keep}
        tables = {**earlier, **_tables(result, self._as_of)}
        text = json.dumps({"title": self._suite.title, "tables": tables}, indent=1, sort_keys=True)
        _write(target / _RESULTS, text)
        for name, page in self._pages.items():
            _write(target / name, page)
        wanted = {_RESULTS, *(f"{table}.html" for table in tables)}
        for path in target.iterdir():
            if path.name not in wanted:
                path.unlink()
        _write(self._folder / "index.html", _index(self._folder))


def loads_from_network(html: str) -> bool:
    """Whether a browser that shows `html` would fetch something from elsewhere."""
    return _LOADED.search(html) is not None


def _harmless(sections: str) -> str:
    """What Great Expectations rendered, without scripts, pictures, styles and links to pages that are not made."""
    text = _ACTIVE.sub("", sections)
    # The ids of foldable parts are random.
    known: dict[str, str] = {}
    text = _UUID.sub(lambda match: known.setdefault(match.group(0), f"part-{len(known) + 1}"), text)
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def _failures(results: tuple[ExpectationResult, ...]) -> str:
    """The failed expectations with the keys of their rows."""
    failed = [result for result in results if not result.passed]
    if not failed:
        return ""
    rows = []
    for result in failed:
        keys = "; ".join(
            ", ".join(f"{name} {value}" for name, value in zip(result.failing.columns, row, strict=True))
            for row in result.failing.rows
        )
        said = result.exception or f"{result.unexpected_count:,} rows"
        cells = (result.kind, result.column, result.severity, said, result.observed, keys)
        rows.append("".join(f"<td>{escape(str(cell))}</td>" for cell in cells))
    head = "".join(f"<th>{name}</th>" for name in ("check", "column", "severity", "broken by", "found", "first keys"))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<h2>Failed</h2><table class="table"><tr>{head}</tr>{body}</table>'


def _tables(result: SuiteResult, as_of: date | None) -> dict[str, dict[str, Any]]:
    tables: dict[str, dict[str, Any]] = {}
    for found in result.results:
        counts = tables.setdefault(found.table, {"as_of": str(as_of or ""), "expectations": 0, "failed": 0})
        counts["expectations"] += 1
        counts["failed"] += not found.passed
    return tables


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {"tables": {}}
    known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return known


def _index(folder: Path) -> str:
    parts = []
    for path in sorted(folder.glob(f"*/{_RESULTS}")):
        suite = _read(path)
        rows = "".join(
            f'<tr><td><a href="{escape(path.parent.name)}/{escape(table)}.html">{escape(table)}</a></td>'
            f"<td>{escape(counts['as_of'])}</td><td>{counts['expectations']}</td><td>{counts['failed'] or ''}</td></tr>"
            for table, counts in suite["tables"].items()
        )
        parts.append(
            f'<h2>{escape(suite["title"])}</h2><table class="table"><tr><th>table</th><th>validated for</th>'
            f"<th>expectations</th><th>failed</th></tr>{rows}</table>"
        )
    return _page("Data docs", "".join(parts), depth=0)


def _page(title: str, content: str, *, depth: int) -> str:
    style = Path(__file__).with_name("data_docs.css").read_text(encoding="utf-8")
    back = f'<nav><a href="{"../" * depth}index.html">All suites</a></nav>' if depth else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>\n{style}</style>\n</head>\n'
        f"<body>\n{back}\n<main>\n<h1>{escape(title)}</h1>\n{content}\n</main>\n</body>\n</html>\n"
    )


def _write(path: Path, text: str) -> None:
    """Write as a whole: whoever reads meanwhile sees the old page or the new one."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
