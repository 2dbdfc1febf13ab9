"""What came of a validation, as plain values: counts and keys, never a value of a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from retention_pipeline.quality.declaring import Kind, Severity

MAX_KEYS = 20
"""So many failing rows are named at most."""


@dataclass(frozen=True)
class FailingKeys:
    """Which rows failed: the first ones in the order of their keys.

    Attributes:
        columns: Names of the key columns.
        rows: Their values as text.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class ExpectationResult:
    """What came of one expectation.

    Attributes:
        table: `schema.table`.
        kind: The check to which it belongs.
        expectation: Its name in Great Expectations.
        column: The column that it is about; empty where it is about the table.
        severity: What a failure means.
        passed: Whether it holds; False also where it could not be evaluated.
        unexpected_count: Rows that break it.
        observed: What was found, in a few words; no value of a row.
        failing: The keys of failing rows.
        exception: Why it could not be evaluated; empty where it was.
    """

    table: str
    kind: Kind
    expectation: str
    column: str
    severity: Severity
    passed: bool
    unexpected_count: int = 0
    observed: str = ""
    failing: FailingKeys = field(default_factory=FailingKeys)
    exception: str = ""


@dataclass(frozen=True)
class CheckResult:
    """What came of all expectations of one kind on one table."""

    table: str
    kind: Kind
    results: tuple[ExpectationResult, ...]

    @property
    def passed(self) -> bool:
        """Whether all hold."""
        return all(result.passed for result in self.results)

    @property
    def failed(self) -> tuple[ExpectationResult, ...]:
        """Those that do not."""
        return tuple(result for result in self.results if not result.passed)

    @property
    def severity(self) -> Severity:
        """The worst of what failed; of what is expected where nothing did."""
        severities = {result.severity for result in self.failed or self.results}
        return Severity.ERROR if Severity.ERROR in severities else Severity.WARN


@dataclass(frozen=True)
class SuiteResult:
    """What came of a suite.

    Attributes:
        suite: Its name.
        results: In the order of the declarations.
        notes: Table → what a person should know about the validation.
    """

    suite: str
    results: tuple[ExpectationResult, ...]
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether every expectation holds, the ones that only warn too."""
        return all(result.passed for result in self.results)

    @property
    def blocking(self) -> tuple[ExpectationResult, ...]:
        """What must stop the steps after this one."""
        return tuple(r for r in self.results if not r.passed and r.severity is Severity.ERROR)

    def checks(self) -> tuple[CheckResult, ...]:
        """The results by table and kind."""
        return group_checks(self.results)


def group_checks(results: Iterable[ExpectationResult]) -> tuple[CheckResult, ...]:
    """`results` by table and kind, in the order of the first of each."""
    found: dict[tuple[str, Kind], list[ExpectationResult]] = {}
    for result in results:
        found.setdefault((result.table, result.kind), []).append(result)
    return tuple(CheckResult(table, kind, tuple(group)) for (table, kind), group in found.items())
