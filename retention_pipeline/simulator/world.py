"""A world: the state of the customers on a day, what surrounds them, and where what happens is told."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from retention_pipeline.simulator.calendar import Calendar
from retention_pipeline.simulator.draws import Draws
from retention_pipeline.simulator.exports import Exports
from retention_pipeline.simulator.knobs import Knobs
from retention_pipeline.simulator.market import Market
from retention_pipeline.simulator.state import Array, State

YEAR = 365.25


@dataclass
class World:
    """Everything that the processes of a day work on.

    Args:
        knobs: The configuration.
        state: The customers.
        draws: Random numbers.
        calendar: Dates.
        market: What holds for all customers.
        exports: Where the business's own systems write.
        rates: Exchange rates by day, as `Market.rates`.
        told: Rows of the truth by table, as arrays.
    """

    knobs: Knobs
    state: State
    draws: Draws
    calendar: Calendar
    market: Market
    exports: Exports
    rates: Array
    told: dict[str, list[dict[str, Array]]] = field(default_factory=dict)

    day: int = 0
    changed: Array = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    """Customers whose subscription has changed today: each gets one new version."""
    new_endings: list[Array] = field(default_factory=list)

    @property
    def come(self) -> int:
        """How many customers have come; they are the first rows of the state."""
        return self.state.numbers["come"]

    def column(self, name: str) -> Array:
        """A column of the state for those who have come: a view, writing to it changes the state."""
        return self.state[name][: self.come]

    def uniform(self, purpose: str) -> Array:
        """One number of [0, 1) for each customer, of today."""
        return self.draws.uniform(purpose, self.day, self.come)

    def normal(self, purpose: str) -> Array:
        """One standard normal number for each customer, of today."""
        return self.draws.normal(purpose, self.day, self.come)

    def happens(self, purpose: str, per_year: Array | float) -> Array:
        """Whether something that happens so often a year happens to each customer today."""
        return self.uniform(purpose) < -np.expm1(-np.asarray(per_year, dtype=np.float64) / YEAR)

    def moment(self, customers: Array, days: Array | int | None = None, salt: int = 0) -> Array:
        """Seconds since 1970 at which customers act today, or on given days."""
        return self.calendar.moment(customers, self.day if days is None else days, salt)

    def tell(self, table: str, **columns: Array) -> None:
        """Rows of the truth."""
        if len(next(iter(columns.values()))):
            self.told.setdefault(table, []).append(columns)


def where(mask: Array) -> Array:
    """The numbers of the customers for whom a condition holds."""
    return np.flatnonzero(mask)
