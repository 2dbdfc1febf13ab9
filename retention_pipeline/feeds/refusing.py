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


def misfit(error: Exception, where: str) -> FileRefusedError:
    """What is said where DuckDB cannot bind an expression of the mapping to the columns of a file."""
    return FileRefusedError(
        f"an expression of the mapping does not fit the file: {str(error).splitlines()[0]}",
        where=where,
        expected="expressions over the columns of the file, of types that fit",
        way_out="mend the expression in retention.yaml",
    )


def unreadable(error: Exception, file_format: str, where: str) -> FileRefusedError:
    """What is said where reading fails; of the error its kind only, since its text may quote a row."""
    return FileRefusedError(
        f"cannot be read as {file_format} ({type(error).__name__})",
        where=where,
        expected=f"a whole {file_format} file",
        way_out="copy the file again, or export it again",
    )


def nearest(name: str, names: Sequence[str]) -> str:
    """The one of `names` that is most like `name`, or an empty text."""
    folded = {candidate.casefold(): candidate for candidate in names}
    near = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.5)
    return folded[near[0]] if near else ""


def listed(names: Sequence[str], limit: int = 12) -> str:
    """Column names for a message, cut where there are many."""
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")
