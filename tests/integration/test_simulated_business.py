"""A pipeline on simulated exports reports the churn that really happened, and its lists come back to the business."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from retention_pipeline.dbt_runner import run_dbt
from retention_pipeline.feeds.loading import load_feeds
from retention_pipeline.settings import PROJECT, StatePaths
from retention_pipeline.simulator.comparing import confusion, revenue_differences
from retention_pipeline.simulator.knobs import Knobs, read_knobs
from retention_pipeline.simulator.simulation import Simulation, finish
from retention_pipeline.warehouse import create_layout, open_warehouse, write_run_context
from retention_pipeline.workspace.check import render_check
from retention_pipeline.workspace.loading import load_business
from tests.pipelines import folder_digest, retention

pytestmark = pytest.mark.slow

SAAS = PROJECT / "data" / "saas"
LIMIT_BYTES = 5_000_000


def _report_churn(business: Path, state: Path, day: date) -> Path:
    """Load the exports and build the churn events and the recurring revenue; returns the warehouse."""
    loaded = load_business(business)
    paths = StatePaths(state / loaded.name)
    paths.warehouse.parent.mkdir(parents=True, exist_ok=True)
    with open_warehouse(paths.warehouse) as con:
        create_layout(con)
        for feed, load in load_feeds(con, loaded).items():
            assert not load.problems, feed
            assert load.rows_quarantined == 0, feed
        write_run_context(con, loaded.config, day)
    assert run_dbt(["run", "--select", "+fct_churn_events", "+mrr_daily"], paths).success
    return paths.warehouse


@pytest.mark.parametrize("kind", ["saas", "shop"])
def test_reported_churn_is_what_happened(tmp_path: Path, kind: str) -> None:
    """Kind, day, earliness, revenue and day of knowledge of every loss; no loss on one side only."""
    business = tmp_path / "business"
    cadence = dict.fromkeys(("customers", "subscriptions", "invoices", "payment_attempts", "tickets"), "month")
    # Nothing may be on its way still when the books are compared; late rows are compared by the tests of the simulator.
    exports = {"cadence": cadence, "late_share": 0.0}
    simulation = Simulation.start(Knobs(kind=kind, customers=500, days=240, seed=3, exports=exports), business)
    simulation.run(240)
    finish(simulation)
    last_day = simulation.world.calendar.date_of(239)
    warehouse = _report_churn(business, tmp_path / "state", last_day)
    pairs = confusion(warehouse, tmp_path / "business_truth")
    assert all(pair.agrees for pair in pairs), pairs
    kinds = {pair.truth for pair in pairs}
    assert kinds >= ({"cancelled", "involuntary", "trial_not_converted"} if kind == "saas" else {"inactivity"})
    assert sum(pair.losses for pair in pairs) > 50
    if kind == "saas":
        assert revenue_differences(warehouse, tmp_path / "business_truth") == (240, [])


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
