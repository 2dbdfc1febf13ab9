"""What `retention simulate` does, apart from reading its options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from retention_pipeline.errors import RetentionError
from retention_pipeline.simulator.knobs import read_knobs
from retention_pipeline.simulator.plays import read_lists
from retention_pipeline.simulator.simulation import Simulation, continue_under, default_truth, finish

Tell = Callable[[str], None]


def simulate_new(out: Path, truth: Path | None, config: Path | None, tell: Tell, **given: object) -> None:
    """Simulate a business from its first day.

    Args:
        out: Folder of the business.
        truth: Folder of the truth; None for `<out>_truth`.
        config: A file of knobs.
        tell: Told what happens, a line at a time.
        given: Knobs from the command line; None where the file or the default decides.
    """
    knobs = read_knobs(config, **given)
    simulation = Simulation.start(knobs, out, truth)
    simulation.run(knobs.days, _by_month(simulation, tell))
    finish(simulation)
    tell(f"Exports and retention.yaml: {out}\nTruth, never to be shown to a pipeline: {truth or default_truth(out)}")


def simulate_on(out: Path, truth: Path | None, lists: Path | None, days: int, tell: Tell) -> None:
    """Go on with a business from its saved state, under campaign lists where there are any.

    Args:
        out: Folder of the business.
        truth: Folder of the truth, which holds the state.
        lists: Folder of campaign lists, as the pipeline released them.
        days: Days to go on.
        tell: Told what happens, a line at a time.

    Raises:
        RetentionError: There is no saved state, or the lists do not fit.
    """
    simulation = Simulation.resume(out, truth)
    if lists is None:
        simulation.run(days, _by_month(simulation, tell))
    else:
        outcome = continue_under(simulation, read_lists(lists, simulation.world.knobs.first_day), days)
        tell(", ".join(f"{name.replace('_', ' ')}: {value:,}" for name, value in outcome.items()))
    finish(simulation)
    tell(f"Went on to {simulation.world.calendar.date_of(simulation.world.day)}: {out}")


def chosen_folder(out: Path | None, going_on: Path | None) -> Path:
    """The one folder that is meant.

    Raises:
        RetentionError: None or both are given.
    """
    if (out is None) == (going_on is None):
        raise RetentionError(
            "which business is meant", where="retention simulate", expected="either --out or --continue",
            way_out="--out begins anew, --continue goes on from the saved state",
        )  # fmt: skip
    return (out or going_on or Path()).resolve()


def _by_month(simulation: Simulation, tell: Tell) -> Callable[[int], None]:
    calendar = simulation.world.calendar

    def told(day: int) -> None:
        if calendar.is_delivery(day, "month"):
            tell(f"{calendar.date_of(day):%Y-%m}: {simulation.world.come:,} customers have come")

    return told
