"""Which feeds are late for a day: declared to come regularly, and overdue.

A feed that delivers a file without a row is silent, which is news about customers. A feed that delivers nothing says
nothing about them, and to take it for silence would let everybody appear to leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from duckdb import DuckDBPyConnection

from retention_pipeline.errors import RetentionError
from retention_pipeline.feeds.ledger import LOADED, SAME_CONTENT
from retention_pipeline.quoting import identifier
from retention_pipeline.workspace.schema import DeliveryRhythm, Retention


@dataclass(frozen=True)
class Arrival:
    """How far a feed with a rhythm has arrived by a day.

    Attributes:
        feed: The feed.
        day: The day that is computed.
        last_day: The newest day of which something arrived; None where nothing ever did.
        expected_by: The last day by which the next delivery is in time, tolerance included.
        rhythm: What was declared.
    """

    feed: str
    day: date
    last_day: date | None
    expected_by: date
    rhythm: DeliveryRhythm

    @property
    def is_late(self) -> bool:
        """Whether the day has ended without what was expected by it."""
        return self.expected_by <= self.day

    def message(self) -> str:
        """What is late, what that holds back, and the way out."""
        tolerance = self.rhythm.tolerance_days
        arrived = f"the last that arrived is of {self.last_day}" if self.last_day else "nothing of it has arrived"
        return RetentionError(
            f"is late: {arrived}; what reads it is held back for {self.day}, and what was published stays",
            where=self.feed,
            expected=f"a delivery by {self.expected_by} (every {_days(self.rhythm.every_days)}"
            + (f", {_days(tolerance)} of tolerance)" if tolerance else ")"),
            way_out=f"deliver its files, also when they hold no row, and run {self.day} again; or mend"
            f" `delivery.{self.feed}` in retention.yaml",
        ).text()


def arrivals(con: DuckDBPyConnection, config: Retention, day: date) -> dict[str, Arrival]:
    """How far each feed with a declared rhythm has arrived by the end of `day`."""
    return {
        feed: _arrival(feed, day, _newest_day(con, feed, day), config.first_day, rhythm)
        for feed, rhythm in config.delivery.items()
    }


def late_feeds(con: DuckDBPyConnection, config: Retention, day: date) -> dict[str, str]:
    """Feeds that are late for `day`, with the message that says so."""
    return {feed: found.message() for feed, found in arrivals(con, config, day).items() if found.is_late}


def _arrival(feed: str, day: date, last_day: date | None, first_day: date, rhythm: DeliveryRhythm) -> Arrival:
    start = last_day or first_day - timedelta(days=1)
    expected_by = start + timedelta(days=rhythm.every_days + rhythm.tolerance_days)
    return Arrival(feed, day, last_day, expected_by, rhythm)


def _newest_day(con: DuckDBPyConnection, feed: str, day: date) -> date | None:
    """The newest day up to `day` from which a file or a row of the feed is known; files without a row count too."""
    found = con.execute(
        "SELECT max(arrived_on) FROM ("
        " SELECT max(delivered_on) AS arrived_on FROM raw.ledger"
        " WHERE feed = $feed AND list_contains($taken, status) AND delivered_on <= $day"
        f" UNION ALL SELECT max(_known_on) FROM raw.{identifier(feed)} WHERE _known_on <= $day)",
        {"feed": feed, "taken": [LOADED, SAME_CONTENT], "day": day},
    ).fetchall()
    newest: date | None = found[0][0]
    return newest


def _days(number: int) -> str:
    return "day" if number == 1 else f"{number} days"
