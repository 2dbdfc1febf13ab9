"""What is said of a file that cannot be taken. No message here ever holds the content of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from retention_pipeline.errors import RetentionError


class FileRefusedError(RetentionError):
    """A file that cannot be read at all: nothing of it is loaded.

    Args:
        what, where, expected, way_out: As in `RetentionError`.
        found: What was found instead.
    """

    def __init__(self, what: str, *, where: str, expected: str, found: str = "", way_out: str = "") -> None:
        self.found = found
        both = f"{expected}\n  found:    {found}" if found else expected
        super().__init__(what, where=where, expected=both, way_out=way_out)


def nearest(name: str, names: Sequence[str]) -> str:
    """The one of `names` that is most like `name`, or an empty text."""
    folded = {candidate.casefold(): candidate for candidate in names}
    near = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.5)
    return folded[near[0]] if near else ""


def listed(names: Sequence[str], limit: int = 12) -> str:
    """Column names for a message, cut where there are many."""
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")
