"""Days counted from the first day, months, and the moment of a day at which a customer acts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from retention_pipeline.simulator.state import NO_DAY, Array

_SECONDS = 86_400
_OPENING = 7 * 3600
_OPEN_FOR = 14 * 3600 - 60
"""All times lie between 07:00 and 21:00 UTC: the same business day in Western Europe, in summer and winter."""


@dataclass(frozen=True)
class Calendar:
    """Turns day numbers into dates and moments."""

    first_day: date

    @property
    def _epoch(self) -> int:
        return (self.first_day - date(1970, 1, 1)).days

    def date_of(self, day: int) -> date:
        """The date of a day number."""
        return self.first_day + timedelta(days=int(day))

    def add_months(self, days: Array, months: Array | int) -> Array:
        """The same day of the month so many months later; days after the 28th become the 28th."""
        dates = (np.asarray(days, dtype=np.int64) + self._epoch).astype("datetime64[D]")
        month = dates.astype("datetime64[M]")
        of_month = np.minimum((dates - month.astype("datetime64[D]")).astype(np.int64), 27)
        target = (month + np.asarray(months).astype("timedelta64[M]")).astype("datetime64[D]").astype(np.int64)
        return (target + of_month - self._epoch).astype(np.int32)

    def month_end(self, days: Array) -> Array:
        """The last day of the month."""
        dates = (np.asarray(days, dtype=np.int64) + self._epoch).astype("datetime64[D]")
        after = (dates.astype("datetime64[M]") + 1).astype("datetime64[D]").astype(np.int64)
        return (after - 1 - self._epoch).astype(np.int32)

    def moment(self, customers: Array, days: Array | int, salt: int = 0) -> Array:
        """Seconds since 1970 at which a customer acts on a day; `NO_DAY` stays -1.

        Args:
            customers: Their numbers.
            days: Day numbers.
            salt: Tells several actions of one day apart.
        """
        customers = np.asarray(customers, dtype=np.int64)
        days = np.asarray(days, dtype=np.int64)
        second = _OPENING + (customers * 7919 + days * 104_729 + salt * 15_013) % _OPEN_FOR
        return np.where(days == NO_DAY, -1, (days + self._epoch) * _SECONDS + second)

    def epoch_day(self, days: Array | int) -> Array:
        """Days since 1970; `NO_DAY` stays -1."""
        days = np.asarray(days, dtype=np.int64)
        return np.where(days == NO_DAY, -1, days + self._epoch)

    def is_delivery(self, day: int, cadence: str) -> bool:
        """Whether a file of this cadence is delivered at the end of the day."""
        when = self.date_of(day)
        if cadence == "month":
            return (when + timedelta(days=1)).day == 1
        return cadence == "day" or when.weekday() == 6

    def yearly_wave(self, day: int, peak_month: int) -> float:
        """A wave from -1 to 1 with its peak in the middle of a month."""
        day_of_year = self.date_of(day).timetuple().tm_yday
        return float(np.cos(2 * np.pi * (day_of_year - (peak_month * 30.4 - 15)) / 365.25))
