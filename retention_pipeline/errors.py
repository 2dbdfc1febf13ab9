"""Errors written for the person who must act: what, where, what was expected, the way out.

Only failures that a person can mend belong here; a defect of the pipeline itself stays an ordinary Python exception
with its traceback.
"""

from __future__ import annotations


class RetentionError(Exception):
    """A failure that a user of the pipeline can mend.

    Args:
        what: What went wrong, in one sentence.
        where: File, line, column or key, as exactly as it is known.
        expected: What would have been right.
        way_out: What to do now.
    """

    def __init__(self, what: str, *, where: str = "", expected: str = "", way_out: str = "") -> None:
        self.what = what
        self.where = where
        self.expected = expected
        self.way_out = way_out
        super().__init__(self.text())

    def text(self) -> str:
        """The message as it is shown: one line for what and where, one for each hint."""
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.expected:
            lines.append(f"  expected: {self.expected}")
        if self.way_out:
            lines.append(f"  way out:  {self.way_out}")
        return "\n".join(lines)
