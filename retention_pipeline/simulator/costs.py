"""What the business pays for marketing and what currencies are worth, as its books export them."""

from __future__ import annotations

import numpy as np

from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.state import Array
from retention_pipeline.simulator.world import World

_COST_PER_CUSTOMER = {"paid_search": 62, "social_ads": 48, "partner": 30, "referral": 10}
_NEWSLETTER_COST = 0.002
_UNIT = 10_000


def export_costs(world: World, new: Array) -> None:
    """Today's cost of each acquisition campaign: it follows the customers whom it brought, with noise."""
    generator = world.draws.at("costs", world.day)
    brought = np.bincount(world.state["acquisition"][new], minlength=len(words.ACQUISITION))
    level = world.knobs.customers / world.knobs.days
    names, amounts = [], []
    for channel, cost in _COST_PER_CUSTOMER.items():
        code = words.ACQUISITION.index(channel)
        expected = 0.5 * brought[code] + 0.5 * level * 0.2
        names.append(f"acquisition_{channel}")
        amounts.append(round(cost * expected * generator.uniform(0.8, 1.2) * 100) * (_UNIT // 100))
    world.exports.add(
        "marketing_costs",
        campaign=np.array(names),
        day=np.full(len(names), world.calendar.epoch_day(world.day)),
        amount=np.array(amounts, dtype=np.int64),
    )


def export_rates(world: World) -> None:
    """Today's exchange rates, on working days."""
    if not world.market.publishes_rates(world.day):
        return
    foreign = np.arange(1, len(words.CURRENCIES), dtype=np.int8)
    world.exports.add(
        "fx_rates",
        day=np.full(len(foreign), world.calendar.epoch_day(world.day)),
        currency=foreign,
        rate=world.rates[world.day][1:],
    )
