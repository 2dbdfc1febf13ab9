"""Progress of a run in the terminal: a moving line while a stage runs, one line with its seconds when it has ended.

Where the output is no terminal (a log file, a scheduler) only the lines of finished stages are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType

from rich.console import Console
from rich.status import Status
from rich.text import Text

from retention_pipeline.progress import progress_to, stage


class TerminalProgress:
    """Shows stages and remembers how long each took.

    Attributes:
        seconds: Seconds by stage, in the order in which they ended; a stage that ran twice is summed.
    """

    def __init__(self, console: Console, title: str) -> None:
        self.seconds: dict[str, float] = {}
        self._console = console
        self._title = title
        self._status: Status | None = None
        self._stage = ""
        self._stack = ExitStack()

    def __enter__(self) -> TerminalProgress:
        self._console.print(Text(self._title, style="bold"))
        if self._console.is_terminal:
            self._status = self._stack.enter_context(self._console.status("Starting"))
        self._stack.enter_context(progress_to(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @contextmanager
    def startup(self) -> Iterator[None]:
        """Count the imports and the loading of definitions as a stage of their own."""
        with stage("Start"):
            yield

    def stage_started(self, name: str) -> None:
        """Show the stage as running."""
        self._stage = name
        self._show(name)

    def detail(self, line: str) -> None:
        """Show what the running stage is doing now."""
        self._show(f"{self._stage}: {line}")

    def stage_finished(self, name: str, seconds: float, *, succeeded: bool) -> None:
        """Write the line of a finished stage."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        mark = ("✓", "green") if succeeded else ("✗", "red")
        self._console.print(Text.assemble("  ", mark, f" {name:<34}{seconds:>6.1f} s"), soft_wrap=True)

    def _show(self, text: str) -> None:
        if self._status is not None:
            # As text, not markup: file names and messages may hold square brackets.
            line = Text(text.splitlines()[0] if text else "")
            line.truncate(max(self._console.width - 4, 10), overflow="ellipsis")
            self._status.update(line)
