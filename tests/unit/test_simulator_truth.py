"""What the simulator says of itself: books that balance, signals that are true, and a truth that stays apart."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from retention_pipeline.errors import RetentionError
from retention_pipeline.simulator import truth
from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.comparing import books_from_exports
from retention_pipeline.simulator.knobs import Knobs
from retention_pipeline.simulator.simulation import Simulation
from retention_pipeline.workspace.check import render_check
from tests.pipelines import folder_digest
from tests.unit.simulated import MONTHLY, example, simulated

OWN_WORDS = {"administrative_error", "deceased"}
"""Causes that a cancellation form offers as reasons too."""


def _rows(sql: str) -> list[tuple]:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        return con.execute(sql).fetchall()


def _export(folder: Path, stem: str) -> str:
    files = sorted((folder / "business" / "exports").glob(f"{stem}_*"))
    names = ", ".join(f"'{path}'" for path in files)
    if files[0].suffix == ".parquet":
        return f"read_parquet([{names}])"
    return f"read_json([{names}])" if ".jsonl" in files[0].name else f"read_csv([{names}], all_varchar = true)"


def test_the_movements_explain_every_change_of_revenue() -> None:
    days = _rows(f"SELECT * FROM '{example('saas')}/business_truth/mrr_by_day/*.parquet' ORDER BY day")
    closing_before = 0
    seen = [False] * len(words.MOVEMENTS)
    for _day, opening, *movements, closing, _customers in days:
        new, expansion, contraction, churned, reactivation, paused, resumed, fx = movements
        assert opening == closing_before
        assert opening + new + expansion + reactivation + resumed + fx - contraction - churned - paused == closing
        assert min(movements[:-1]) >= 0
        seen = [before or amount != 0 for before, amount in zip(seen, movements, strict=True)]
        closing_before = closing
    assert len(days) == 390
    assert all(seen), dict(zip(words.MOVEMENTS, seen, strict=True))


def test_the_exports_alone_give_the_same_revenue_each_day() -> None:
    folder = example("saas")
    told = _rows(f"SELECT day::VARCHAR, closing FROM '{folder}/business_truth/mrr_by_day/*.parquet' ORDER BY day")
    assert books_from_exports(folder / "business" / "exports") == told


def test_payments_and_messages_are_told_as_they_are_exported() -> None:
    folder = example("saas")
    truth_of = f"{folder}/business_truth"
    told = _rows(f"SELECT count(*), count(*) FILTER (WHERE is_failed) FROM '{truth_of}/payments/*.parquet'")
    exported = _rows(
        "SELECT count(DISTINCT attempt_id), count(DISTINCT attempt_id) FILTER (WHERE outcome = 'failed')"
        f" FROM {_export(folder, 'billing_attempts')}"
    )
    assert told == exported
    assert 0 < told[0][1] < told[0][0]
    first = _rows(
        f"SELECT count(*), count(DISTINCT invoice), min(value) > 0 FROM '{truth_of}/payments/*.parquet' WHERE is_first"
    )
    invoices = _rows(f"SELECT count(DISTINCT invoice_id) FROM {_export(folder, 'billing_invoices')}")[0][0]
    assert first == [(invoices, invoices, True)]
    events = ("sent", "delivered", "opened", "clicked", "bounced", "unsubscribed")
    counts = ", ".join(f"count(*) FILTER (WHERE {event})" for event in events[1:])
    outcomes = _rows(f"SELECT count(*), {counts} FROM '{truth_of}/messages/*.parquet'")[0]
    mails = dict(_rows(f"SELECT event, count(DISTINCT message_id) FROM {_export(folder, 'mail_events')} GROUP BY ALL"))
    # A hundredth of the events comes late, with a file that is not there yet for the last ones.
    assert all(0 <= there - mails[event] <= 10 for event, there in zip(events, outcomes, strict=True))


@pytest.mark.parametrize("kind", ["saas", "shop"])
def test_nothing_of_the_truth_is_in_the_exports(kind: str) -> None:
    folder = example(kind)
    business = folder / "business"
    assert {path.name for path in business.iterdir()} == {"exports", "retention.yaml", "ATTRIBUTION.md"}
    assert not any(path.is_symlink() for path in business.rglob("*"))
    told = {path.name for path in (folder / "business_truth").rglob("*")}
    assert {"settings.json", "customers.parquet", "state.npz"} <= told
    hidden = {*truth.TRAITS, "satisfaction", "hazard", "intent", "will_fade", "decides_on", "effect", "arm", "turned"}
    # Single words, such as price, are also used by customers.
    secrets = {word for word in (*words.KINDS, *words.CAUSES, "hazards_by_day") if "_" in word} - OWN_WORDS
    secrets |= {"persuadable", "counterfactual"}
    stems = {path.name.rsplit("_", 1)[0] for path in (business / "exports").iterdir()}
    assert len(stems) >= 14
    for stem in stems:
        source = _export(folder, stem)
        types = {row[0]: row[1] for row in _rows(f"DESCRIBE FROM {source}")}
        # `satisfaction` of a ticket is the customer's own rating, `kind` that of a ticket or an order line.
        assert not (set(types) & hidden) - {"satisfaction", "kind"}, stem
        cells = ", ".join(f'"{name}"' for name, kind in types.items() if kind == "VARCHAR")
        any_secret = f"regexp_matches(concat_ws(' ', {cells}), '{'|'.join(sorted(secrets))}')"
        assert _rows(f"SELECT count(*) FROM {source} WHERE {any_secret}") == [(0,)], stem
    settings = (business / "retention.yaml").read_text(encoding="utf-8")
    assert not any(name in settings for name in (*words.KINDS, "business_truth", "state.npz"))


def test_the_truth_may_not_lie_in_the_business(tmp_path: Path) -> None:
    for inside in (tmp_path / "b" / "truth", tmp_path / "b" / "exports", tmp_path / "b"):
        with pytest.raises(RetentionError, match="within the folder of the business"):
            Simulation.start(Knobs(), tmp_path / "b", inside)


@pytest.mark.parametrize("kind", ["saas", "shop"])
def test_the_configuration_that_is_written_is_in_order(kind: str) -> None:
    good, text = render_check(example(kind) / "business")
    assert good, text


def test_signals_precede_losses_and_decoys_do_not() -> None:
    """Of who asks to cancel and who does not: looks at the cancellation page, and at help, in the 10 days before."""
    folder = example("saas")
    views = (
        "WITH asked AS (SELECT DISTINCT customer_id, cancel_requested_at[:10]::DATE AS day"
        f" FROM {_export(folder, 'billing_subscriptions')} WHERE cancel_requested_at IS NOT NULL"
        # An intention of this cause ripens within days.
        " AND cancel_reason NOT IN ('business_closed', 'deceased', 'administrative_error') AND ended_at IS NULL),"
        f" views AS (SELECT customer_id, occurred_at::DATE AS day, name FROM {_export(folder, 'app_events')}),"
        " counted AS (SELECT asked.*, bool_or(views.name = 'cancel_viewed') AS cancels,"
        " bool_or(views.name = 'help_viewed') AS helps"
        " FROM asked LEFT JOIN views ON views.customer_id = asked.customer_id"
        " AND views.day BETWEEN asked.day - {back} AND asked.day - {until} GROUP BY ALL)"
        " SELECT count(*), avg(coalesce(cancels, false)::INT), avg(coalesce(helps, false)::INT) FROM counted"
    )
    count, cancels, helps = _rows(views.replace("{back}", "10").replace("{until}", "1"))[0]
    _, cancels_long_before, _ = _rows(views.replace("{back}", "80").replace("{until}", "71"))[0]
    assert count >= 30
    assert cancels > 0.6 and cancels_long_before < 0.15
    # Help is looked at as by everybody: ten days at the same chance, within four standard deviations.
    usual = 1 - (1 - Knobs().signals.help_view_per_day) ** 10
    assert abs(helps - usual) < 4 * (usual * (1 - usual) / count) ** 0.5


def test_use_falls_before_a_request_to_cancel() -> None:
    folder = example("saas")
    late, early = (
        _rows(
            "WITH asked AS (SELECT DISTINCT customer_id, cancel_requested_at[:10]::DATE AS day"
            f" FROM {_export(folder, 'billing_subscriptions')}"
            " WHERE cancel_requested_at IS NOT NULL AND ended_at IS NULL)"
            f" SELECT count(*) FROM asked JOIN {_export(folder, 'app_usage')} AS usage"
            " ON usage.customer_id = asked.customer_id AND usage.feature = 'editor'"
            f" AND usage.used_on BETWEEN asked.day - {back} AND asked.day - {until}"
        )[0][0]
        for back, until in ((10, 1), (60, 51))
    )
    assert early > 50
    assert late < 0.7 * early


def test_losses_follow_the_hazards_that_are_told() -> None:
    """As many intentions as the hazards add up to, within four standard deviations of a Poisson count."""
    folder = example("saas") / "business_truth"
    for cause in ("price", "low_engagement", "product_dissatisfaction", "need_changed"):
        expected = float(_rows(f"SELECT sum({cause}) FROM '{folder}/hazards_by_day/*.parquet'")[0][0])
        arose = _rows(f"SELECT count(*) FROM '{folder}/intentions/*.parquet' WHERE cause = '{cause}'")[0][0]
        assert abs(arose - expected) < 4 * expected**0.5 + 1, cause


def test_every_kind_of_end_and_every_state_occurs() -> None:
    folder = example("saas") / "business_truth"
    kinds = {row[0] for row in _rows(f"SELECT DISTINCT end_kind FROM '{folder}/endings/*.parquet'")}
    assert kinds >= {"cancelled", "involuntary", "trial_not_converted", "cancelled_before_start", "term_end"}
    early = _rows(f"SELECT count(*) FILTER (WHERE is_early), count(*) FROM '{folder}/endings/*.parquet'")[0]
    assert 0 < early[0] < early[1]


def test_futures_tell_what_a_customer_will_be_worth(tmp_path: Path) -> None:
    simulated(tmp_path / "business", truth={"twins": 3, "twin_days": 120})
    rows = _rows(
        "SELECT status, avg(expected_value), avg(stay), min(expected_value), max(stay)"
        f" FROM '{tmp_path}/business_truth/customers.parquet' GROUP BY status"
    )
    by_status = {status: numbers for status, *numbers in rows}
    assert by_status["paid"][0] > by_status["ended"][0] >= 0
    assert by_status["paid"][1] > 0.6 > by_status["ended"][1]
    assert all(0 <= numbers[3] <= 1 and numbers[2] >= 0 for numbers in by_status.values())


def test_silence_in_the_shop_is_what_the_exports_show() -> None:
    """Losses by silence, worked out anew from the signs of life in the exports."""
    folder = example("shop")
    again = _rows(
        "WITH seen AS ("
        f" SELECT customer_id, occurred_at::DATE AS day FROM {_export(folder, 'app_events')}"
        f" UNION SELECT customer_id, ordered_at::DATE FROM {_export(folder, 'shop_order_lines')}"
        " WHERE kind = 'purchase'),"
        " gaps AS (SELECT *, lead(day) OVER (PARTITION BY customer_id ORDER BY day) AS next FROM seen)"
        " SELECT customer_id, day FROM gaps WHERE coalesce(next, DATE '2999-01-01') > day + 90"
        " AND day + 90 <= DATE '2025-01-24'"
        f" AND customer_id NOT IN (SELECT customer_id FROM {_export(folder, 'crm_customers')} WHERE is_test = 'true')"
        " ORDER BY ALL"
    )
    told = _rows(f"SELECT customer_id, happened_on FROM '{folder}/business_truth/endings/*.parquet' ORDER BY ALL")
    # Rows that are still on their way at the end may hide a sign of life.
    assert len(set(again) ^ set(told)) <= 2
    assert len(told) > 50


def test_facts_are_told_once_and_as_they_happened(tmp_path: Path) -> None:
    """The knob `activity` changes no export; what it tells is what the exports hold in the end, and the books."""
    exports = {"cadence": MONTHLY, "late_share": 0.0, "duplicate_share": 0.05}
    for name, activity in (("told", True), ("silent", False)):
        simulated(tmp_path / name / "business", exports=exports, truth={"activity": activity})
    told = tmp_path / "told" / "business_truth"
    assert folder_digest(tmp_path / "told" / "business") == folder_digest(tmp_path / "silent" / "business")
    assert not (tmp_path / "silent" / "business_truth" / "activity").exists()
    exported = _export(tmp_path / "told", "app_usage")
    once = _rows(f"SELECT count(*), sum(events) FROM (SELECT DISTINCT * FROM {exported})")
    assert once == _rows(f"SELECT count(*), sum(events) FROM '{told}/activity/usage/*.parquet'")
    assert _rows(f"SELECT count(*) FROM {exported}") > _rows(f"SELECT count(*) FROM '{told}/activity/usage/*.parquet'")
    # The last word on each customer until a day adds up to the books of that day.
    closing = (
        f"SELECT books.day, books.closing FROM '{told}/mrr_by_day/*.parquet' AS books WHERE books.day = DATE '{{day}}'"
    )
    standing = (
        f"SELECT DATE '{{day}}', sum(value) FROM (SELECT customer_id, max_by(value, day) AS value"
        f" FROM '{told}/standing/*.parquet' WHERE day <= DATE '{{day}}' GROUP BY customer_id)"
    )
    for day in ("2024-01-20", "2024-02-29", "2024-03-20"):
        assert _rows(closing.format(day=day)) == _rows(standing.format(day=day)), day
