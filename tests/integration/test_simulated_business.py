"""A pipeline on simulated exports reports the churn that really happened, and its lists come back to the business."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from retention_pipeline.dbt_runner import run_dbt
from retention_pipeline.feeds.loading import load_feeds
from retention_pipeline.settings import PROJECT, StatePaths
from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.comparing import (
    confusion,
    message_differences,
    payment_differences,
    revenue_differences,
)
from retention_pipeline.simulator.knobs import Knobs, read_knobs
from retention_pipeline.simulator.simulation import Simulation, finish
from retention_pipeline.warehouse import create_layout, open_warehouse, write_run_context
from retention_pipeline.workspace.check import render_check
from retention_pipeline.workspace.loading import load_business
from tests.integration.simulated_books import Books, Rules
from tests.integration.simulated_lifetimes import TABLES, compare_table
from tests.integration.simulated_metrics import BY_SEGMENT, METRICS, UNKNOWN, compare
from tests.pipelines import folder_digest, retention

pytestmark = pytest.mark.slow

SAAS = PROJECT / "data" / "saas"
LIMIT_BYTES = 5_000_000


@dataclass(frozen=True)
class Reported:
    """A simulated business, its own books, and the warehouse of a pipeline that ran on its exports."""

    truth: Path
    warehouse: Path
    books: Books


def _reported(kind: str, folder: Path) -> Reported:
    """Everything happens in it: pauses, returns, failed payments, terms that end, customers who never pay."""
    cadence = dict.fromkeys(("customers", "subscriptions", "invoices", "payment_attempts", "tickets"), "month")
    knobs = {
        "kind": kind, "customers": 500, "days": 400, "seed": 3,
        # Nothing may be on its way still when the books are compared; late rows are compared by the simulator's tests.
        "exports": {"cadence": cadence, "late_share": 0.0},
        "leaving": {"pause_share": 0.9, "silent_non_renewal_share": 0.9, "return_rate": 1.5},
        "payments": {"failure_share": 0.09},
        "truth": {"activity": True},
    }  # fmt: skip
    simulation = Simulation.start(Knobs.model_validate(knobs), folder / "business")
    simulation.run(400)
    finish(simulation)
    loaded = load_business(folder / "business")
    rules = Rules.of(loaded.config)
    paths = StatePaths(folder / "state" / loaded.name)
    with open_warehouse(paths.warehouse) as con:
        create_layout(con)
        for feed, load in load_feeds(con, loaded).items():
            assert not load.problems, feed
            assert load.rows_quarantined == 0, feed
        write_run_context(con, loaded.config, simulation.world.calendar.date_of(simulation.world.day))
    run = run_dbt(
        ["run", "--select", "+fct_churn_events", "+metric_values", "+metrics", *map("+{}".format, TABLES)], paths
    )
    assert run.success, run.failures
    truth = folder / "business_truth"
    return Reported(truth, paths.warehouse, Books.read(simulation, truth, rules))


@pytest.mark.parametrize("kind", ["saas", "shop"])
def test_what_is_published_is_what_the_books_say(tmp_path: Path, kind: str) -> None:
    """One test for a business: it takes long to build."""
    reported = _reported(kind, tmp_path)
    _check_churn(reported)
    _check_balance(reported)
    _check_metrics(reported)
    _check_that_errors_are_found(reported)
    for mart in TABLES:
        _check_table(reported, mart)


def _check_churn(reported: Reported) -> None:
    """Kind, day, earliness, revenue and day of knowledge of every loss; no loss on one side only."""
    pairs = confusion(reported.warehouse, reported.truth)
    assert all(pair.agrees for pair in pairs), pairs
    kinds = {pair.truth for pair in pairs}
    contractual = {"cancelled", "involuntary", "term_end", "trial_not_converted", "cancelled_before_start"}
    assert kinds >= (contractual if reported.books.kind == "saas" else {"inactivity"})
    assert sum(pair.losses for pair in pairs) > 50
    if reported.books.kind == "saas":
        assert revenue_differences(reported.warehouse, reported.truth) == (reported.books.days, [])
        assert payment_differences(reported.warehouse, reported.truth) == (len(reported.books.months), [])
    newsletters = {reported.books.date_of(day).replace(day=1) for day in reported.books.recipients["day"]}
    assert message_differences(reported.warehouse, reported.truth) == (len(newsletters), [])


def _check_balance(reported: Reported) -> None:
    """What the books say of each customer adds up to what the simulator tells of its sums."""
    books = reported.books
    for name in words.MOVEMENTS if books.kind == "saas" else ():
        assert np.array_equal(books.movements[name], books.told[name]), name
        assert books.told[name].any(), f"{name}: nothing of the kind happened"


def _check_metrics(reported: Reported) -> None:
    values, units = _published(reported)
    compared = compare(reported.books, values[~values["mart"].isin(TABLES)], units)
    assert not compared.unknown, "a metric needs a function in METRICS, or a reason in UNKNOWN"
    assert not compared.differences, "\n".join(compared.differences)
    assert compared.figures > 15_000
    if reported.books.kind == "saas":  # it has every feed
        published = set(values["metric"])
        assert not set(units) - published - set(UNKNOWN), "declared, but without a figure"
        assert not {*METRICS, *BY_SEGMENT} - published, "computed, but not published"


def _check_that_errors_are_found(reported: Reported) -> None:
    values, units = _published(reported)
    values = values[values["mart"] == "kpi_monthly"].reset_index(drop=True)
    middle = values["day"].sort_values().iloc[len(values) // 2]
    one = {name: values.index[(values["metric"] == name) & (values["day"] == middle)] for name in set(values["metric"])}
    spoiled = values.copy()
    spoiled.loc[one["customers_new"], "value"] += 1
    spoiled.loc[one["revenue"], "value"] += 0.0001
    spoiled.loc[one["customer_churn_rate"], "denominator"] += 1
    spoiled.loc[one["purchase_frequency"], "value"] *= 1.00001
    spoiled = spoiled.drop(one["customers_lost"])
    found = compare(reported.books, spoiled, units).differences
    assert sorted(line.split(" ")[0] for line in found) == [
        "kpi_monthly.customer_churn_rate", "kpi_monthly.customers_lost", "kpi_monthly.customers_new",
        "kpi_monthly.purchase_frequency", "kpi_monthly.revenue",
    ]  # fmt: skip


def _published(reported: Reported) -> tuple[pd.DataFrame, dict[str, str]]:
    """Every row of the metrics, and the unit of each metric."""
    with duckdb.connect(str(reported.warehouse), read_only=True) as con:
        units = dict(con.execute("SELECT metric, unit FROM marts.metrics").fetchall())
        return con.execute("FROM marts.metric_values").df(), units


def _check_table(reported: Reported, mart: str) -> None:
    with duckdb.connect(str(reported.warehouse), read_only=True) as con:
        published = con.execute(f"FROM marts.{mart}").df()
    differences = compare_table(reported.books, mart, published)
    assert not differences, "\n".join(differences)


def test_the_shipped_business_is_small_labelled_and_reproducible(tmp_path: Path) -> None:
    good, text = render_check(SAAS)
    assert good, text
    files = [path for path in SAAS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= LIMIT_BYTES
    assert (SAAS / "ATTRIBUTION.md").read_text(encoding="utf-8").startswith("# Simulated")
    again = tmp_path / "saas"
    again.mkdir()
    (again / "knobs.yaml").write_bytes((SAAS / "knobs.yaml").read_bytes())
    knobs = read_knobs(again / "knobs.yaml")
    simulation = Simulation.start(knobs, again)
    simulation.run(knobs.days)
    assert folder_digest(again) == folder_digest(SAAS)


def test_lists_go_back_by_the_command_line(tmp_path: Path) -> None:
    out, lists = tmp_path / "demo", tmp_path / "lists"
    arguments = ("--customers", "150", "--days", "60", "--seed", "5", "--out", str(out))
    made = retention("simulate", *arguments, state=tmp_path)
    assert made.returncode == 0, made.stderr
    lists.mkdir()
    with duckdb.connect() as con:
        con.execute(
            "COPY (SELECT 'weak_signal-2024-02-29' AS list_id, customer_id, 'weak_signal' AS play,"
            " 'how_are_you' AS offer, 'email' AS channel,"
            " TIMESTAMP '2024-03-01 10:00:00' AS send_at, 'treatment' AS arm"
            f" FROM read_csv('{out}/exports/crm_customers_*.csv.zst'))"
            f" TO '{lists}/weak_signal.parquet'"
        )
    again = retention("simulate", "--continue", str(out), "--lists", str(lists), "--days", "10", state=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "paying without lists" in again.stdout
    with duckdb.connect() as con:
        events = con.execute(
            f"SELECT DISTINCT event FROM '{out}/exports/mail_events_2024-03-*.parquet' WHERE list_id IS NOT NULL"
        ).fetchall()
    assert {("sent",), ("delivered",), ("opened",)} <= set(events)
    both = retention("simulate", "--out", str(out), "--continue", str(out), state=tmp_path)
    assert both.returncode == 2 and "either --out or --continue" in both.stderr
