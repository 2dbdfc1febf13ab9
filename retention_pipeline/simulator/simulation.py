"""The loop over days: what happens in which order, how it is saved, and how it goes on under campaign lists."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from retention_pipeline.errors import RetentionError
from retention_pipeline.simulator import (
    arrivals,
    books,
    costs,
    leaving,
    loyalty,
    messages,
    orders,
    payments,
    plays,
    shop,
    support,
    surveys,
    truth,
    usage,
)
from retention_pipeline.simulator import subscriptions as contracts
from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.business import check_replaceable, write_business
from retention_pipeline.simulator.calendar import Calendar
from retention_pipeline.simulator.draws import Draws
from retention_pipeline.simulator.exports import Exports
from retention_pipeline.simulator.knobs import Knobs
from retention_pipeline.simulator.market import Market
from retention_pipeline.simulator.plays import CampaignList
from retention_pipeline.simulator.state import COLUMNS, Array, State, load_arrays, save_arrays
from retention_pipeline.simulator.world import World

_STATE = "state"
_MONTH_OF_TRUTH = "month"


@dataclass
class Simulation:
    """A simulated business that can be run, saved and taken up again.

    Args:
        world: Where it stands. `world.day` is the next day to be simulated.
        truth: The folder of the truth; None for a world that tells nothing.
        lists: Campaign lists that are still to be sent.
    """

    world: World
    truth: Path | None
    lists: list[CampaignList] = field(default_factory=list)

    @classmethod
    def start(cls, knobs: Knobs, out: Path | None = None, truth_folder: Path | None = None) -> Simulation:
        """A business on the morning of its first day.

        Args:
            knobs: The configuration.
            out: Folder of the business: `exports/` and `retention.yaml`; None to export nothing.
            truth_folder: Folder of the truth; by default `<out>_truth`.
        """
        world = _world(knobs, State.empty(0), out, 0)
        if out is not None:
            truth_folder = truth_folder or default_truth(out)
            truth.check_apart(out, truth_folder)
            check_replaceable(out)
            for folder in (out / "exports", truth_folder):
                shutil.rmtree(folder, ignore_errors=True)
            write_business(knobs, out)
        if truth_folder is not None:
            truth.write_settings(world, truth_folder)
        return cls(world, truth_folder)

    @classmethod
    def resume(cls, out: Path, truth_folder: Path | None = None) -> Simulation:
        """The business in `out`, as it was saved beside its truth.

        Raises:
            RetentionError: There is no saved state.
        """
        folder = truth_folder or default_truth(out)
        arrays, facts = load_arrays(folder / _STATE)
        knobs = Knobs.model_validate(facts["knobs"])
        columns = {name: arrays[name] for name in COLUMNS}
        world = _world(knobs, State(columns, facts["numbers"]), out, facts["numbers"]["day"])
        held: dict[str, dict[str, Array]] = {}
        for name, values in arrays.items():
            if name.startswith("held/"):
                _, feed, column = name.split("/")
                held.setdefault(feed, {})[column] = values
        world.exports.restore(held)
        return cls(world, folder)

    def run(self, days: int, on_day: Callable[[int], None] | None = None) -> None:
        """Simulate `days` more days and write their exports and their truth."""
        world = self.world
        last = world.state.numbers["day"] + days - 1
        arrivals.settle(world, max(last + 1, world.knobs.days))
        world.rates = world.market.rates(last + 1)
        with world.exports.writing():
            for day in range(world.state.numbers["day"], last + 1):
                world.day = day
                self._live(day)
                world.state.numbers["day"] = day + 1
                world.exports.deliver(day, is_last=day == last)
                if self.truth is None:
                    world.told.clear()
                elif day == last or world.calendar.is_delivery(day, _MONTH_OF_TRUTH):
                    truth.write_told(world, self.truth)
                if on_day is not None:
                    on_day(day)

    def _live(self, day: int) -> None:
        world = self.world
        new = arrivals.come(world)
        today = [campaign for campaign in self.lists if campaign.send_on == day]
        if world.knobs.kind == "shop":
            shop.live(world, new, today)
        else:
            _live_saas(world, new, today)
        messages.send_newsletter(world)
        messages.agree_again(world)
        arrivals.change_minds(world)
        loyalty.reward(world)
        costs.export_costs(world, new)
        costs.export_rates(world)

    def save(self) -> None:
        """Keep where it stands beside the truth."""
        if self.truth is None:
            raise RetentionError(
                "nothing to save", where="simulate", expected="a folder of the truth", way_out="name it"
            )
        arrays = dict(self.world.state.columns)
        for feed, rows in self.world.exports.held.items():
            arrays.update({f"held/{feed}/{column}": values for column, values in rows.items()})
        facts = {"numbers": self.world.state.numbers, "knobs": self.world.knobs.model_dump(mode="json")}
        save_arrays(self.truth / _STATE, arrays, facts)

    def twin(self, universe: int | None = None) -> Simulation:
        """The same business from here on, without exports, truth or lists.

        Args:
            universe: Another one has other luck; by default the same luck, so that only what is done differs.
        """
        world = self.world
        number = world.draws.universe if universe is None else universe
        return Simulation(_world(world.knobs, world.state.copy(), None, world.state.numbers["day"], number), None)


def _live_saas(world: World, new: Array, lists: Sequence[CampaignList]) -> None:
    """One day of a subscription business."""
    leaving.change_moods(world)
    contracts.begin_new(world, new)
    plays.apply(world, lists)
    leaving.form_intentions(world)
    leaving.decide(world)
    leaving.take_back(world)
    contracts.go_on(world)
    contracts.renew_and_change(world)
    payments.bill(world)
    payments.dun(world)
    contracts.come_back(world)
    payments.bill(world)
    contracts.export_versions(world)
    books.close_day(world)
    usage.use(world)
    orders.order_add_ons(world)
    support.support(world)
    surveys.ask(world)


def continue_under(simulation: Simulation, lists: Sequence[CampaignList], days: int) -> dict[str, int]:
    """Go on under campaign lists, beside a twin with the same luck that contacts nobody; tell the truth of both.

    Returns:
        Contacted customers, and how many pay at the end with and without the lists.
    """
    start = simulation.world.state.numbers["day"]
    missed = [campaign for campaign in lists if campaign.send_on < start]
    if missed:
        raise RetentionError(
            f"a list was to be sent on {simulation.world.calendar.date_of(missed[0].send_on)}, which is over",
            where=missed[0].list_id, expected=f"sending from {simulation.world.calendar.date_of(start)} on",
            way_out="run the pipeline on the newest exports and give its lists",
        )  # fmt: skip
    twin = simulation.twin()
    simulation.lists = list(lists)
    simulation.run(days)
    twin.run(days)
    world, other = simulation.world, twin.world
    count = world.come
    rows: dict[str, Array] = {"customer": np.arange(count)}
    for name, side in (("with_lists", world), ("without_lists", other)):
        rows[f"is_active_{name}"] = np.isin(side.column("status"), (words.PAID, words.PAUSED))
        rows[f"value_{name}"] = side.column("value")
        rows[f"earned_{name}"] = side.column("earned")
    contacted = np.zeros(count, dtype=np.bool_)
    for campaign in lists:
        if campaign.arm == "treatment":
            contacted[campaign.customers[campaign.customers < count]] = True
    rows["is_contacted"] = contacted
    if simulation.truth is not None:
        truth.write_table(world, simulation.truth, "counterfactual", rows)
    return {
        "contacted": int(contacted.sum()),
        "paying_with_lists": int(rows["is_active_with_lists"].sum()),
        "paying_without_lists": int(rows["is_active_without_lists"].sum()),
    }


def futures(simulation: Simulation) -> dict[str, Array]:
    """What lies ahead of each customer, on average over simulated futures without campaigns.

    Returns:
        `expected_value`: margin, in ten-thousandths of business currency; `stay`: share of futures in which the
        customer pays at the end.
    """
    knobs, world = simulation.world.knobs.truth, simulation.world
    if not knobs.twins:
        return {}
    margin, stays = np.zeros(world.come, dtype=np.int64), np.zeros(world.come)
    for number in range(1, knobs.twins + 1):
        future = simulation.twin(universe=number)
        future.run(knobs.twin_days)
        margin += future.world.column("earned")[: world.come] - world.column("earned")
        stays += np.isin(future.world.column("status")[: world.come], (words.PAID, words.PAUSED))
    return {"expected_value": margin // knobs.twins, "stay": np.round(stays / knobs.twins, 6)}


def finish(simulation: Simulation) -> None:
    """Write what is known of every customer, and the state to go on from."""
    if simulation.truth is not None:
        truth.write_customers(simulation.world, simulation.truth, futures(simulation))
        simulation.save()


def default_truth(out: Path) -> Path:
    """Where the truth of a business lies: beside it, never in it."""
    return out.with_name(out.name + "_truth")


def _world(knobs: Knobs, state: State, out: Path | None, day: int, universe: int = 0) -> World:
    calendar = Calendar(knobs.first_day)
    # Who comes and what surrounds them is the same in every universe: only luck differs.
    market = Market(knobs, calendar, Draws(knobs.seed))
    draws = Draws(knobs.seed, universe)
    exports = Exports(out / "exports" if out else None, calendar, knobs, draws)
    world = World(knobs, state, draws, calendar, market, exports, np.zeros((0, 0)), day=day)
    if knobs.truth.activity:
        exports.listener = lambda feed, rows: world.tell(truth.ACTIVITY + feed, **rows)
    return world
