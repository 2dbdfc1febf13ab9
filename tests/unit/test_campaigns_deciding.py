"""Who is on a list, who is not and why, and in which arm: on drawn customers, and case by case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_pipeline.campaigns.arms import HOLDOUT, bucket, control_purpose
from retention_pipeline.campaigns.deciding import decide
from retention_pipeline.campaigns.selecting import REASONS
from retention_pipeline.errors import RetentionError
from retention_pipeline.workspace.schema import Retention
from tests.unit.campaign_data import (
    DAY,
    SALT,
    business,
    customer,
    days_before,
    decide_and_keep,
    exclusions,
    key_of,
    offer,
    play,
    set_day,
    targets,
    warehouse,
)

CONSENTS_FEED = {
    "feeds": {"order_lines": [{"files": "*.csv", "columns": {}}], "consents": [{"files": "*.csv", "columns": {}}]},
    "consent_basis": {},
}


def summary(con: duckdb.DuckDBPyConnection) -> dict[str, tuple[Any, ...]]:
    """Play → eligible, treatment, control, excluded, cost, expected profit, note."""
    rows = con.execute(
        "SELECT play, eligible, treatment, control, excluded, cost, expected_profit, note"
        " FROM decisions.campaign_summary"
    ).fetchall()
    return {name: tuple(values) for name, *values in rows}


people_strategy = st.lists(
    st.fixed_dictionaries(
        {
            "is_active": st.booleans(),
            "has_given_notice": st.booleans(),
            "churn_probability": st.none() | st.integers(0, 1000).map(lambda p: p / 1000),
            "margin_365d": st.none() | st.integers(-50, 500),
            "margin_before_loss_365d": st.none() | st.integers(-50, 500),
            "consent": st.sampled_from(["granted", "withdrawn", None]),
            "refusal": st.sampled_from([None, None, None, "unsubscribed", "erasure_requested"]),
        }
    ),
    min_size=1,
    max_size=25,
)
play_strategy = st.builds(
    lambda who, **changes: play(who=who, offers=[offer(), offer("gift", effect=0.3, fixed_cost=3)], **changes),
    who=st.sampled_from(["true", "is_active", "churn_probability >= 0.3", "NOT is_active OR risk_band = 'medium'"]),
    goal=st.sampled_from(["retain", "win_back"]),
    control_share=st.sampled_from([0, 0.3, 1]),
    max_customers=st.none() | st.integers(1, 10),
    budget=st.none() | st.integers(0, 15),
    require_profit=st.booleans(),
    priority=st.integers(1, 3),
    cooldown_days=st.sampled_from([0, 30]),
    churn_prior=st.sampled_from([None, 0.2]),
)


@settings(max_examples=20, deadline=None)
@given(people=people_strategy, plays=st.lists(play_strategy, min_size=1, max_size=3), feed=st.booleans())
def test_what_holds_for_any_customers_and_plays(
    tmp_path_factory: pytest.TempPathFactory, people: list[dict[str, Any]], plays: list[dict[str, Any]], feed: bool
) -> None:
    state = tmp_path_factory.mktemp("state")
    rows = [customer(str(number), **values) for number, values in enumerate(people)]
    for row in rows:
        if not row["is_active"] or row["has_given_notice"]:
            row["churn_probability"] = None
    named = {f"play_{place}": definition for place, definition in enumerate(plays)}
    contact = {"contact": {"holdout_share": 0.2, "min_days_between": 3}}
    config = business(named, **contact, **(CONSENTS_FEED if feed else {}))
    consents = [(row["customer_id"], "email", "marketing", row["consent"]) for row in rows if row["consent"]]
    refusals = [
        (row["customer_id"], None if row["refusal"] == "erasure_requested" else "email", row["refusal"])
        for row in rows
        if row["refusal"]
    ]
    with warehouse(rows, day=days_before(2), consents=consents, suppressions=refusals) as con:
        decide_and_keep(con, config, state, days_before(2))
        earlier = {customer_id for _, customer_id, _ in targets(con)}
        _assert_sound(con, config, rows, feed=feed)
        set_day(con, rows, DAY)
        decide(con, config, DAY, state)
        _assert_sound(con, config, rows, feed=feed)
        assert not earlier & {customer_id for _, customer_id, _ in targets(con)}


def _assert_sound(
    con: duckdb.DuckDBPyConnection, config: Retention, rows: Sequence[dict[str, Any]], *, feed: bool
) -> None:
    chosen, left_out, counts = targets(con), exclusions(con), summary(con)
    # Nobody disappears, and everybody is counted once a play.
    assert set(counts) == set(config.plays)
    for name, (eligible, treatment, control, excluded, *_) in counts.items():
        assert eligible == treatment + control + excluded
        assert treatment == sum(1 for n, _, arm in chosen if n == name and arm == "treatment")
        assert control == sum(1 for n, _, arm in chosen if n == name and arm == "control")
        assert excluded == sum(1 for n, _ in left_out if n == name)
    assert not {(name, customer_id) for name, customer_id, _ in chosen} & set(left_out)
    assert set(left_out.values()) <= set(REASONS)
    # One play a customer and day.
    assert len({customer_id for _, customer_id, _ in chosen}) == len(chosen)
    known = {row["customer_id"]: row for row in rows}
    for _, customer_id, _ in chosen:
        assert known[customer_id]["refusal"] is None
        assert not feed or known[customer_id]["consent"] == "granted"
        assert bucket(SALT, HOLDOUT, key_of(customer_id)) >= 200_000
    for name, definition in config.plays.items():
        selected = con.execute(
            "SELECT cost, expected_profit, priority_rank, arm, customer_key FROM decisions.campaign_targets"
            " WHERE play = ? ORDER BY priority_rank",
            [name],
        ).fetchall()
        assert [row[2] for row in selected] == list(range(1, len(selected) + 1))
        profits = [row[1] for row in selected]
        assert profits == sorted(profits, reverse=True)
        assert definition.max_customers is None or len(selected) <= definition.max_customers
        assert definition.budget is None or sum(row[0] for row in selected) <= definition.budget
        assert not definition.require_profit or all(profit > 0 for profit in profits)
        limit = round(definition.control_share * 1_000_000)
        for *_, arm, key in selected:
            assert arm == ("control" if bucket(SALT, control_purpose(name), key) < limit else "treatment")


def test_reasons_come_in_a_fixed_order(tmp_path: Path) -> None:
    """Each customer has one thing more against them than the one before; the first in the order is kept."""
    holdout = next(str(n) for n in range(1000) if bucket(SALT, HOLDOUT, key_of(str(n))) < 100_000)
    free = [str(n) for n in range(1000) if bucket(SALT, HOLDOUT, key_of(str(n))) >= 100_000]
    erased, refused, silent, homeless, unscored, worthless, fine = free[:7]
    people = [
        customer(erased, churn_probability=None),
        customer(refused, churn_probability=None),
        customer(silent, churn_probability=None),
        customer(homeless, churn_probability=None),
        customer(holdout, email="h@example.org", churn_probability=None),
        customer(unscored, email="u@example.org", churn_probability=None, margin_365d=0),
        customer(worthless, email="w@example.org", margin_365d=0),
        customer(fine, email="f@example.org"),
    ]
    agreed = [(row["customer_id"], "email", "marketing", "granted") for row in people[3:]]
    feeds = {**CONSENTS_FEED["feeds"], "customers": [{"files": "*.csv", "columns": {"email": "email"}}]}
    config = business({"p": play()}, contact={"holdout_share": 0.1}, feeds=feeds, consent_basis={})
    with warehouse(
        people,
        consents=agreed,
        suppressions=[(erased, "email", "bounced"), (erased, None, "erasure_requested"), (refused, "email", "bounced")],
    ) as con:
        decide(con, config, DAY, tmp_path)
        assert exclusions(con) == {
            ("p", erased): "erasure_requested",
            ("p", refused): "suppressed",
            ("p", silent): "no_consent",
            ("p", homeless): "no_address",
            ("p", holdout): "holdout",
            ("p", unscored): "no_score",
            ("p", worthless): "not_profitable",
        }
        assert targets(con) == [("p", fine, "treatment")]


def test_a_refusal_of_another_channel_does_not_count(tmp_path: Path) -> None:
    with warehouse([customer("a"), customer("b")], suppressions=[("a", "sms", "unsubscribed")]) as con:
        decide(con, business({"p": play()}), DAY, tmp_path)
        assert exclusions(con) == {}


@pytest.mark.parametrize(
    ("status", "channel", "purpose", "is_taken"),
    [
        ("granted", "email", "marketing", True),
        ("withdrawn", "email", "marketing", False),
        ("granted", "sms", "marketing", False),
        ("granted", "email", "service", False),
    ],
)
def test_consent_is_for_a_channel_and_a_purpose(
    tmp_path: Path, status: str, channel: str, purpose: str, is_taken: bool
) -> None:
    # The ground in the configuration counts for nothing where there is a consents feed.
    config = business({"p": play()}, feeds=CONSENTS_FEED["feeds"])
    with warehouse([customer("a")], consents=[("a", channel, purpose, status)]) as con:
        decide(con, config, DAY, tmp_path)
        assert bool(targets(con)) == is_taken


@pytest.mark.parametrize(
    ("basis", "purpose", "channel", "note"),
    [
        ({}, "marketing", "email", "no ground for writing on email: no consents feed and no consent_basis.email"),
        ({"email": "legitimate_interest"}, "marketing", "sms", "no ground for writing on sms"),
        ({"email": "contract"}, "marketing", "email", "the ground contract for email does not cover marketing"),
        ({"email": "contract"}, "service", "email", ""),
        ({"email": "legitimate_interest"}, "marketing", "email", ""),
    ],
)
def test_without_a_ground_nobody_is_written_to(
    tmp_path: Path, basis: dict[str, str], purpose: str, channel: str, note: str
) -> None:
    grounds = {name: {"basis": ground, "note": "Said for the test."} for name, ground in basis.items()}
    config = business({"p": play(purpose=purpose, channel=channel)}, consent_basis=grounds)
    with warehouse([customer("a")]) as con:
        decide(con, config, DAY, tmp_path)
        assert summary(con)["p"][-1].startswith(note)
        assert bool(targets(con)) == (note == "")
        assert exclusions(con) == ({("p", "a"): "no_consent"} if note else {})


def test_plays_choose_by_priority(tmp_path: Path) -> None:
    plays = {
        "a_late": play(priority=20),
        "first": play(priority=10, max_customers=1),
        "b_late": play(priority=20),
    }
    with warehouse([customer("rich", margin_365d=300), customer("poor")]) as con:
        decide(con, business(plays), DAY, tmp_path)
        assert targets(con) == [("a_late", "poor", "treatment"), ("first", "rich", "treatment")]
        assert exclusions(con) == {
            ("first", "poor"): "over_max_customers",
            ("a_late", "rich"): "other_play",
            ("b_late", "rich"): "other_play",
            ("b_late", "poor"): "other_play",
        }


def test_the_control_is_not_taken_by_another_play_either(tmp_path: Path) -> None:
    with warehouse([customer("a")]) as con:
        decide(con, business({"p": play(control_share=1), "q": play()}), DAY, tmp_path)
        assert targets(con) == [("p", "a", "control")]
        assert exclusions(con) == {("q", "a"): "other_play"}


@pytest.mark.parametrize(
    ("days_ago", "cooldown", "between", "reason"),
    [
        (1, 0, 0, None),
        (29, 30, 7, "cool_down"),
        (30, 30, 7, None),
        (6, 0, 7, "recent_contact"),
        (7, 0, 7, None),
        (6, 30, 7, "cool_down"),
    ],
)
@pytest.mark.parametrize("control_share", [0, 1], ids=["treatment", "control"])
def test_pause_after_a_play(
    tmp_path: Path, days_ago: int, cooldown: int, between: int, reason: str | None, control_share: int
) -> None:
    config = business(
        {"p": play(cooldown_days=cooldown, control_share=control_share)},
        contact={"holdout_share": 0, "min_days_between": between},
    )
    with warehouse([customer("a")], day=days_before(days_ago)) as con:
        decide_and_keep(con, config, tmp_path, days_before(days_ago))
        set_day(con, [customer("a")], DAY)
        decide(con, config, DAY, tmp_path)
        assert exclusions(con) == ({("p", "a"): reason} if reason else {})


def test_the_pause_holds_across_plays_and_the_cool_down_does_not(tmp_path: Path) -> None:
    contact = {"holdout_share": 0, "min_days_between": 7}
    before = business({"p": play(cooldown_days=300)}, contact=contact)
    after = business({"q": play(cooldown_days=300)}, contact=contact)
    with warehouse([customer("a")], day=days_before(8)) as con:
        decide_and_keep(con, before, tmp_path, days_before(8))
        for ago, expected in ((7, {("q", "a"): "recent_contact"}), (2, {("q", "a"): "recent_contact"}), (1, {})):
            set_day(con, [customer("a")], days_before(ago))
            decide(con, after, days_before(ago), tmp_path)
            assert exclusions(con) == expected


def test_an_older_day_does_not_look_at_later_ones(tmp_path: Path) -> None:
    config = business({"p": play(cooldown_days=30)}, contact={"holdout_share": 0, "min_days_between": 7})
    people = [customer(str(number)) for number in range(5)]
    with warehouse(people, day=days_before(3)) as con:
        decide_and_keep(con, config, tmp_path, days_before(3))
        once = targets(con, "*")
        kept = (tmp_path / "decisions" / f"{days_before(3)}.parquet").read_bytes()
        for day in (days_before(2), DAY):
            set_day(con, people, day)
            decide_and_keep(con, config, tmp_path, day)
            assert targets(con) == []
        set_day(con, people, days_before(3))
        decide_and_keep(con, config, tmp_path, days_before(3))
        assert targets(con, "*") == once
        assert (tmp_path / "decisions" / f"{days_before(3)}.parquet").read_bytes() == kept


def test_arms_do_not_depend_on_others_nor_on_the_day(tmp_path: Path) -> None:
    config = business(
        {"p": play(control_share=0.5), "q": play(control_share=0.5, who="NOT is_active", goal="win_back")}
    )
    people = [customer(str(number)) for number in range(60)]
    with warehouse(people) as con:
        decide_and_keep(con, config, tmp_path, DAY)
        arms = {customer_id: arm for _, customer_id, arm in targets(con)}
        assert 15 < sum(arm == "control" for arm in arms.values()) < 45
        fewer = [customer(row["customer_id"], churn_probability=0.9) for row in people[::7]]
        set_day(con, fewer, date(2026, 9, 1))
        decide(con, config, date(2026, 9, 1), tmp_path)
        later = {customer_id: arm for _, customer_id, arm in targets(con)}
        assert later == {customer_id: arms[customer_id] for customer_id in later}
        assert len(later) == len(fewer)
        # Another play draws its arms apart.
        gone = [{**row, "is_active": False, "margin_before_loss_365d": 200} for row in people]
        set_day(con, gone, DAY)
        decide(con, config, DAY, tmp_path / "other")
        others = {customer_id: arm for _, customer_id, arm in targets(con)}
        assert 15 < sum(others[customer_id] != arms[customer_id] for customer_id in others) < 45


def test_who_was_in_an_arm_stays_there_when_the_share_changes(tmp_path: Path) -> None:
    people = [customer(str(number)) for number in range(40)]
    with warehouse(people, day=days_before(1)) as con:
        decide_and_keep(con, business({"p": play(control_share=0.5)}), tmp_path, days_before(1))
        before, identity = targets(con), targets(con, "experiment_id")[0]
        set_day(con, [*people, *(customer(f"new {number}") for number in range(40))], DAY)
        decide(con, business({"p": play(control_share=0)}), DAY, tmp_path)
        after = {customer_id: arm for _, customer_id, arm in targets(con)}
        assert {customer_id: after[customer_id] for _, customer_id, _ in before} == {c: arm for _, c, arm in before}
        assert {after[f"new {number}"] for number in range(40)} == {"treatment"}
        assert targets(con, "experiment_id")[0] != identity


def test_raising_the_holdout_only_adds_to_it(tmp_path: Path) -> None:
    people = [customer(str(number)) for number in range(80)]
    held: list[set[str]] = []
    with warehouse(people) as con:
        for share in (0, 0.1, 0.4, 1):
            decide(con, business({"p": play()}, contact={"holdout_share": share}), DAY, tmp_path)
            held.append({customer_id for (_, customer_id), reason in exclusions(con).items() if reason == "holdout"})
    assert held[0] == set()
    assert held[0] < held[1] < held[2] < held[3]
    assert len(held[3]) == 80


def test_limits_count_both_arms(tmp_path: Path) -> None:
    """Whoever is selected is selected whatever the arm: with and without a control the same customers."""
    people = [customer(f"{number:02}", margin_365d=100 + number) for number in range(30)]
    limits = {"contact_cost": "1.00", "budget": "12.50"}
    with warehouse(people) as con:
        chosen = []
        for control_share in (0, 0.5):
            decide(
                con, business({"p": play(control_share=control_share, **limits)}), DAY, tmp_path / str(control_share)
            )
            chosen.append([customer_id for (customer_id,) in targets(con, "customer_id")])
        assert chosen[0] == chosen[1] == [f"{number:02}" for number in range(29, 17, -1)]
        treated, cost = summary(con)["p"][1], summary(con)["p"][4]
        assert cost == Decimal("1.00") * treated
        assert 0 < treated < 12
        assert set(exclusions(con).values()) == {"over_budget"}


def test_ties_are_broken_by_the_key(tmp_path: Path) -> None:
    people = [customer(str(number)) for number in range(20)]
    with warehouse(people) as con, warehouse(people[::-1]) as other:
        for connection in (con, other):
            decide(connection, business({"p": play(max_customers=5)}), DAY, tmp_path)
        chosen = [key for (key,) in targets(con, "customer_key")]
        assert chosen == [key for (key,) in targets(other, "customer_key")]
        assert chosen == sorted(key_of(row["customer_id"]) for row in people)[:5]


def test_a_day_without_a_model(tmp_path: Path) -> None:
    people = [
        customer("active", churn_probability=None),
        customer("leaving", churn_probability=None, has_given_notice=True),
        customer("gone", churn_probability=None, is_active=False, margin_before_loss_365d=100),
    ]
    plays = {
        "by_score": play(who="churn_probability > 0.3", priority=1),
        "by_band": play(who="is_active AND risk_band = 'high'", churn_prior=0.5, priority=2),
        "by_prior": play(who="is_active AND NOT has_given_notice", churn_prior=0.5, priority=3),
        "back": play(who="NOT is_active", goal="win_back", priority=4),
        "mixed": play(who="is_active OR risk_band = 'high'", priority=5),
    }
    with warehouse(people) as con:
        decide(con, business(plays), DAY, tmp_path)
        assert targets(con) == [
            ("back", "gone", "treatment"), ("by_prior", "active", "treatment"), ("mixed", "leaving", "treatment"),
        ]  # fmt: skip
        assert exclusions(con) == {
            ("by_score", "active"): "no_score",
            ("by_band", "active"): "no_score",
            ("mixed", "active"): "no_score",
        }
        notes = {name: values[-1] for name, values in summary(con).items()}
    needs = "no churn model for the day: who needs a score is left out"
    assert notes == {"by_score": needs, "by_band": needs, "by_prior": "", "back": "", "mixed": needs}


def test_a_row_says_all_that_the_message_needs(tmp_path: Path) -> None:
    who = customer("a", language="de", country='Österreich "x"', orders_30d=2, average_basket=12.5)
    of_play = play(
        reasons={
            "z_late": "orders_30d > 1",
            "a_first": "is_active",
            "never": "NOT is_active",
            "unknown": "last_nps > 3",
        },
        personalisation=["country", "orders_30d", "last_nps"],
        send_hour=18,
        valid_days=5,
        offers=[offer("word")],
    )
    with warehouse([who, customer("b", margin_365d=1)]) as con:
        decide(con, business({"p": of_play}), DAY, tmp_path)
        found = targets(con, "as_of, offer, channel, language, send_at, expires_on, reason_codes, personalisation")
    moment, last = datetime(2026, 4, 1, 18), date(2026, 4, 5)
    assert found == [
        (DAY, "word", "email", "de", moment, last, "a_first|z_late",
         '{"country":"Österreich \\"x\\"","orders_30d":2,"last_nps":null}'),
        (DAY, "word", "email", "fr", moment, last, "a_first", '{"country":null,"orders_30d":null,"last_nps":null}'),
    ]  # fmt: skip


def test_deciding_again_changes_nothing(tmp_path: Path) -> None:
    people = [customer(str(number), margin_365d=number) for number in range(30)]
    config = business({"p": play(control_share=0.3, max_customers=9), "q": play()})
    with warehouse(people) as con:
        found = []
        for _ in range(2):
            decide_and_keep(con, config, tmp_path)
            found.append([con.execute(f"FROM decisions.{table}").fetchall() for table in (
                "campaign_targets", "campaign_exclusions", "campaign_summary")])  # fmt: skip
        assert found[0] == found[1]
        assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE temporary").fetchall() == [(0,)]


def test_without_plays_the_tables_are_there_and_empty(tmp_path: Path) -> None:
    with warehouse([customer("a")]) as con:
        decide(con, business({}), DAY, tmp_path)
        assert targets(con) == []
        assert summary(con) == {}


def test_nobody_qualifies(tmp_path: Path) -> None:
    with warehouse([customer("a")]) as con:
        decide(con, business({"p": play(who="NOT is_active")}), DAY, tmp_path)
        assert summary(con) == {"p": (0, 0, 0, 0, 0, 0, "nobody qualifies")}


def test_a_wrong_play_is_refused_with_its_key(tmp_path: Path) -> None:
    wrong = business({"fine": play(), "p": play(reasons={"late": "overdue_rato > 1"})})
    with (
        warehouse([customer("a")]) as con,
        pytest.raises(RetentionError, match=r"plays\.p\.reasons\.late.*overdue_rato"),
    ):
        decide(con, wrong, DAY, tmp_path)


def test_a_broken_file_of_earlier_decisions_is_named(tmp_path: Path) -> None:
    (tmp_path / "decisions").mkdir()
    (tmp_path / "decisions" / f"{days_before(1)}.parquet").write_bytes(b"PAR1 not really")
    with warehouse([customer("a")]) as con:
        with pytest.raises(RetentionError, match="state/decisions"):
            decide(con, business({"p": play()}), DAY, tmp_path)
        # A later day's file does not matter, nor does what a killed run left.
        (tmp_path / "decisions" / f"{days_before(1)}.parquet").rename(tmp_path / "decisions" / f".{DAY}.parquet.tmp")
        (tmp_path / "decisions" / "2027-01-01.parquet").write_bytes(b"")
        decide(con, business({"p": play()}), DAY, tmp_path)
        assert len(targets(con)) == 1


def test_marts_of_another_day_are_a_defect(tmp_path: Path) -> None:
    with warehouse([customer("a")], day=days_before(1)) as con, pytest.raises(ValueError, match="2026-03-30"):
        decide(con, business({"p": play()}), DAY, tmp_path)
