"""Decisions of earlier days as the models read them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from retention_pipeline.campaigns.history import FOLDER, load_contacts
from retention_pipeline.campaigns.lists import list_id
from retention_pipeline.errors import RetentionError
from retention_pipeline.warehouse import create_layout, open_warehouse
from tests.unit.campaign_data import DAY, business, customer, days_before, decide_and_keep, offer, play, warehouse

PLAYS = {
    "winback": play(
        goal="win_back",
        who="NOT is_active",
        contact_cost="0.25",
        control_share=0.5,
        require_profit=False,
        offers=[offer("ten_off", discount_share=0.1, redemption=0.5, fixed_cost="1.5")],
    ),
    "gone": play(),
}


def _kept(state: Path, day: date) -> None:
    config = business(PLAYS)
    people = [customer(f"lost{n}", is_active=False, margin_before_loss_365d=100) for n in range(8)]
    with warehouse([*people, customer("here")], day=day) as con:
        decide_and_keep(con, config, state, day)


def _contacts(state: Path, tmp_path: Path, plays: dict[str, object], day: date = DAY) -> list[tuple[object, ...]]:
    with open_warehouse(tmp_path / "warehouse.duckdb") as con:
        create_layout(con)
        load_contacts(con, business(plays), day, state)
        return con.execute(
            "SELECT day, play, arm, offer, list_id, goal, contact_cost, giveaway_share, count(*)"
            " FROM control.contacts GROUP BY ALL ORDER BY ALL"
        ).fetchall()


def test_both_arms_of_earlier_days_with_the_terms_of_their_offers(tmp_path: Path) -> None:
    earlier = days_before(10)
    _kept(tmp_path, earlier)
    _kept(tmp_path, DAY)
    rows = _contacts(tmp_path, tmp_path, PLAYS)
    assert {row[0] for row in rows} == {earlier}, "the day itself is not history"
    won = [row for row in rows if row[1] == "winback"]
    assert [row[2] for row in won] == ["control", "treatment"]
    assert sum(row[-1] for row in won) == 8
    terms = {row[3:-1] for row in won}
    assert terms == {
        ("ten_off", list_id("winback", earlier), "win_back", Decimal("1.750000"), Decimal("0.050000")),
    }
    assert [row[5] for row in rows if row[1] == "gone"] == ["retain"]


def test_a_play_that_is_no_longer_configured_has_no_terms(tmp_path: Path) -> None:
    _kept(tmp_path, days_before(10))
    rows = _contacts(tmp_path, tmp_path, {"winback": PLAYS["winback"]})
    assert [row[5:8] for row in rows if row[1] == "gone"] == [(None, None, None)]


def test_without_history_there_are_none(tmp_path: Path) -> None:
    assert _contacts(tmp_path, tmp_path, PLAYS) == []


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / f"{days_before(3)}.parquet").write_bytes(b"no parquet")
    with pytest.raises(RetentionError, match="cannot be read"):
        _contacts(tmp_path, tmp_path, PLAYS)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM control.contacts").fetchall() == [(0,)]
