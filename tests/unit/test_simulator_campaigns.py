"""Campaign lists come back: what contacts truly do, by kind of customer, beside the same world without them."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from retention_pipeline.errors import RetentionError
from retention_pipeline.simulator import plays
from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.leaving import begin_intention
from retention_pipeline.simulator.plays import CampaignList, read_lists
from retention_pipeline.simulator.simulation import Simulation, continue_under, finish
from tests.unit.simulated import example, simulated

EMAIL = words.CHANNELS.index("email")


@pytest.fixture
def world(tmp_path: Path) -> Simulation:
    """The example, to go on with."""
    shutil.copytree(example("saas") / "business_truth", tmp_path / "business_truth")
    return Simulation.resume(tmp_path / "business")


def _list(
    simulation: Simulation, customers: np.ndarray, play: str, offer: str = "o", arm: str = "treatment"
) -> CampaignList:
    channels = np.full(len(customers), EMAIL, dtype=np.int8)
    return CampaignList(play, offer, f"{play}-1", arm, customers, channels, simulation.world.state.numbers["day"])


def _paying(simulation: Simulation) -> np.ndarray:
    return np.flatnonzero(simulation.world.column("status") == words.PAID)


def test_who_is_not_contacted_lives_as_without_any_list(world: Simulation, tmp_path: Path) -> None:
    treated, control = _paying(world)[::2], _paying(world)[1::2]
    lists = [_list(world, treated, "weak_signal"), _list(world, control, "weak_signal", arm="control")]
    outcome = continue_under(world, lists, 40)
    assert outcome["contacted"] == len(treated)
    with duckdb.connect() as con:
        table = f"'{tmp_path}/business_truth/counterfactual/*.parquet'"
        same = "is_active_with_lists = is_active_without_lists AND value_with_lists = value_without_lists"
        assert con.execute(f"SELECT count(*) FROM {table} WHERE NOT is_contacted AND NOT ({same})").fetchall() == [(0,)]
        told = con.execute(
            "SELECT arm, count(*), sum(turned::INT), bool_and(effect IS NOT NULL)"
            f" FROM '{tmp_path}/business_truth/contacts/*.parquet' GROUP BY arm ORDER BY arm"
        ).fetchall()
    assert told[0][:3] == ("control", len(control), 0)
    assert told[1][:2] == ("treatment", len(treated))


def test_effects_are_those_of_the_knobs_by_kind(tmp_path: Path) -> None:
    """Everybody means to leave and everybody is contacted: those who are turned are as many as the knobs say."""
    effects = {"save": (0.5, 0.0, 0.2, -0.3)}
    simulation = simulated(tmp_path / "b", customers=2500, days=40, campaigns={"effects": effects})
    state, customers = simulation.world.state, _paying(simulation)
    free = customers[state["intent"][customers] < 0]
    leaving, calm = free[::2], free[1::2]
    begin_intention(simulation.world, leaving, np.full(len(leaving), words.CAUSE["price"], dtype=np.int8), "test")
    continue_under(simulation, [_list(simulation, free, "save")], 1)
    with duckdb.connect() as con:
        rows = con.execute(
            "SELECT kind, customer_id[2:]::BIGINT AS customer, turned, woken"
            f" FROM '{tmp_path}/b_truth/contacts/*.parquet'"
        ).fetchall()
    assert len(rows) == len(free)
    for kind, effect in zip(words.KINDS, effects["save"], strict=True):
        meant = [turned for name, who, turned, _ in rows if name == kind and who in set(leaving.tolist())]
        woken = [woke for name, who, _, woke in rows if name == kind and who in set(calm.tolist())]
        for outcomes, share in ((meant, max(effect, 0)), (woken, max(-effect, 0))):
            assert len(outcomes) > 15, kind
            assert abs(np.mean(outcomes) - share) <= 4 * (share * (1 - share) / len(outcomes)) ** 0.5, kind


def test_a_discount_to_who_stays_anyway_only_costs(world: Simulation) -> None:
    state, customers = world.world.state, _paying(world)
    sure = customers[(state["kind"][customers] == words.KINDS.index("sure_thing")) & (state["intent"][customers] < 0)]
    sure = sure[(state["ends_on"][sure] < 0) & ~state["is_test"][sure]]
    twin = world.twin()
    world.lists = [_list(world, sure, "loyalty_vip", "price_cut")]
    for simulation in (world, twin):
        simulation.run(3)
    assert len(sure) > 20
    assert world.world.state["value"][sure].sum() < twin.world.state["value"][sure].sum()
    assert (world.world.state["status"][sure] == twin.world.state["status"][sure]).all()


def test_the_lost_come_back_and_cards_are_mended(world: Simulation) -> None:
    state = world.world.state
    lost = np.flatnonzero((world.world.column("status") == words.ENDED) & (world.world.column("first_paid") >= 0))
    owing = np.flatnonzero(world.world.column("dunning_invoice") >= 0)
    always = {"winback": (1.0,) * 4, "dunning": (1.0,) * 4, "exit": (0.0,) * 4, "onboarding": (1.0,) * 4}
    campaigns = world.world.knobs.campaigns.model_copy(update={"effects": always})
    world.world.knobs = world.world.knobs.model_copy(update={"campaigns": campaigns})
    young = np.flatnonzero((world.world.column("milestones") < 3) & (world.world.column("status") == words.TRIAL))
    before = state["milestones"][young].copy()
    continue_under(
        world,
        [
            _list(world, lost, "winback"),
            _list(world, owing, "dunning"),
            _list(world, lost, "exit"),
            _list(world, young, "onboarding"),
        ],
        1,
    )
    assert len(lost) > 5 and (world.world.state["status"][lost] == words.PAID).all()
    assert world.world.state["card_mended"][owing].all()
    assert (world.world.state["milestones"][young] > before).all()


def test_lists_are_read_as_they_are_released(world: Simulation, tmp_path: Path) -> None:
    first_day = world.world.knobs.first_day
    send_on = first_day + timedelta(days=world.world.state.numbers["day"])
    rows = (
        "SELECT 'save-1' AS list_id, 'C' || lpad(n::VARCHAR, 7, '0') AS customer_id, 'save' AS play, 'pause' AS offer,"
        f" 'email' AS channel, TIMESTAMP '{send_on} 10:00:00' AS send_at,"
        " CASE WHEN n % 2 = 0 THEN 'treatment' ELSE 'control' END AS arm FROM range(10) AS t(n)"
    )
    (tmp_path / "csv").mkdir()
    (tmp_path / "parquet").mkdir()
    with duckdb.connect() as con:
        con.execute(f"COPY ({rows}) TO '{tmp_path}/csv/save.csv' (HEADER)")
        con.execute(f"COPY ({rows}) TO '{tmp_path}/parquet/save.parquet'")
    from_csv, from_parquet = (read_lists(tmp_path / name, first_day) for name in ("csv", "parquet"))
    assert [(item.play, item.arm, item.send_on, item.customers.tolist()) for item in from_csv] == [
        ("save", "control", world.world.state.numbers["day"], [1, 3, 5, 7, 9]),
        ("save", "treatment", world.world.state.numbers["day"], [0, 2, 4, 6, 8]),
    ]
    assert [item.customers.tolist() for item in from_parquet] == [item.customers.tolist() for item in from_csv]
    continue_under(world, from_csv, 2)
    finish(world)
    with duckdb.connect() as con:
        sent = con.execute(
            f"SELECT count(DISTINCT customer_id) FROM '{tmp_path}/business/exports/mail_events_*.parquet'"
            " WHERE list_id = 'save-1' AND event = 'sent'"
        ).fetchall()
    assert sent == [(5,)]


def test_wrong_lists_are_refused(world: Simulation, tmp_path: Path) -> None:
    with pytest.raises(RetentionError, match="no campaign lists"):
        read_lists(tmp_path / "nothing", world.world.knobs.first_day)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "save.csv").write_text(
        "list_id,customer_id,play,offer,channel,send_at,arm\nl,someone,save,o,email,2024-06-01 10:00:00,treatment\n",
        encoding="utf-8",
    )
    with pytest.raises(RetentionError, match="no customer of this business"):
        read_lists(tmp_path / "lists", world.world.knobs.first_day)
    with pytest.raises(RetentionError, match="no campaign list"):
        read_lists(tmp_path / "business_truth", world.world.knobs.first_day)
    late = CampaignList("save", "o", "l", "treatment", np.array([1]), np.array([EMAIL]), 3)
    with pytest.raises(RetentionError, match="which is over"):
        continue_under(world, [late], 1)


def test_every_play_of_the_domain_has_a_true_effect() -> None:
    from retention_pipeline.simulator.business import business_text
    from retention_pipeline.simulator.knobs import PLAY_EFFECTS, Knobs

    configured = business_text(Knobs(), "b")
    assert len(PLAY_EFFECTS) == 12
    for play, effects in PLAY_EFFECTS.items():
        assert f"\n  {play}:\n" in configured
        assert max(effects) > 0
    assert any(min(effects) < 0 for effects in PLAY_EFFECTS.values())
    assert set(plays.WIN_BACK) <= set(PLAY_EFFECTS)
