"""Progress of long work: packages report stages and lines, whoever runs them decides where they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import Protocol


class ProgressListener(Protocol):
    """Shows the progress of a run."""

    def stage_started(self, name: str) -> None:
        """Note that a stage has begun."""

    def detail(self, line: str) -> None:
        """Show what the running stage is doing now."""

    def stage_finished(self, name: str, seconds: float, *, succeeded: bool) -> None:
        """Note that a stage has ended."""


_listener: ContextVar[ProgressListener | None] = ContextVar("progress_listener", default=None)


def current_listener() -> ProgressListener | None:
    """The listener of this context, for work that reports from threads of its own."""
    return _listener.get()


def report_progress(line: str) -> None:
    """Tell whoever listens what is being done now; nothing happens when nobody does."""
    listener = _listener.get()
    if listener is not None:
        listener.detail(line)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Report the block as a stage, with the seconds that it took."""
    listener = _listener.get()
    if listener is None:
        yield
        return
    started = perf_counter()
    succeeded = False
    listener.stage_started(name)
    try:
        yield
        succeeded = True
    finally:
        listener.stage_finished(name, perf_counter() - started, succeeded=succeeded)


@contextmanager
def progress_to(listener: ProgressListener) -> Iterator[None]:
    """Send everything that is reported within the block to `listener`."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
