"""Campaign lists come back: who is contacted, what it truly does to whom, and what the truth keeps of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from retention_pipeline.errors import RetentionError
from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.leaving import begin_intention, end_intention, keep
from retention_pipeline.simulator.messages import send
from retention_pipeline.simulator.orders import buy
from retention_pipeline.simulator.payments import mend_card
from retention_pipeline.simulator.state import NO_DAY, Array
from retention_pipeline.simulator.subscriptions import begin_again, give_discount
from retention_pipeline.simulator.surveys import answer_exit
from retention_pipeline.simulator.usage import reach_milestone
from retention_pipeline.simulator.world import World

WIN_BACK = ("winback", "long_lost_newsletter")
_MILESTONES = 3
_SHIELD_DAYS = 30


@dataclass(frozen=True)
class CampaignList:
    """Customers who are contacted, or deliberately not, by one play with one offer on one day.

    Attributes:
        play, offer, list_id: As the list names them.
        arm: `treatment` is contacted; `control` is not, and only noted.
        customers: Their numbers.
        channels: The code of the channel of each.
        send_on: The day number on which the messages go out.
    """

    play: str
    offer: str
    list_id: str
    arm: str
    customers: Array
    channels: Array
    send_on: int


def read_lists(folder: Path, first_day: date) -> list[CampaignList]:
    """The lists in a folder: of one day (`<play>.csv` or `.parquet`), or of several in folders of their own.

    Rows of the control arm (from `decisions.campaign_targets` or a list that has them) may be among them.

    Raises:
        RetentionError: There is no list, or a row names no customer of this business.
    """
    files = sorted(folder.rglob("*.parquet"))
    named = {path.with_suffix("") for path in files}
    files += [path for path in sorted(folder.rglob("*.csv")) if path.with_suffix("") not in named]
    if not files:
        raise RetentionError(
            "there are no campaign lists", where=folder.name, expected="<play>.csv or <play>.parquet of a day",
            way_out="run the pipeline on the exports first; its lists are in <state>/lists/<day>",
        )  # fmt: skip
    lists: list[CampaignList] = []
    with duckdb.connect() as con:
        for path in files:
            source = "read_parquet(?)" if path.suffix == ".parquet" else "read_csv(?, all_varchar = true)"
            try:
                rows = con.execute(
                    "SELECT play, coalesce(offer, ''), list_id, arm, channel, send_at::TIMESTAMP::DATE, customer_id"
                    f" FROM {source} ORDER BY ALL",
                    [str(path)],
                ).fetchall()
            except duckdb.Error as error:
                raise _is_no_list(path) from error
            lists += _grouped(rows, first_day, path.name)
    return lists


def _is_no_list(path: Path) -> RetentionError:
    return RetentionError(
        "the file is no campaign list", where=path.name, expected="the columns of a list that the pipeline released",
        way_out="give a folder of <state>/lists, with nothing else in it",
    )  # fmt: skip


def _grouped(
    rows: Sequence[tuple[str, str, str, str, str, date, str]], first_day: date, where: str
) -> list[CampaignList]:
    groups: dict[tuple[str, str, str, str, date], list[tuple[int, int]]] = {}
    for play, offer, list_id, arm, channel, send_on, customer in rows:
        found = re.fullmatch(r"(?:\w+:)?C(\d+)", customer)
        if found is None:
            raise RetentionError(
                "a row names no customer of this business", where=where, expected="customer ids as in the exports",
                way_out="give the lists that were made from these exports",
            )  # fmt: skip
        member = (int(found.group(1)), words.CHANNELS.index(channel))
        groups.setdefault((play, offer, list_id, arm, send_on), []).append(member)
    return [
        CampaignList(
            play, offer, list_id, arm,
            np.array([number for number, _ in members], dtype=np.int64),
            np.array([channel for _, channel in members], dtype=np.int8),
            (send_on - first_day).days,
        )
        for (play, offer, list_id, arm, send_on), members in groups.items()
    ]  # fmt: skip


def apply(world: World, lists: Sequence[CampaignList]) -> None:
    """Contact the customers of today's lists and let it work on them."""
    for campaign in lists:
        inside = campaign.customers < world.come
        customers, channels = campaign.customers[inside], campaign.channels[inside]
        if campaign.arm == "treatment":
            send(world, customers, f"play_{campaign.play}", campaign.list_id, channels, f"play {campaign.play}")
            turned, woken = _work(world, campaign, customers)
        else:
            turned = woken = np.zeros(len(customers), dtype=np.bool_)
        world.tell(
            "contacts",
            customer=customers,
            day=np.full(len(customers), world.day),
            play=np.full(len(customers), campaign.play),
            offer=np.full(len(customers), campaign.offer),
            arm=np.full(len(customers), campaign.arm),
            kind=world.state["kind"][customers],
            effect=true_effect(world, campaign.play)[world.state["kind"][customers]],
            turned=turned,
            woken=woken,
        )


def true_effect(world: World, play: str) -> Array:
    """The true effect of a play by kind of customer."""
    knobs = world.knobs.campaigns
    return np.array(knobs.effects.get(play, knobs.other_effect), dtype=np.float32)


def _work(world: World, campaign: CampaignList, customers: Array) -> tuple[Array, Array]:
    """Who was turned by a contact, and in whom it woke an intention to leave."""
    state, play = world.state, campaign.play
    effect = true_effect(world, play)[state["kind"][customers]]
    chance = world.uniform(f"effect {play}")[customers]
    hit, hurt = chance < effect, chance < -effect
    status = state["status"][customers]
    pays = status == words.PAID
    discount = world.knobs.campaigns.discounts.get(campaign.offer, 0.0)
    if discount:
        give_discount(world, customers[pays], discount)
    none = np.zeros(len(customers), dtype=np.bool_)
    if play in WIN_BACK and world.knobs.kind == "shop":
        # The shop cannot tell who has stopped from who is only silent: both may order again.
        begin_again(world, customers[hit & (status == words.ENDED)])
        buy(world, customers[hit])
        return hit, none
    if play in WIN_BACK:
        lost = (status == words.ENDED) & (state["first_paid"][customers] != NO_DAY)
        state["no_return"][customers[hurt & lost]] = True
        back = customers[hit & lost]
        begin_again(world, back)
        if discount:
            give_discount(world, back, discount)
        return hit & lost, hurt & lost
    if play == "dunning":
        owing = state["dunning_invoice"][customers] >= 0
        mend_card(world, customers[hit & owing])
        return hit & owing, none
    if play == "cart_recovery":
        buy(world, customers[hit])
        return hit, none
    if play == "exit":
        answer_exit(world, customers)
        return none, none
    if play == "onboarding":
        learns = hit & (state["milestones"][customers] < _MILESTONES) & np.isin(status, (words.TRIAL, words.PAID))
        reach_milestone(world, customers[learns])
    # For a month, fewer intentions arise in whom the contact speaks to.
    state["shield"][customers] = np.maximum(effect, 0)
    state["shield_until"][customers] = world.day + _SHIELD_DAYS
    leaving = pays & (state["intent"][customers] >= 0)
    going = pays & (state["ends_on"][customers] != NO_DAY)
    end_intention(world, customers[hit & leaving])
    keep(world, customers[hit & going])
    wakes = hurt & pays & ~leaving & ~going
    who = customers[wakes]
    begin_intention(world, who, np.full(len(who), words.CAUSE["low_perceived_value"], dtype=np.int8), f"woken {play}")
    return hit & (leaving | going), wakes
