"""What a run did, as plain values: whoever ran it fills them, the page of the run reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from retention_pipeline.report.summary import CheckSummary


@dataclass(frozen=True)
class RunOutcome:
    """What a run did.

    Attributes:
        as_of: The day that was computed.
        succeeded: Whether every step ran to its end and every blocking check passed.
        checks: All checks that were evaluated.
        failures: For each step that failed, what a person needs to know.
        skipped: Steps that did not run because of what failed before them.
        metadata: Asset → what it said about itself, for each asset that was materialized.
    """

    as_of: date
    succeeded: bool
    checks: tuple[CheckSummary, ...] = ()
    failures: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    metadata: dict[str, dict[str, object]] = field(default_factory=dict)
