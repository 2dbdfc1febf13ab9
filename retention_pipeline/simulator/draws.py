"""Randomness by purpose and day.

Each purpose has a generator of its own for each day, made from the seed, the name of the purpose and the day. So a
draw that is added to one process shifts no other, a simulation that goes on from a saved state draws what it would have
drawn without the stop, and two worlds that differ in one decision differ in nothing but its consequences.
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Draws:
    """The random numbers of one simulation.

    Args:
        seed: The seed.
        universe: 0 for what really happens; other numbers for futures that only might.
    """

    seed: int
    universe: int = 0

    def at(self, purpose: str, day: int) -> np.random.Generator:
        """The generator of a purpose on a day; day -1 for what is drawn once."""
        key = (crc32(purpose.encode()), day + 1, self.universe)
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=key)))

    def uniform(self, purpose: str, day: int, count: int) -> NDArray[np.float32]:
        """One number of [0, 1) for each of the first `count` customers: the same for a customer whoever comes after."""
        return self.at(purpose, day).random(count, dtype=np.float32)

    def normal(self, purpose: str, day: int, count: int) -> NDArray[np.float32]:
        """One standard normal number for each of the first `count` customers."""
        return self.at(purpose, day).standard_normal(count, dtype=np.float32)
