"""Small simulated businesses, made once for the tests that only look at them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from retention_pipeline.simulator.knobs import Knobs
from retention_pipeline.simulator.simulation import Simulation, finish

MONTHLY = dict.fromkeys(("customers", "subscriptions", "invoices", "payment_attempts", "tickets"), "month")


def simulated(folder: Path, **knobs: object) -> Simulation:
    """A business that was simulated to its end: exports in `folder`, the truth in `<folder>_truth`."""
    given = {"customers": 120, "days": 80, "exports": {"cadence": MONTHLY}, **knobs}
    simulation = Simulation.start(Knobs.model_validate(given), folder)
    simulation.run(simulation.world.knobs.days)
    finish(simulation)
    return simulation


@cache
def example(kind: str) -> Path:
    """A folder with `business` and `business_truth` of 450 customers over 390 days; not to be changed."""
    folder = Path(mkdtemp(prefix="simulated_"))
    leaving = {"silent_non_renewal_share": 0.9, "pause_share": 0.8}
    simulated(folder / "business", kind=kind, customers=450, days=390, seed=7, leaving=leaving)
    return folder
