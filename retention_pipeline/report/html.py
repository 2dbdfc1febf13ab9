"""The page of a run as one file: no script, no address outside it, readable on light and dark screens and on paper."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from pathlib import Path
from urllib.parse import quote

from retention_pipeline.report.plots import INK
from retention_pipeline.report.rows import (
    IDENTITY_HEADER,
    MODEL_HEADER,
    feed_rows,
    figure_header,
    figure_rows,
    identity_rows,
    model_lines,
    model_rows,
    quarantine_line,
    verdict,
)
from retention_pipeline.report.summary import CheckSummary, Figure, RunSummary
from retention_pipeline.report.wording import (
    change_text,
    count,
    figure_text,
    label_text,
    month_before,
    month_name,
    step_text,
    words,
)

_PICTURES = {
    "active_customers": "Active customers at the end of each full month",
    "churn_rate": "Churn rate by month, with its 95 % interval",
    "cohorts": "% of the customers who came in a month (beside it: how many) who are active so many months later",
    "calibration": "What the model predicted, and what happened on the test dates",
    "list_sizes": "Customers by play and arm",
}
_TILES = ("customers_closing", "customer_churn_rate", "customers_new", "customers_lost", "revenue", "average_basket")
# The page must stay readable where it is opened from a mail or a share: it may load nothing, and run nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
# What an SVG file needs and an SVG inside a page does not.
_SVG_PROLOGUE = re.compile(r"^.*?(?=<svg\b)| xmlns(?::\w+)?=\"[^\"]*\"", re.DOTALL)


def render_html(summary: RunSummary, plots: Mapping[str, bytes], folder: Path) -> str:
    """The page of a run.

    Args:
        summary: What it shows.
        folder: Where the page will lie; what it points at is named as seen from there.
        plots: Pictures by name, SVG or PNG: `active_customers`, `churn_rate`, `cohorts`, `calibration`, `list_sizes`;
            an absent one is left out.
    """
    style = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    title = f"{summary.title}, {summary.as_of}"
    body = "\n".join(
        part
        for part in (
            _header(summary),
            _problems(summary),
            _tiles(summary),
            _month(summary, plots),
            _section("Cohorts", _picture("cohorts", plots, css="wide")),
            _model(summary, plots),
            _lists(summary, plots),
            _feeds(summary),
            _identities(summary),
            _checks(summary.checks),
            _seconds(summary),
            _look_next(summary, folder),
        )
        if part
    )
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def write_html(summary: RunSummary, plots: Mapping[str, bytes], folder: Path) -> Path:
    """Write the page to `folder/<day>.html`, whole or not at all, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{summary.as_of.isoformat()}.html"
    aside = folder / f".{page.name}"
    with aside.open("w", encoding="utf-8") as handle:
        handle.write(render_html(summary, plots, folder))
        handle.flush()
        os.fsync(handle.fileno())
    aside.replace(page)
    return page


def _section(title: str, *parts: str) -> str:
    inside = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(title)}</h2>\n{inside}\n</section>" if inside else ""


def _header(summary: RunSummary) -> str:
    kind, text = verdict(summary)
    day = f"{summary.as_of.day} {month_name(summary.as_of)}"
    return (
        f'<header>\n<h1>{escape(summary.title)}</h1>\n<div class="soft">State at the end of {day}</div>\n'
        f'<p class="verdict {kind}">{escape(text)}</p>\n</header>'
    )


def _problems(summary: RunSummary) -> str:
    lines = [("bad", line) for line in summary.failures]
    lines += [("warn", line) for line in (*summary.held_back, *summary.notes)]
    items = "\n".join(f'<li class="{kind}">{escape(line)}</li>' for kind, line in lines)
    failed = _table(
        ("table", "failed check", "", "what it looks at"),
        [
            (check.asset, words(check.name), "blocking" if check.blocking else "warning", check.description)
            for check in summary.checks_failed
        ],
    )
    return _section("What needs a look", f"<ul>\n{items}\n</ul>" if items else "", failed)


def _tiles(summary: RunSummary) -> str:
    by_name = {figure.name: figure for figure in summary.figures}
    shown = [by_name[name] for name in _TILES if name in by_name][:5]
    if not shown or summary.month is None:
        return ""
    tiles = "\n".join(
        f'<div class="tile"><span>{escape(label_text(figure, summary.currency))}</span>'
        f"<b>{figure_text(figure, figure.value)}</b><span>{_against(figure, month_before(summary.month))}</span></div>"
        for figure in shown
    )
    return f'<div class="tiles">\n{tiles}\n</div>'


def _against(figure: Figure, month: str) -> str:
    change = change_text(figure)
    return f"{change} on {month}" if change else f"{figure_text(figure, figure.previous)} in {month}"


def _month(summary: RunSummary, plots: Mapping[str, bytes]) -> str:
    pictures = _pair(_picture("active_customers", plots), _picture("churn_rate", plots))
    table = _table(figure_header(summary), figure_rows(summary.figures, summary.currency), numbers=range(1, 5))
    return _section(month_name(summary.month) if summary.month else "Months", table, pictures)


def _model(summary: RunSummary, plots: Mapping[str, bytes]) -> str:
    model = summary.model
    if model is None:
        return ""
    lines = "".join(f'<p class="soft">{escape(line)}</p>' for line in model_lines(model))
    table = _table(MODEL_HEADER, model_rows(model), numbers=range(1, 5))
    pair = _pair(_picture("calibration", plots, css="small"), _importance(model.importance))
    return _section("Churn model", table, lines, pair)


def _importance(importance: Sequence[tuple[str, float]]) -> str:
    if not importance:
        return ""
    caption = "What the model relies on, most important first"
    bars = _bars([(words(name), value) for name, value in importance])
    return f"<figure><figcaption>{caption}</figcaption>{bars}</figure>"


def _lists(summary: RunSummary, plots: Mapping[str, bytes]) -> str:
    if not summary.plays:
        return ""
    rows = [
        (
            play.title,
            count(play.eligible),
            count(play.treatment),
            count(play.control),
            count(play.left_out),
            count(play.cost),
            count(play.expected_profit),
            ", ".join(f"{reason} {count(customers)}" for reason, customers in play.reasons),
        )
        for play in summary.plays
    ]
    header = ("", "qualify", "treated", "control", "left out", f"cost, {summary.currency}",
              f"profit, {summary.currency}", "left out because")  # fmt: skip
    notes = "".join(f"<li>{escape(play.title)}: {escape(play.note)}</li>" for play in summary.plays if play.note)
    return _section(
        "Campaign lists",
        '<p class="soft">Cost and profit are expected. The control group is not contacted: it is there to compare with.'
        "</p>",
        _table(header, rows, numbers=range(1, 7)),
        f"<ul>{notes}</ul>" if notes else "",
        _picture("list_sizes", plots, css="wide"),
    )


def _feeds(summary: RunSummary) -> str:
    rows = [
        (*row[:-1], "; ".join(part for part in (row[-1], feed.message if feed.files_rejected else "") if part))
        for row, feed in zip(feed_rows(summary), summary.feeds, strict=True)
    ]
    where = quarantine_line(summary)
    header = ("", "files", "rows read", "loaded", "quarantined", "last day", "")
    return _section(
        "Feeds",
        _table(header, rows, numbers=range(1, 6)),
        f'<p class="soft">{escape(where)}</p>' if where else "",
    )


def _identities(summary: RunSummary) -> str:
    if not summary.sources:
        return ""
    return _section(
        "One customer across systems",
        '<p class="soft">Ids by system: joined by a key or by an e-mail address, kept apart because they would join'
        " several customers or because several have the address, and known to no other system.</p>",
        _table(IDENTITY_HEADER, identity_rows(summary), numbers=range(1, len(IDENTITY_HEADER))),
    )


def _checks(checks: Sequence[CheckSummary]) -> str:
    passed = sorted((check for check in checks if check.passed), key=lambda check: (check.asset, check.name))
    if not passed:
        return ""
    rows = []
    for asset, of_asset in groupby(passed, key=lambda check: check.asset):
        names = [check.name for check in of_asset]
        rows.append((asset, count(len(names)), ", ".join(words(name) for name in names)))
    table = _table(("table", "passed", "checks"), rows, numbers=(1,))
    return _section(
        "Checks", f"<details>\n<summary>{count(len(passed))} passed, by table</summary>\n{table}\n</details>"
    )


def _seconds(summary: RunSummary) -> str:
    if not summary.seconds:
        return ""
    total = sum(seconds for _, seconds in summary.seconds)
    bars = _bars([(step_text(step), seconds) for step, seconds in summary.seconds], places=1)
    return _section(f"Seconds by step: {total:.1f} in all", bars)


def _bars(rows: Sequence[tuple[str, float]], places: int | None = None) -> str:
    """Names with a bar each, and with the number where `places` says how to write it."""
    longest = max(max(value for _, value in rows), 1e-9)
    lines = []
    for name, value in rows:
        number = "" if places is None else f'<td class="number">{value:.{places}f}</td>'
        bar = f'<span class="bar" style="width:{max(100 * value / longest, 0):.1f}%"></span>'
        lines.append(f'<tr><td>{escape(name)}</td>{number}<td class="rest">{bar}</td></tr>')
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def _look_next(summary: RunSummary, folder: Path) -> str:
    page = folder / f"{summary.as_of.isoformat()}.html"
    rows = []
    for place in summary.look_next:
        if place.path == page:
            continue
        # As seen from the page, so that the state folder can be moved, and the page says nothing of the machine.
        target = Path(os.path.relpath(place.path, folder)).as_posix()
        shown = escape(target.removeprefix("../"))
        rows.append(
            f'<tr><td>{escape(place.label)}</td><td><a href="{escape(quote(target))}"><code>{shown}</code></a></td>'
            f"<td>{escape(place.what)}</td></tr>"
        )
    return _section("Where to look next", "<table>\n" + "\n".join(rows) + "\n</table>") if rows else ""


def _pair(*parts: str) -> str:
    shown = [part for part in parts if part]
    if len(shown) < 2:
        return "".join(shown)
    return '<div class="pair">\n' + "\n".join(f"<div>{part}</div>" for part in shown) + "\n</div>"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()) -> str:
    right = set(numbers)

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(
            f'<{tag} class="number">{escape(text)}</{tag}>' if place in right else f"<{tag}>{escape(text)}</{tag}>"
            for place, text in enumerate(row)
        )

    lines = [f"<tr>{cells('td', row)}</tr>" for row in rows]
    if not lines:
        return ""
    head = f"<thead><tr>{cells('th', header)}</tr></thead>"
    return f'<div class="scroll"><table>\n{head}\n<tbody>\n' + "\n".join(lines) + "\n</tbody>\n</table></div>"


def _picture(name: str, plots: Mapping[str, bytes], css: str = "") -> str:
    image = plots.get(name)
    if image is None:
        return ""
    caption = _PICTURES[name]
    if image.startswith(b"\x89PNG"):
        encoded = b64encode(image).decode("ascii")
        shown = f'<img alt="{escape(caption)}" src="data:image/png;base64,{encoded}">'
    else:
        drawn = _SVG_PROLOGUE.sub("", image.decode("utf-8")).replace(INK, "currentColor")
        shown = drawn.replace("<svg", f'<svg role="img" aria-label="{escape(caption)}"', 1)
    return f'<figure class="{css}"><figcaption>{escape(caption)}</figcaption>{shown}</figure>'
