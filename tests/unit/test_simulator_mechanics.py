"""The parts of the simulator: randomness by purpose, the calendar, knobs, files, saved states."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from retention_pipeline.errors import RetentionError
from retention_pipeline.settings import PROJECT
from retention_pipeline.simulator import texts
from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.calendar import Calendar
from retention_pipeline.simulator.draws import Draws
from retention_pipeline.simulator.knobs import Knobs, read_knobs
from retention_pipeline.simulator.market import fx_value
from retention_pipeline.simulator.simulation import Simulation
from tests.pipelines import folder_digest
from tests.unit.simulated import MONTHLY, simulated


@given(seed=st.integers(0, 2**32), day=st.integers(0, 5000), few=st.integers(0, 50), more=st.integers(0, 500))
def test_a_customer_draws_the_same_whoever_comes_after(seed: int, day: int, few: int, more: int) -> None:
    draws = Draws(seed)
    assert np.array_equal(draws.uniform("p", day, few), draws.uniform("p", day, few + more)[:few])
    assert np.array_equal(draws.normal("p", day, few), draws.normal("p", day, few + more)[:few])


def test_purposes_days_and_universes_have_streams_of_their_own() -> None:
    first = Draws(1).uniform("a", 3, 20)
    for other in (Draws(1).uniform("b", 3, 20), Draws(1).uniform("a", 4, 20), Draws(1, 1).uniform("a", 3, 20)):
        assert not np.array_equal(first, other)


@given(day=st.integers(0, 3000), months=st.integers(0, 36))
def test_months_are_added_to_the_calendar(day: int, months: int) -> None:
    calendar = Calendar(date(2024, 1, 31))
    start, end = calendar.date_of(day), calendar.date_of(int(calendar.add_months(np.array([day]), months)[0]))
    number = start.year * 12 + start.month - 1 + months
    assert end == date(number // 12, number % 12 + 1, min(start.day, 28))


@given(customer=st.integers(0, 10**7), day=st.integers(0, 3000), salt=st.integers(0, 70))
def test_moments_lie_within_the_business_day(customer: int, day: int, salt: int) -> None:
    calendar = Calendar(date(2024, 1, 1))
    moment = datetime.fromtimestamp(int(calendar.moment(np.array([customer]), day, salt)[0]), UTC)
    assert moment.astimezone(ZoneInfo("Europe/Paris")).date() == calendar.date_of(day) == moment.date()


@given(amount=st.integers(0, 10**9), rate=st.integers(10**5, 10**10), months=st.sampled_from([1, 12]))
def test_values_are_rounded_half_up_and_exactly(amount: int, rate: int, months: int) -> None:
    value = int(fx_value(np.array([amount]), np.array([rate]), np.array([months]))[0])
    assert value == (2 * amount * rate + months * 10**8) // (2 * months * 10**8)


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, str | None]]:
    for name, field in model.model_fields.items():
        yield name, field.description
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation)


def test_every_knob_is_described_and_documented() -> None:
    page = (PROJECT / "docs" / "simulator.md").read_text(encoding="utf-8")
    for name, description in _fields(Knobs):
        assert description and description.endswith("."), name
        assert f"`{name}`" in page, name


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("custommers: 5", "custommers"),
        ("leaving: {fades_share: 2}", "fades_share"),
        ("leaving: {rates: {boredom: 1}}", "boredom"),
        ("exports: {cadence: {orders: day}}", "orders"),
        ("- 1", "no mapping"),
        ("a: [", "read"),
    ],
)
def test_wrong_knobs_are_named(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "knobs.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RetentionError, match=found):
        read_knobs(tmp_path / "knobs.yaml")


def test_the_command_line_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "knobs.yaml").write_text(yaml.safe_dump({"customers": 33, "seed": 5}), encoding="utf-8")
    knobs = read_knobs(tmp_path / "knobs.yaml", seed=9, days=None)
    assert (knobs.customers, knobs.seed, knobs.days) == (33, 9, Knobs().days)


@pytest.mark.parametrize("kind", ["saas", "shop"])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, kind: str) -> None:
    digests = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        simulated(tmp_path / name / "business", kind=kind, seed=seed, days=40)
        digests.append((folder_digest(tmp_path / name / "business" / "exports"), folder_digest(tmp_path / name)))
    assert digests[0] == digests[1]
    assert digests[0][0] != digests[2][0]


@pytest.mark.parametrize("kind", ["saas", "shop"])
def test_going_on_from_a_saved_state_is_as_if_never_stopped(tmp_path: Path, kind: str) -> None:
    whole = simulated(tmp_path / "whole", kind=kind, days=90)
    parts = Simulation.start(whole.world.knobs, tmp_path / "parts")
    parts.run(63)
    parts.save()
    parts = Simulation.resume(tmp_path / "parts")
    parts.run(27)
    for name, values in whole.world.state.columns.items():
        assert np.array_equal(values, parts.world.state[name]), name
    with duckdb.connect() as con:
        for stem in ("app_events", "shop_order_lines", "mail_events", *(["app_usage"] if kind == "saas" else [])):
            one, other = (
                f"(SELECT DISTINCT * FROM '{tmp_path / folder}/exports/{stem}_*.parquet')"
                for folder in ("whole", "parts")
            )
            # What comes late or twice differs with the days of delivery: what was delivered in the end does not, but
            # for the rows that are still on their way.
            missing, more = (
                con.execute(f"SELECT count(*) FROM (FROM {a} EXCEPT FROM {b})").fetchall()[0][0]
                for a, b in ((one, other), (other, one))
            )
            total = con.execute(f"SELECT count(*) FROM {one}").fetchall()[0][0]
            assert max(missing, more) <= 0.03 * total, stem


def test_rows_come_late_and_twice(tmp_path: Path) -> None:
    on_time = {"cadence": MONTHLY, "late_share": 0.0, "duplicate_share": 0.0}
    simulated(tmp_path / "on_time", exports=on_time)
    simulated(tmp_path / "late", exports={**on_time, "late_share": 0.05, "duplicate_share": 0.03})
    with duckdb.connect() as con:
        rows = {
            name: con.execute(
                "SELECT count(*), count(DISTINCT (customer_id, used_on, feature)), count(*) FILTER (WHERE"
                " date_trunc('month', used_on) <"
                " date_trunc('month', regexp_extract(filename, '(.{10}).parquet', 1)::DATE))"
                f" FROM read_parquet('{tmp_path / name}/exports/app_usage_*.parquet', filename = true)"
            ).fetchall()[0]
            for name in ("on_time", "late")
        }
    assert rows["on_time"][0] == rows["on_time"][1] and rows["on_time"][2] == 0
    assert rows["late"][0] > rows["late"][1] and rows["late"][2] > 0
    assert 0.95 < rows["late"][1] / rows["on_time"][1] <= 1  # the last late rows are still on their way


def test_exports_of_others_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "real" / "exports").mkdir(parents=True)
    (tmp_path / "real" / "exports" / "orders.csv").write_text("a\n1\n", encoding="utf-8")
    with pytest.raises(RetentionError, match="no simulation wrote"):
        Simulation.start(Knobs(), tmp_path / "real")
    assert (tmp_path / "real" / "exports" / "orders.csv").exists()


def test_a_lost_state_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RetentionError, match="saved state"):
        Simulation.resume(tmp_path / "nothing")


@settings(max_examples=50)
@given(
    theme=st.integers(0, texts.PLAIN),
    language=st.integers(0, 1),
    chances=st.tuples(*[st.floats(0, 1, exclude_max=True)] * 3),
)
def test_every_theme_has_words_in_both_languages(theme: int, language: int, chances: tuple[float, ...]) -> None:
    written = texts.write(np.array([theme]), np.array([language]), np.array([chances]))[0]
    assert len(written) > 10
    assert not set(written) & set("{}_")


def test_names_of_codes_are_told_apart() -> None:
    for names in (words.CAUSES, words.REASON_CODES, words.KINDS, words.EVENTS, words.END_KINDS):
        assert len(set(names)) == len(names)
