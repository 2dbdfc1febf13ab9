"""The lists of the two businesses that ship: who is on them, and what a sending tool can rely on."""

from __future__ import annotations

import csv
import json
import stat
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest

from retention_pipeline.campaigns.lists import COLUMNS
from retention_pipeline.campaigns.selecting import REASONS
from retention_pipeline.settings import StatePaths
from retention_pipeline.workspace.loading import load_business
from retention_pipeline.workspace.schema import Retention
from tests.pipelines import ONLINE_RETAIL, OULAD

pytestmark = [pytest.mark.slow]

SHIPPED = [
    pytest.param(("online_retail", ONLINE_RETAIL, "2011-12-09"), marks=pytest.mark.xdist_group("online_retail")),
    pytest.param(("oulad", OULAD, "2014-10-31"), marks=pytest.mark.xdist_group("oulad")),
]
WANTED = {
    "online_retail": {"second_order", "weak_signal", "loyalty_vip", "winback"},
    "oulad": {"onboarding", "weak_signal", "deferral"},
}


@pytest.fixture(params=SHIPPED, ids=["online_retail", "oulad"])
def run(request: pytest.FixtureRequest) -> tuple[str, Retention, StatePaths, Path]:
    """Name, configuration, state and the folder of the lists of a shipped business."""
    name, folder, day = request.param
    paths: StatePaths = request.getfixturevalue(name)
    return name, load_business(folder).config, paths, paths.lists / day


def rows_of(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = con.execute(query)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_every_list_has_customers_and_says_the_same_twice(run: tuple[str, Retention, StatePaths, Path]) -> None:
    name, config, _, day = run
    assert set(config.plays) == WANTED[name]
    for play, definition in config.plays.items():
        with (day / f"{play}.csv").open(encoding="utf-8", newline="") as handle:
            shown = list(csv.DictReader(handle, strict=True))
        with duckdb.connect() as con:
            exact = rows_of(con, f"FROM read_parquet('{day / play}.parquet')")
        assert len(shown) == len(exact) > 50
        own = [column for column in definition.personalisation if column not in COLUMNS]
        assert list(shown[0]) == list(exact[0]) == [*COLUMNS, *own]
        for text, row in zip(shown, exact, strict=True):
            assert text["customer_id"] == row["customer_id"]
            assert Decimal(text["expected_profit"]) == row["expected_profit"] > 0
            assert text["arm"] == row["arm"] == "treatment"
            assert text["reason_codes"] == row["reason_codes"]
        profits = [row["expected_profit"] for row in exact]
        assert profits == sorted(profits, reverse=True)


def test_everyone_who_qualifies_is_somewhere(run: tuple[str, Retention, StatePaths, Path]) -> None:
    name, _, paths, _ = run
    with duckdb.connect(str(paths.warehouse), read_only=True) as con:
        summaries = rows_of(con, "FROM decisions.campaign_summary")
        assert {row["play"] for row in summaries} == WANTED[name]
        for row in summaries:
            assert row["eligible"] == row["treatment"] + row["control"] + row["excluded"]
            assert row["note"] == ""
        ((rows, customers),) = con.execute(
            "SELECT count(*), count(DISTINCT customer_key) FROM decisions.campaign_targets"
        ).fetchall()
        assert rows == customers
        ((both,),) = con.execute(
            "SELECT count(*) FROM decisions.campaign_targets"
            " SEMI JOIN decisions.campaign_exclusions USING (play, customer_key)"
        ).fetchall()
        assert both == 0
        reasons = con.execute("SELECT DISTINCT reason FROM decisions.campaign_exclusions").fetchall()
    assert {reason for (reason,) in reasons} <= set(REASONS)


def test_a_tenth_is_kept_aside(run: tuple[str, Retention, StatePaths, Path]) -> None:
    _, _, paths, _ = run
    with duckdb.connect(str(paths.warehouse), read_only=True) as con:
        ((control, selected),) = con.execute(
            "SELECT count(*) FILTER (arm = 'control'), count(*) FROM decisions.campaign_targets"
        ).fetchall()
    # A share of 0.1 within four standard errors.
    assert abs(control - 0.1 * selected) < 4 * (0.09 * selected) ** 0.5


def test_limits_hold(run: tuple[str, Retention, StatePaths, Path]) -> None:
    _, config, paths, _ = run
    with duckdb.connect(str(paths.warehouse), read_only=True) as con:
        taken = {
            play: (customers, cost)
            for play, customers, cost in con.execute(
                "SELECT play, count(*), sum(cost) FROM decisions.campaign_targets GROUP BY play"
            ).fetchall()
        }
    for play, definition in config.plays.items():
        customers, cost = taken[play]
        assert definition.max_customers is None or customers <= definition.max_customers
        assert definition.budget is None or cost <= definition.budget


def test_manifest_and_rights(run: tuple[str, Retention, StatePaths, Path]) -> None:
    name, config, paths, day = run
    manifest = json.loads((day / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["business"], manifest["as_of"]) == (name, day.name)
    assert manifest["model_id"]
    written = {digest for play in manifest["plays"].values() for digest in play["sha256"].items()}
    assert written == {
        (path.name, sha256(path.read_bytes()).hexdigest()) for path in day.iterdir() if path.suffix != ".json"
    }
    assert {play["title"] for play in manifest["plays"].values()} == {play.title for play in config.plays.values()}
    decided = paths.state / "decisions" / f"{day.name}.parquet"
    for path in (*day.iterdir(), decided):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_published_names_nobody(run: tuple[str, Retention, StatePaths, Path]) -> None:
    """The serving file and the kept decisions hold the key; only lists hold the id under which a message is sent."""
    _, _, paths, day = run
    with duckdb.connect(str(paths.serving), read_only=True) as con:
        columns = con.execute("SELECT DISTINCT column_name FROM duckdb_columns() WHERE NOT internal").fetchall()
    assert not {"customer_id", "address", "email", "phone"} & {column for (column,) in columns}
    with duckdb.connect() as con:
        described = con.execute(
            f"DESCRIBE FROM read_parquet('{paths.state / 'decisions' / day.name}.parquet')"
        ).fetchall()
    assert {row[0] for row in described} == {
        "as_of", "play", "customer_key", "arm", "offer", "channel", "experiment_id",
    }  # fmt: skip


@pytest.mark.xdist_group("online_retail")
def test_the_shop_wins_back_whom_it_lost(online_retail: StatePaths) -> None:
    with duckdb.connect(str(online_retail.warehouse), read_only=True) as con:
        found = con.execute(
            "SELECT count(*), count(*) FILTER (is_active OR days_since_end NOT BETWEEN 30 AND 240),"
            " count(*) FILTER (value_at_stake <> margin_before_loss_365d) FROM decisions.campaign_targets"
            " JOIN marts.customer_360 USING (customer_key) WHERE play = 'winback'"
        ).fetchall()
    assert found[0][0] > 100
    assert found[0][1:] == (0, 0)


@pytest.mark.xdist_group("oulad")
def test_a_call_goes_to_those_most_at_risk(oulad: StatePaths) -> None:
    """The value is the same for all, so the dearer offer begins above one probability: 6 / (0.09 * 500)."""
    with duckdb.connect(str(oulad.warehouse), read_only=True) as con:
        found = con.execute(
            "SELECT min(churn_probability) FILTER (offer = 'welcome_call'),"
            " max(churn_probability) FILTER (offer = 'welcome_guide') FROM decisions.campaign_targets"
            " WHERE play = 'onboarding'"
        ).fetchall()
    lowest_call, highest_guide = found[0]
    assert highest_guide <= 6 / 45 + 0.001
    assert lowest_call >= 6 / 45 - 0.001
