"""What the page of a run holds: plain values, gathered elsewhere, rendered elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path


class Unit(StrEnum):
    """How a figure is written."""

    COUNT = "count"
    MONEY = "money"
    RATIO = "ratio"
    SHARE = "share"


@dataclass(frozen=True)
class FeedSummary:
    """What was read of a feed.

    Attributes:
        feed: Its name.
        files: Files whose rows are in force.
        rows_read, rows_loaded, rows_quarantined: Rows of these files.
        last_day: The last business day in them; None for a feed of undated rows.
        files_rejected: Files that were refused or blocked and have not been mended.
        days_late: Days without a row that are more than this feed's files usually leave; 0 where it is on time.
        message: Why files were rejected.
        rules: Rule that quarantined rows broke → such rows, most frequent first; a row can break several.
        rows_skipped: Rows that the mapping's `skip` leaves out, such as those of a test mode.
    """

    feed: str
    files: int
    rows_read: int
    rows_loaded: int
    rows_quarantined: int
    last_day: date | None = None
    files_rejected: int = 0
    days_late: int = 0
    message: str = ""
    rules: tuple[tuple[str, int], ...] = ()
    rows_skipped: int = 0


@dataclass(frozen=True)
class SourceSummary:
    """What became of the ids of one system.

    Attributes:
        source: Its name.
        ids, customers: Ids that any feed or link names, and the customers that they are.
        by_key, by_address: Joined to another system by a link, by an e-mail address.
        conflicting: Kept apart because they would join several customers of the primary source, and these.
        ambiguous: Not joined: several customers of one system have the address.
        unmatched: Not joined: no address, or one that no other system has.
    """

    source: str
    ids: int
    customers: int
    by_key: int
    by_address: int
    conflicting: int
    ambiguous: int
    unmatched: int


@dataclass(frozen=True)
class Figure:
    """A figure of the last full month beside the month before."""

    name: str
    label: str
    unit: Unit
    value: float | None
    previous: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ModelSummary:
    """How well the churn model did on the newest observable dates.

    Attributes:
        auc, auc_low, auc_high: Area under the ROC curve with its 95 % interval.
        average_precision: Area under the precision-recall curve.
        brier: Mean squared error of the probability.
        lift: Churn among the tenth with the highest scores, over churn among all.
        base_rate: Share of the test customers who churned.
        base_rate_brier: The Brier score of giving everybody the base rate.
        baseline_auc, baseline_average_precision, baseline_brier: The same for the logistic baseline.
        test_from, test_to, test_rows: First and last test date, and customers on all of them.
        algorithm, model_id: What was trained, and its name in the registry.
        customers_scored: Customers with a score for the day.
        importance: Feature → how much the model relies on it, most important first.
    """

    auc: float | None = None
    auc_low: float | None = None
    auc_high: float | None = None
    average_precision: float | None = None
    brier: float | None = None
    lift: float | None = None
    base_rate: float | None = None
    base_rate_brier: float | None = None
    baseline_auc: float | None = None
    baseline_average_precision: float | None = None
    baseline_brier: float | None = None
    test_from: date | None = None
    test_to: date | None = None
    test_rows: int | None = None
    algorithm: str = ""
    model_id: str = ""
    customers_scored: int | None = None
    importance: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class PlaySummary:
    """A campaign list of the day, and who was left out of it.

    Attributes:
        play, title: Its name in the configuration, and as people call it.
        treatment, control: Customers who are contacted, and who are kept aside to compare with.
        left_out: Customers who qualify and are in neither arm.
        cost, expected_profit: In business currency.
        reasons: Why customers were left out → how many, most frequent first.
        note: What a person should know of the list, such as why it is empty.
    """

    play: str
    title: str
    treatment: int
    control: int
    left_out: int = 0
    cost: float | None = None
    expected_profit: float | None = None
    reasons: tuple[tuple[str, int], ...] = ()
    note: str = ""

    @property
    def eligible(self) -> int:
        """Customers who qualify."""
        return self.treatment + self.control + self.left_out


@dataclass(frozen=True)
class CheckSummary:
    """One check of the run."""

    asset: str
    name: str
    passed: bool
    blocking: bool = False
    description: str = ""


@dataclass(frozen=True)
class Place:
    """Something that a person may open now."""

    label: str
    path: Path
    what: str = ""


@dataclass(frozen=True)
class RunSummary:
    """Everything that the page of a run shows.

    Attributes:
        title: The business, as people call it.
        as_of: The day that was computed.
        currency: ISO 4217 code of all money.
        succeeded: Whether every step ran to its end and no blocking check failed.
        published_day: The day that people see now; None while nothing is published.
        feeds: By name.
        sources: The systems whose ids were joined, by name; empty where one system knows all customers.
        month: First day of the last full month; None while there is none.
        figures: Of that month, in reading order; a figure that the data cannot give is absent.
        model: None where no model was trained; `notes` says why.
        plays: The lists of the day.
        checks: All checks that were evaluated.
        failures: What went wrong, each with its way out.
        held_back: What was not computed, with the reason.
        notes: Whatever else a person should know.
        seconds: Step → seconds, in the order of the run.
        look_next: What to open now.
    """

    title: str
    as_of: date
    currency: str
    succeeded: bool = True
    published_day: date | None = None
    feeds: tuple[FeedSummary, ...] = ()
    sources: tuple[SourceSummary, ...] = ()
    month: date | None = None
    figures: tuple[Figure, ...] = ()
    model: ModelSummary | None = None
    plays: tuple[PlaySummary, ...] = ()
    checks: tuple[CheckSummary, ...] = ()
    failures: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: tuple[tuple[str, float], ...] = ()
    look_next: tuple[Place, ...] = ()

    @property
    def checks_failed(self) -> tuple[CheckSummary, ...]:
        """The checks that did not pass, blocking ones first."""
        failed = (check for check in self.checks if not check.passed)
        return tuple(sorted(failed, key=lambda check: (not check.blocking, check.asset, check.name)))
