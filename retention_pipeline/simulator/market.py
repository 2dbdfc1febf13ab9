"""What holds for all customers on a day: prices, exchange rates, seasons, incidents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.calendar import Calendar
from retention_pipeline.simulator.draws import Draws
from retention_pipeline.simulator.knobs import Knobs
from retention_pipeline.simulator.state import Array

PLAN_PRICES = np.array([19, 49, 149], dtype=np.int64)
"""Monthly price of a seat, in units of the customer's currency."""
YEARLY_MONTHS = 10
"""A year costs as much as so many months."""
UNIT = 10_000
"""Money is counted in ten-thousandths."""
RATE_UNIT = 100_000_000
_FIRST_RATES = (1.0, 0.92, 1.17, 1.04)
_WEEKEND = 5


@dataclass(frozen=True)
class Market:
    """The business's surroundings, known for every day from the knobs and the seed."""

    knobs: Knobs
    calendar: Calendar
    draws: Draws

    def _day_at(self, share: float | None) -> int:
        return -10_000 if share is None else round(share * self.knobs.days)

    @cached_property
    def outage_day(self) -> int:
        """The day without service; far in the past for none."""
        return self._day_at(self.knobs.incidents.outage_at)

    @cached_property
    def price_change_day(self) -> int:
        """From this day on new contracts have the new prices."""
        return self._day_at(self.knobs.incidents.price_change_at)

    @cached_property
    def bad_release_day(self) -> int:
        """The first day of the bad release."""
        return self._day_at(self.knobs.incidents.bad_release_at)

    def has_new_prices(self, day: int) -> bool:
        """Whether the prices have changed by the day."""
        return 0 <= self.price_change_day <= day

    def is_outage(self, day: int) -> bool:
        """Whether the service is down."""
        return day == self.outage_day

    def is_bad_release(self, day: int) -> bool:
        """Whether `reports` is spoiled."""
        return 0 <= day - self.bad_release_day < self.knobs.incidents.bad_release_days

    def price(self, plan: Array, months: Array, level: Array) -> Array:
        """Price of a seat for a billing interval, in ten-thousandths, at a level of prices."""
        factor = 100 + round(100 * self.knobs.incidents.price_change) * level.astype(np.int64)
        monthly = PLAN_PRICES[plan] * UNIT * factor // 100
        return monthly * np.where(months == 12, YEARLY_MONTHS, 1)  # months of a year

    def use_factor(self, day: int) -> float:
        """How much is used on a day, against an average working day."""
        weekend = 0.35 if self.calendar.date_of(day).weekday() >= _WEEKEND else 1.0
        wave = 1 + self.knobs.incidents.usage_seasonality * self.calendar.yearly_wave(day, 2)
        return weekend * wave * (0.08 if self.is_outage(day) else 1.0)

    def order_factor(self, day: int) -> float:
        """How much is ordered on a day, against the average: most before Christmas."""
        return 1 + 2 * self.knobs.incidents.usage_seasonality * self.calendar.yearly_wave(day, 12)

    def arrival_weights(self, days: int) -> Array:
        """The relative rate of arrivals on each of the first `days` days."""
        knobs = self.knobs.arrivals
        number = np.arange(days)
        wave = np.array([self.calendar.yearly_wave(day, 1) for day in range(days)])
        weekday = np.array([self.calendar.date_of(day).weekday() for day in range(days)])
        growth = np.log1p(knobs.growth_per_year) / 365
        return np.exp(growth * number) * (1 + knobs.seasonality * wave) * np.where(weekday >= _WEEKEND, 0.5, 1.0)

    def rates(self, days: int) -> Array:
        """Business currency for one unit, in hundred-millionths with six digits: a row a day, a column a currency."""
        steps = np.zeros((days, len(words.CURRENCIES)))
        for day in range(days):
            if self.calendar.date_of(day).weekday() < _WEEKEND:
                steps[day] = self.draws.at("fx", day).standard_normal(len(words.CURRENCIES))
        path = np.array(_FIRST_RATES) * np.exp(self.knobs.incidents.fx_volatility * np.cumsum(steps, axis=0))
        path[:, 0] = 1.0
        return np.round(path * 1e6).astype(np.int64) * 100

    def publishes_rates(self, day: int) -> bool:
        """Whether rates are published: on working days, and on the first day."""
        return day == 0 or self.calendar.date_of(day).weekday() < _WEEKEND


def fx_value(amount: Array, rate: Array, months: Array) -> Array:
    """A month's value in business currency of an interval's amount: round(amount * rate / months, 4), half up.

    Args:
        amount: Ten-thousandths of the customer's currency for one interval.
        rate: Hundred-millionths of business currency for one unit.
        months: Months of the interval.
    """
    divisor = months.astype(np.int64) * RATE_UNIT
    return (amount * rate + divisor // 2) // divisor
