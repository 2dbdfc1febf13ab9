"""The page that a run ends with, in the terminal: what came in, what changed, what to do next."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from retention_pipeline.report.rows import (
    IDENTITY_HEADER,
    MODEL_HEADER,
    counted,
    feed_rows,
    figure_header,
    figure_rows,
    identity_rows,
    model_lines,
    model_rows,
    quarantine_line,
    verdict,
)
from retention_pipeline.report.summary import CheckSummary, ModelSummary, RunSummary
from retention_pipeline.report.wording import count, month_name, step_text

_STYLES = {"good": "green", "warn": "yellow", "bad": "bold red"}
_MOST_REASONS = 3
_LEAST_REASON = 16
_NARROW = 100
_MOST_FAILED_CHECKS = 8


def render_terminal(summary: RunSummary, console: Console) -> None:
    """Print the page; it says the same without colour, and in a file."""
    narrow = console.width < _NARROW
    console.print()
    console.print(Rule(Text(f"{summary.title}, {summary.as_of}", style="bold"), align="left", style="dim"))
    kind, text = verdict(summary)
    console.print(Text(text, style=_STYLES[kind]))
    _problems(summary, console)
    month = month_name(summary.month) if summary.month else ""
    for title, part in (
        ("Feeds", _feeds(summary)),
        ("One customer across systems", _identities(summary)),
        (month, _figures(summary)),
        ("Churn model", _model(summary.model, narrow=narrow)),
        (f"Lists, expected cost and profit in {summary.currency}", _plays(summary, console.width)),
    ):
        if part is not None:
            console.print()
            console.print(Text(title, style="bold"))
            console.print(_indented(part))
    _closing(summary, console)


def _indented(part: RenderableType, columns: int = 2) -> Padding:
    return Padding(part, (0, 0, 0, columns), expand=False)


def _problems(summary: RunSummary, console: Console) -> None:
    for mark, style, lines in (
        ("✗", "red", summary.failures),
        ("!", "yellow", (*summary.held_back, *summary.notes)),
    ):
        for line in lines:
            console.print(_indented(_marked(mark, Text(line, style=style), style)))
    failed = summary.checks_failed
    for check in failed[:_MOST_FAILED_CHECKS]:
        style = "red" if check.blocking else "yellow"
        console.print(_indented(_marked("✗" if check.blocking else "!", _failed_check(check, style), style)))
    if len(failed) > _MOST_FAILED_CHECKS:
        console.print(_indented(Text(f"… and {len(failed) - _MOST_FAILED_CHECKS} more failed checks"), 4))


def _marked(mark: str, text: Text, style: str) -> Table:
    """A mark with text beside it, so that further lines begin under the first one."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_row(Text(mark, style=style), text)
    return table


def _failed_check(check: CheckSummary, style: str) -> Text:
    kind = "blocking check" if check.blocking else "check"
    text = Text(f"{kind} {check.name} of {check.asset} failed", style=style)
    return text.append(f": {check.description}", style="default") if check.description else text


def _grid(header: Sequence[str], numbers: Sequence[int], rows: Sequence[Sequence[str | Text]]) -> Table:
    """A table without lines; the columns at `numbers` are set right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for place, title in enumerate(header):
        is_number = place in numbers
        # What comes first names the row: like a number, it is never broken.
        table.add_column(Text(title), justify="right" if is_number else "left", no_wrap=is_number or place == 0)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return table


def _second_bold(row: Sequence[str]) -> list[str | Text]:
    return [row[0], Text(row[1], style="bold"), *row[2:]]


def _feeds(summary: RunSummary) -> RenderableType | None:
    if not summary.feeds:
        return None
    rows: list[Sequence[str | Text]] = []
    below: list[RenderableType] = []
    for feed, (*cells, remarks) in zip(summary.feeds, feed_rows(summary), strict=True):
        quarantined = Text(cells[4], style="yellow" if feed.rows_quarantined else "")
        rows.append((*cells[:4], quarantined, cells[5]))
        if remarks:
            below.append(_marked("!", Text(f"{feed.feed}: {remarks}", style="yellow"), "yellow"))
    if where := quarantine_line(summary):
        below.append(Text(where, style="dim"))
    header = ("", "files", "rows read", "loaded", "quarantined", "last day")
    return Group(_grid(header, range(1, 6), rows), *below)


def _identities(summary: RunSummary) -> Table | None:
    if not summary.sources:
        return None
    return _grid(IDENTITY_HEADER, range(1, len(IDENTITY_HEADER)), identity_rows(summary))


def _figures(summary: RunSummary) -> Table | None:
    if not summary.figures:
        return None
    rows = [_second_bold(row) for row in figure_rows(summary.figures, summary.currency)]
    return _grid(figure_header(summary), range(1, 5), rows)


def _model(model: ModelSummary | None, *, narrow: bool) -> Group | None:
    if model is None:
        return None
    columns = len(MODEL_HEADER) - 1 if narrow else len(MODEL_HEADER)
    rows = [_second_bold(row[:columns]) for row in model_rows(model)]
    lines = [Text(line) for line in model_lines(model)]
    table = [_grid(MODEL_HEADER[:columns], range(1, 5), rows)] if rows else []
    return Group(*table, *lines)


def _plays(summary: RunSummary, width: int) -> RenderableType | None:
    if not summary.plays:
        return None
    most = 1 if width < _NARROW else _MOST_REASONS
    rows = [
        (
            play.play,
            count(play.eligible),
            count(play.treatment),
            count(play.control),
            count(play.left_out),
            count(play.cost),
            count(play.expected_profit),
            ", ".join(counted(play.reasons, most)),
        )
        for play in summary.plays
    ]
    header = ("", "qualify", "treated", "control", "left out", "cost", "profit", "left out because")
    taken = sum(2 + max(map(len, column)) for column in zip(header[:-1], *(row[:-1] for row in rows), strict=True))
    shown = len(header) if width - taken >= _LEAST_REASON else len(header) - 1
    table = _grid(header[:shown], range(1, 7), [row[:shown] for row in rows])
    notes = [_marked("!", Text(f"{play.play}: {play.note}"), "") for play in summary.plays if play.note]
    return Group(table, *notes) if notes else table


def _closing(summary: RunSummary, console: Console) -> None:
    if summary.seconds:
        total = sum(seconds for _, seconds in summary.seconds)
        parts = ", ".join(f"{step_text(name)} {seconds:.1f}" for name, seconds in summary.seconds)
        console.print()
        console.print(Text.assemble((f"Took {total:.1f} s", "bold"), f": {parts}"))
    if summary.look_next:
        width = max(len(place.label) for place in summary.look_next)
        console.print()
        console.print(Text("Where to look next", style="bold"))
        for place in summary.look_next:
            # Not wrapped: a path is to be copied whole.
            console.print(Text(f"  {place.label:<{width}}  {place.path}"), soft_wrap=True)
