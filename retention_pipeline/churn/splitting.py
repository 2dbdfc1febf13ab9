"""Splits the observation dates by time: what is learned from, and what is tested on.

A model that is asked about a date has learned only from dates whose outcome was known before that date, that is
t + horizon < date. So nothing is learned from the days on which it is tested.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from retention_pipeline.churn.rows import LabelledRows
from retention_pipeline.errors import RetentionError

MIN_TRAINING_ROWS = 200
"""Fewer customer-dates than this teach a model nothing that lasts."""
MIN_OF_EACH = 20
"""Customer-dates that left, and that stayed, needed wherever a model is fitted or judged."""
MIN_TRAINING_DATES = 2
"""One date alone cannot tell a customer's habit from the state of the business on that day."""


class NotEnoughHistory(RetentionError):  # noqa: N818 - a state of the business, that the run goes on with
    """The data is too short, or too few customers left, for a model that can be tested."""


@dataclass(frozen=True)
class Split:
    """The dates by number in `LabelledRows.dates`: from the first to one they are learned from, the newest are tested.

    Args:
        last_training: The last date that is learned from; what lies between it and the test is not used for it.
        first_test: The first test date.
        last_test: The last test date, the newest of all.
        wanted_test_dates: How many test dates the configuration asks for; the test may have fewer.
    """

    last_training: int
    first_test: int
    last_test: int
    wanted_test_dates: int

    @property
    def test_dates(self) -> int:
        """How many dates the test has."""
        return self.last_test - self.first_test + 1


def split_by_time(rows: LabelledRows, day: date, test_dates: int, horizon_days: int) -> Split:
    """Keep the newest dates for the test and the dates well before them for training.

    With a history too short for `test_dates` the test has fewer dates, down to one.

    Args:
        rows: The labelled rows.
        day: The day for which a model is wanted, for messages.
        test_dates: Test dates wanted.
        horizon_days: Days after a date within which a customer counts as lost.

    Raises:
        NotEnoughHistory: Not even one test date leaves enough to learn from.
    """
    newest = len(rows.dates) - 1
    for count in range(min(test_dates, newest), 0, -1):
        first = newest - count + 1
        learned = _last_known_before(rows, first, horizon_days)
        if _can_learn(rows, learned) and _has_both(rows, first, newest):
            return Split(learned, first, newest, test_dates)
    raise _too_short(rows, day, horizon_days)


def _last_known_before(rows: LabelledRows, number: int, horizon_days: int) -> int:
    """The last date whose horizon ended before the date `number`; -1 where there is none."""
    limit = rows.dates[number] - timedelta(days=horizon_days)
    return sum(known < limit for known in rows.dates) - 1


def _can_learn(rows: LabelledRows, last: int) -> bool:
    if last + 1 < MIN_TRAINING_DATES or rows.starts[last + 1] < MIN_TRAINING_ROWS:
        return False
    return _has_both(rows, 0, last)


def _has_both(rows: LabelledRows, first: int, last: int) -> bool:
    labels = rows.churned[rows.between(first, last)]
    left = int(np.count_nonzero(labels))
    return min(left, len(labels) - left) >= MIN_OF_EACH


def _too_short(rows: LabelledRows, day: date, horizon_days: int) -> NotEnoughHistory:
    left = int(np.count_nonzero(rows.churned))
    seen = (
        f"{len(rows.dates)} observation dates with a known outcome, {len(rows.churned):,} rows, {left:,} of them lost"
    )
    return NotEnoughHistory(
        f"the history is too short for a churn model: {seen}",
        where=f"churn model of {day.isoformat()}",
        expected=(
            f"dates to learn from that lie more than {horizon_days} days before a date to test on: at least "
            f"{MIN_TRAINING_DATES} of them with {MIN_TRAINING_ROWS} rows, and {MIN_OF_EACH} customers lost and kept "
            "on either side"
        ),
        way_out=(
            "run a later day, deliver older exports, or lower churn.horizon_days or churn.history_days in "
            "retention.yaml; until then nobody is scored"
        ),
    )
