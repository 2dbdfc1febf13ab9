"""The files that leave the house: what is in them, how they are written, and that a reader never sees half of them."""

from __future__ import annotations

import csv
import json
import stat
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_pipeline.campaigns.deciding import decide
from retention_pipeline.campaigns.lists import COLUMNS
from retention_pipeline.campaigns.releasing import release
from retention_pipeline.workspace.schema import Retention
from tests.pipelines import folder_digest
from tests.unit.campaign_data import DAY, business, customer, offer, play, targets, warehouse

CUSTOMERS_FEED = {
    "order_lines": [{"files": "*.csv", "columns": {}}],
    "customers": [{"files": "*.csv", "columns": {"email": "email", "phone": "phone"}}],
}


def released(con: duckdb.DuckDBPyConnection, config: Retention, folder: Path) -> Path:
    """Decide and release; the folder of the day."""
    decide(con, config, DAY, folder / "state")
    release(con, config, DAY, folder / "lists", folder / "state")
    return folder / "lists" / DAY.isoformat()


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, strict=True))


def read_parquet(path: Path) -> list[dict[str, Any]]:
    with duckdb.connect() as con:
        found = con.execute("SELECT * FROM read_parquet(?)", [str(path)])
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_a_row_of_a_list(tmp_path: Path) -> None:
    who = customer(
        "A 17", email="anna@example.org", phone="+33123456789", language="de", orders_30d=3, country="Réunion"
    )
    config = business(
        {"p": play(personalisation=["country", "orders_30d", "language"], reasons={"buys": "orders_30d > 1"})},
        feeds=CUSTOMERS_FEED,
    )
    with warehouse([who]) as con:
        day = released(con, config, tmp_path)
        key, experiment = targets(con, "customer_key, experiment_id")[0]
    assert read_csv(day / "p.csv") == [
        {
            "list_id": "p-2026-03-31",
            "customer_id": "A 17",
            "customer_key": key,
            "address": "anna@example.org",
            "play": "p",
            "offer": "message",
            "offer_title": "Message",
            "channel": "email",
            "language": "de",
            "send_at": "2026-04-01 10:00:00",
            "expires_on": "2026-04-14",
            "reason_codes": "buys",
            "churn_probability": "0.5",
            "expected_value": "100.00",
            "expected_profit": "5.00",
            "arm": "treatment",
            "experiment_id": experiment,
            "country": "Réunion",
            "orders_30d": "3",
        }
    ]


@pytest.mark.parametrize(
    ("channel", "address"),
    [("email", "a@example.org"), ("sms", "+33123456789"), ("phone", "+33123456789"), ("post", None)],
)
def test_the_address_is_that_of_the_channel(tmp_path: Path, channel: str, address: str | None) -> None:
    grounds = {channel: {"basis": "consent", "note": "Asked when they signed up."}}
    config = business({"p": play(channel=channel)}, feeds=CUSTOMERS_FEED, consent_basis=grounds)
    with warehouse([customer("a", email="a@example.org", phone="+33123456789")]) as con:
        day = released(con, config, tmp_path)
    assert [row["address"] for row in read_parquet(day / "p.parquet")] == [address]
    assert [row["address"] for row in read_csv(day / "p.csv")] == [address or ""]


def test_the_control_is_on_no_list(tmp_path: Path) -> None:
    config = business({"p": play(control_share=0.5)})
    with warehouse([customer(str(number)) for number in range(30)]) as con:
        day = released(con, config, tmp_path)
        treated = {customer_id for _, customer_id, arm in targets(con) if arm == "treatment"}
    assert 0 < len(treated) < 30
    assert {row["customer_id"] for row in read_csv(day / "p.csv")} == treated
    assert {row["customer_id"] for row in read_parquet(day / "p.parquet")} == treated
    kept = read_parquet(tmp_path / "state" / "decisions" / f"{DAY}.parquet")
    assert len(kept) == 30
    assert {row["arm"] for row in kept} == {"treatment", "control"}


def test_an_empty_list_is_a_header(tmp_path: Path) -> None:
    config = business({"p": play(who="NOT is_active", personalisation=["country"])})
    with warehouse([customer("a")]) as con:
        day = released(con, config, tmp_path)
        assert release(con, config, DAY, tmp_path / "lists", tmp_path / "state") == {"p": 0}
    assert (day / "p.csv").read_bytes() == ",".join([*COLUMNS, "country"]).encode() + b"\r\n"
    assert read_parquet(day / "p.parquet") == []
    with duckdb.connect() as con:
        described = con.execute("DESCRIBE FROM read_parquet(?)", [str(day / "p.parquet")]).fetchall()
    assert [row[0] for row in described] == [*COLUMNS, "country"]
    assert dict(row[:2] for row in described)["expected_profit"] == "DECIMAL(18,2)"


HARMLESS = {
    "=1+1": "'=1+1",
    "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0",
    "-2+3": "'-2+3",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'\t=1",
    "\r=1": "'\r=1",
    "＝1+1": "'＝1+1",  # noqa: RUF001
    "-5": "-5",
    "+33123456789": "+33123456789",
    "-1,5": "-1,5",
    "a=1": "a=1",
    "'=1": "'=1",
    "": "",
}


@pytest.mark.parametrize("text", HARMLESS)
def test_a_spreadsheet_runs_nothing(tmp_path: Path, text: str) -> None:
    config = business({"p": play(personalisation=["country"])})
    with warehouse([customer("=HYPERLINK(1)", country=text)]) as con:
        day = released(con, config, tmp_path)
    (row,) = read_csv(day / "p.csv")
    assert row["country"] == HARMLESS[text]
    assert row["customer_id"] == "'=HYPERLINK(1)"
    (exact,) = read_parquet(day / "p.parquet")
    assert (exact["country"], exact["customer_id"]) == (text, "=HYPERLINK(1)")


def test_a_negative_number_stays_a_number(tmp_path: Path) -> None:
    config = business({"p": play(contact_cost="9.00", require_profit=False)})
    with warehouse([customer("a")]) as con:
        day = released(con, config, tmp_path)
    assert read_csv(day / "p.csv")[0]["expected_profit"] == "-4.00"


@settings(max_examples=15, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12), max_size=6)
)
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("lists")
    config = business({"p": play(personalisation=["country"], offers=[offer(title='Été, "cher"\nà vous')])})
    people = [customer(f"é,\"{number}\n'", country=text) for number, text in enumerate(texts)]
    with warehouse(people) as con:
        day = released(con, config, folder)
    exact = {row["customer_id"]: row["country"] for row in read_parquet(day / "p.parquet")}
    assert exact == {row["customer_id"]: row["country"] for row in people}
    shown = read_csv(day / "p.csv")
    assert len(shown) == len(texts)
    for row in shown:
        assert row["offer_title"] == 'Été, "cher"\nà vous'
        text = exact[row["customer_id"]]
        assert row["country"] in (text, f"'{text}")
        assert row["country"][:1] not in ("=", "@", "\t", "\r")


def test_the_same_again_gives_the_same_bytes(tmp_path: Path) -> None:
    config = business({"p": play(control_share=0.2, personalisation=["country"]), "q": play()})
    people = [customer(str(number), country=f"land {number % 3}") for number in range(50)]
    with warehouse(people) as con:
        day = released(con, config, tmp_path)
        once, kept = folder_digest(day), folder_digest(tmp_path / "state")
        assert len(once) == 5
        released(con, config, tmp_path)
        assert (folder_digest(day), folder_digest(tmp_path / "state")) == (once, kept)
    with warehouse(people[::-1]) as con:
        con.execute("SET threads = 1")
        elsewhere = released(con, config, tmp_path / "elsewhere")
    assert folder_digest(elsewhere) == once


def test_the_manifest_tells_what_was_written(tmp_path: Path) -> None:
    config = business({"p": play(title="Prüfung"), "empty": play(who="NOT is_active")})
    with warehouse([customer("a"), customer("b", margin_365d=0)]) as con:
        con.execute("INSERT INTO decisions.churn_model VALUES (?, 'model 7')", [DAY])
        day = released(con, config, tmp_path)
    manifest = json.loads((day / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["business"], manifest["as_of"], manifest["model_id"]) == ("tested", "2026-03-31", "model 7")
    shown = manifest["plays"]["p"]
    assert {name: shown[name] for name in ("title", "eligible", "treatment", "control", "excluded", "list_id")} == {
        "title": "Prüfung", "eligible": 2, "treatment": 1, "control": 0, "excluded": 1, "list_id": "p-2026-03-31",
    }  # fmt: skip
    for play_name in ("p", "empty"):
        for name, digest in manifest["plays"][play_name]["sha256"].items():
            assert sha256((day / name).read_bytes()).hexdigest() == digest


def test_only_the_owner_can_read_lists(tmp_path: Path) -> None:
    with warehouse([customer("a")]) as con:
        day = released(con, business({"p": play()}), tmp_path)
    assert stat.S_IMODE(day.stat().st_mode) == 0o700
    for path in (*day.iterdir(), *(tmp_path / "state" / "decisions").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_play_that_is_gone_leaves_no_file_behind(tmp_path: Path) -> None:
    with warehouse([customer("a")]) as con:
        released(con, business({"p": play(), "q": play()}), tmp_path)
        day = released(con, business({"q": play()}), tmp_path)
    assert sorted(path.name for path in day.iterdir()) == ["manifest.json", "q.csv", "q.parquet"]
    assert sorted(path.name for path in day.parent.iterdir()) == ["2026-03-31"]


def test_a_failure_leaves_the_lists_of_before(tmp_path: Path) -> None:
    config = business({"p": play(), "q": play(who="NOT is_active")})
    with warehouse([customer("a")]) as con:
        day = released(con, config, tmp_path)
        before = folder_digest(day)
        con.execute("DROP TABLE intermediate.int_customer_records")
        with pytest.raises(duckdb.CatalogException):
            release(con, config, DAY, tmp_path / "lists", tmp_path / "state")
    assert folder_digest(day) == before
    assert sorted(path.name for path in day.parent.iterdir()) == ["2026-03-31"]


def test_what_a_killed_run_left_is_cleared(tmp_path: Path) -> None:
    for leftover in (".2026-03-31.build", ".2026-03-31.replaced"):
        (tmp_path / "lists" / leftover).mkdir(parents=True)
        (tmp_path / "lists" / leftover / "p.csv").write_text("half")
    with warehouse([customer("a")]) as con:
        day = released(con, business({"p": play()}), tmp_path)
    assert sorted(path.name for path in day.parent.iterdir()) == ["2026-03-31"]
    assert len(read_csv(day / "p.csv")) == 1


def test_a_warehouse_that_is_only_read_is_enough(tmp_path: Path) -> None:
    config = business({"p": play()})
    with warehouse([customer("a")], path=tmp_path / "w.duckdb") as con:
        decide(con, config, DAY, tmp_path / "state")
    with duckdb.connect(str(tmp_path / "w.duckdb"), read_only=True) as con:
        assert release(con, config, DAY, tmp_path / "lists", tmp_path / "state") == {"p": 1}


def test_other_days_are_not_touched(tmp_path: Path) -> None:
    earlier = tmp_path / "lists" / "2026-03-30"
    earlier.mkdir(parents=True)
    (earlier / "p.csv").write_text("sent")
    with warehouse([customer("a")]) as con:
        released(con, business({"p": play()}), tmp_path)
    assert (earlier / "p.csv").read_text() == "sent"
