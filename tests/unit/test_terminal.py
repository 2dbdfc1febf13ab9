"""Progress where the output is a file, and where it is a terminal."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from retention_pipeline.progress import report_progress, stage
from retention_pipeline.terminal import TerminalProgress


def console(*, terminal: bool = False, width: int = 80) -> tuple[Console, StringIO]:
    written = StringIO()
    return Console(file=written, width=width, highlight=False, force_terminal=terminal), written


def test_a_file_gets_one_line_for_each_finished_stage() -> None:
    to, written = console()
    with TerminalProgress(to, "Shop [north]") as progress:
        with progress.startup():
            pass
        with stage("Load feeds"):
            report_progress("orders.csv [1/2]")
            report_progress("")
    assert re.fullmatch(
        r"Shop \[north\]\n  ✓ Start {29} +\d+\.\d s\n  ✓ Load feeds {24} +\d+\.\d s\n", written.getvalue()
    )
    assert list(progress.seconds) == ["Start", "Load feeds"]
    assert "\x1b" not in written.getvalue()


def test_a_stage_that_fails_is_marked_and_the_error_goes_on() -> None:
    to, written = console()
    with pytest.raises(ValueError, match="no model"), TerminalProgress(to, "Shop"), stage("Train"):
        raise ValueError("no model")
    assert "  ✗ Train" in written.getvalue()


def test_a_stage_that_runs_twice_is_summed() -> None:
    to, _ = console()
    with TerminalProgress(to, "Shop") as progress:
        progress.stage_finished("Load", 1.5, succeeded=True)
        progress.stage_finished("Load", 2.0, succeeded=True)
    assert progress.seconds == {"Load": 3.5}


def test_nothing_listens_after_the_block() -> None:
    to, written = console()
    with TerminalProgress(to, "Shop"):
        pass
    before = written.getvalue()
    with stage("Later"):
        report_progress("unheard")
    assert written.getvalue() == before


@pytest.mark.parametrize("line", ["[/bold]", "[red]x[/green]", "two\nlines", "", "\n", "x" * 500])
def test_a_terminal_shows_any_line(line: str) -> None:
    to, written = console(terminal=True, width=40)
    with TerminalProgress(to, line or "Shop"), stage("Load"):
        report_progress(line)
    assert "Load" in written.getvalue()


def test_a_narrow_file_keeps_a_stage_on_one_line() -> None:
    to, written = console(width=20)
    with TerminalProgress(to, "Shop"), stage("Load feeds"):
        pass
    assert len(written.getvalue().splitlines()) == 2
