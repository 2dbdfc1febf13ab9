"""A warehouse that is brought up to date day by day holds the same tables as one that is built anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest

from retention_pipeline.dbt_runner import run_dbt
from retention_pipeline.increments import BuildPlan, complete_build, forget_build, plan_build
from retention_pipeline.quoting import identifier
from retention_pipeline.settings import StatePaths
from retention_pipeline.warehouse import open_warehouse
from tests.unit.dbt_data import set_day, small_warehouse

pytestmark = pytest.mark.xdist_group("dbt")

FIRST = date(2024, 4, 17)
ONE_MORE = (
    "SELECT 'one more' AS order_id, 'c1' AS customer_id, TIMESTAMP '2023-12-01 12:00:00' AS ordered_at,"
    " 1 AS quantity, 5 AS unit_price, DATE '2023-12-01' AS _known_on, 9000000 AS _line_id"
)
LAYERS = ("staging", "intermediate", "marts")
PROJECT = "the models"


def _build(paths: StatePaths) -> BuildPlan:
    with open_warehouse(paths.warehouse) as con:
        plan = plan_build(con, PROJECT)
    run = run_dbt(["run"], paths, incremental=plan.is_incremental)
    assert run.success, run.failures
    with open_warehouse(paths.warehouse) as con:
        complete_build(con, PROJECT)
    return plan


@dataclass(frozen=True)
class Deliveries:
    """Lets batches arrive in `raw` and its ledger."""

    con: duckdb.DuckDBPyConnection

    def add(self, feed: str, rows: str, *, path: str = "", delivered_on: date | None = None) -> int:
        """A batch with the rows of a query, which names columns of `raw`; returns its number."""
        found = self.con.execute("SELECT max(batch_id) + 1 FROM raw.ledger").fetchall()
        batch = int(found[0][0])
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE made AS {rows}")
        columns = ", ".join(identifier(row[0]) for row in self.con.execute("DESCRIBE made").fetchall())
        self.con.execute(
            f"INSERT INTO raw.{identifier(feed)} (_batch_id, _line, {columns})"
            " SELECT ?, row_number() OVER (), * FROM made",
            [batch],
        )
        self.con.execute(
            "INSERT INTO raw.ledger (batch_id, feed, path, content_hash, size_bytes, delivered_on, rows_read,"
            " rows_loaded, rows_quarantined, rows_skipped, status, files, mapping_hash)"
            " VALUES (?, ?, ?, '', 0, ?, 0, (SELECT count(*) FROM made), 0, 0, 'loaded', '', '')",
            [batch, feed, path or f"{feed}_{batch}.csv", delivered_on],
        )
        return batch

    def replace(self, old: int, feed: str, rows: str, *, delivered_on: date | None = None) -> int:
        """A batch in the place of another one."""
        new = self.add(feed, rows, delivered_on=delivered_on)
        self.con.execute("UPDATE raw.ledger SET superseded_by = ? WHERE batch_id = ?", [new, old])
        return new


def _late_rows(arriving: Deliveries) -> None:
    """Lines of known and of new orders, long ago; use of long ago; an event once more, as somebody else's."""
    arriving.add(
        "order_lines",
        "SELECT order_id, customer_id, ordered_at + INTERVAL 1 HOUR AS ordered_at, sku, 2 AS quantity, 7 AS unit_price,"
        " 'USD' AS currency, ordered_at::DATE AS _known_on, hash(order_id)::UHUGEINT AS _line_id"
        " FROM raw.order_lines WHERE hash(order_id) % 37 = 0 AND ordered_at < TIMESTAMP '2024-02-01'"
        " UNION ALL SELECT 'new' || n, 'c' || n, TIMESTAMP '2023-08-03 10:00:00' + to_days(n::INTEGER), 'sku', 1, 10,"
        " 'EUR', DATE '2023-08-03', 7000000 + n FROM range(1, 60, 11) t(n)",
    )
    # Two of them again, in a file that sorts before all others.
    arriving.add(
        "order_lines",
        "SELECT * EXCLUDE (_batch_id, _line) FROM raw.order_lines WHERE order_id IN ('new1', 'new12')",
        path="a.csv",
    )
    arriving.add(
        "usage",
        "SELECT 'c' || n AS customer_id, DATE '2023-09-15' AS used_on, 'feature0' AS feature, 4 AS events,"
        " 1 AS minutes, DATE '2024-04-29' AS _known_on FROM range(0, 60, 9) t(n)",
    )
    arriving.add(
        "events",
        "SELECT event_id, 'c2' AS customer_id, TIMESTAMP '2023-05-05 10:00:00' AS occurred_at, 'login' AS name,"
        " _known_on, _line_id FROM raw.events WHERE event_id LIKE 'e1_-3'",
        path="a.csv",
    )


def _restated(arriving: Deliveries) -> None:
    """A file comes again with other lines and without some; another will be replaced, but not yet."""
    old = arriving.con.execute("SELECT min(_batch_id) FROM raw.order_lines WHERE order_id = 'new1'").fetchall()[0][0]
    arriving.replace(
        old,
        "order_lines",
        "SELECT * EXCLUDE (_batch_id, _line) REPLACE (quantity + 1 AS quantity, _line_id + 1 AS _line_id)"
        f" FROM raw.order_lines WHERE _batch_id = {old} AND order_id <> 'new23'",
    )
    use = arriving.con.execute("SELECT max(_batch_id) FROM raw.usage").fetchall()[0][0]
    arriving.replace(
        use,
        "usage",
        f"SELECT * EXCLUDE (_batch_id, _line) REPLACE (9 AS events) FROM raw.usage WHERE _batch_id = {use}",
        delivered_on=date(2024, 6, 15),
    )
    # Other owners and days of what is known already, and dates that had come or come only now.
    arriving.add(
        "loyalty",
        "SELECT entry_id, 'c3' AS customer_id, occurred_at - INTERVAL 40 DAY AS occurred_at, points,"
        " DATE '2024-05-01' AS _known_on FROM raw.loyalty WHERE entry_id LIKE 'l2_-1'",
    )
    arriving.add(
        "tickets",
        "SELECT ticket_id, customer_id, opened_at - INTERVAL 9 DAY AS opened_at,"
        " solved_at + INTERVAL 30 DAY AS solved_at, DATE '2024-05-01' AS _known_on"
        " FROM raw.tickets WHERE ticket_id LIKE 't3_-0'",
    )
    arriving.add(
        "survey_responses",
        "SELECT response_id, customer_id, survey, answered_at - INTERVAL 50 DAY AS answered_at, 9 AS score,"
        " DATE '2024-05-01' AS _known_on FROM raw.survey_responses WHERE response_id LIKE 'r4_-%'",
    )
    arriving.add(
        "messages",
        "SELECT 'late' || n AS message_id, 'c' || n AS customer_id, 'email' AS channel, 'opened' AS event,"
        " TIMESTAMP '2023-12-12 12:00:00' AS occurred_at, DATE '2024-05-01' AS _known_on, 8000000 + n AS _line_id"
        " FROM range(30) t(n)",
    )


def _corrected(arriving: Deliveries) -> None:
    """A merge, an address that two ids share now, an account that was a test, a rate, subscriptions and payments."""
    arriving.add(
        "identities",
        "SELECT 'c10' AS customer_id, 'billing' AS source, 'c10' AS source_id, TIMESTAMP '2024-05-20' AS linked_at,"
        " 'c12' AS merged_into, DATE '2024-05-20' AS _known_on"
        " UNION ALL SELECT 'c15', 'support', '16', TIMESTAMP '2024-05-21', NULL, DATE '2024-05-21'",
    )
    arriving.add(
        "customers",
        "SELECT customer_id, created_at - INTERVAL 20 DAY AS created_at, country,"
        " customer_id <> 'c29' AS is_test, email, DATE '2024-05-22' AS _known_on"
        " FROM raw.customers WHERE customer_id IN ('c14', 'c29', 'c33')",
    )
    arriving.add(
        "fx_rates",
        "SELECT day, currency, rate_to_business * 1.1 AS rate_to_business, DATE '2024-05-22' AS _known_on"
        " FROM raw.fx_rates WHERE day = DATE '2023-07-29'",
    )
    arriving.add(
        "subscriptions",
        "SELECT subscription_id, customer_id, version_at, plan, started_at + INTERVAL 15 DAY AS started_at,"
        " price + 5 AS price, currency, \"interval\", ended_at, DATE '2024-05-23' AS _known_on"
        " FROM raw.subscriptions WHERE subscription_id IN ('s4-1', 's8-0', 's20-1')",
    )
    arriving.add(
        "payment_attempts",
        "SELECT 'p' || subscription_id AS attempt_id, customer_id, ended_at - INTERVAL 1 DAY AS attempted_at, 10 AS"
        " amount, 'EUR' AS currency, 'failed' AS outcome, DATE '2024-05-23' AS _known_on"
        " FROM raw.subscriptions WHERE subscription_id LIKE 's%-0' AND ended_at < TIMESTAMP '2024-03-01'",
    )


STEPS: list[tuple[date, Callable[[Deliveries], None] | None, bool]] = [
    (date(2024, 4, 18), None, False),
    (date(2024, 4, 30), _late_rows, True),
    (date(2024, 5, 3), _restated, False),
    (date(2024, 5, 31), _corrected, True),
    (date(2024, 5, 31), None, False),
    (date(2024, 6, 30), None, True),
]
"""Day, what arrives before it, and whether the tables are compared then."""


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> StatePaths:
    """The small business as of the first day."""
    paths = StatePaths(tmp_path_factory.mktemp("grown"))
    with small_warehouse(paths.warehouse):
        pass
    set_day(paths.warehouse, FIRST)
    assert not _build(paths).is_incremental
    return paths


def test_day_by_day_equals_everything_anew(grown: StatePaths, tmp_path: Path) -> None:
    growing = StatePaths(tmp_path / "growing")
    growing.root.mkdir()
    shutil.copy(grown.warehouse, growing.warehouse)
    for day, arrive, is_compared in STEPS[1:]:
        if arrive is not None:
            with open_warehouse(growing.warehouse) as con:
                arrive(Deliveries(con))
        set_day(growing.warehouse, day)
        plan = _build(growing)
        assert plan.is_incremental, plan.reason
        if is_compared:
            anew = StatePaths(tmp_path / day.isoformat())
            anew.root.mkdir()
            shutil.copy(growing.warehouse, anew.warehouse)
            with open_warehouse(anew.warehouse) as con:
                forget_build(con)
            assert not _build(anew).is_incremental
            assert _differing(growing.warehouse, anew.warehouse) == {}, day


def _differing(one: Path, other: Path) -> dict[str, tuple[int, int]]:
    """Table → rows that only one of the two has."""
    found = {}
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{one}' AS one (READ_ONLY); ATTACH '{other}' AS other (READ_ONLY)")
        tables = [
            con.execute(
                "SELECT schema_name || '.' || table_name AS name, list(column_name ORDER BY column_index)"
                " FROM duckdb_columns() WHERE database_name = ? AND list_contains(?, schema_name)"
                # What has changed is no fact about the business.
                " AND NOT starts_with(table_name, 'int_changed_') GROUP BY ALL ORDER BY name",
                [name, list(LAYERS)],
            ).fetchall()
            for name in ("one", "other")
        ]
        assert tables[0] == tables[1]
        assert len(tables[0]) > 40
        for table, _ in tables[0]:
            counts = tuple(
                con.execute(f"SELECT count(*) FROM (FROM {a}.{table} EXCEPT ALL FROM {b}.{table})").fetchall()[0][0]
                for a, b in (("one", "other"), ("other", "one"))
            )
            if counts != (0, 0):
                found[table] = counts
    return found


def _change(query: str) -> Callable[[duckdb.DuckDBPyConnection], object]:
    return lambda con: con.execute(query)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_change("SELECT 1"), ""),
        # What the checks of raw remember is no definition; whom lists contacted changes every day.
        (_change("CREATE TABLE control.validated_batches AS SELECT 1 AS batch_id"), ""),
        (_change("CREATE OR REPLACE TABLE control.contacts AS SELECT 1 AS contact"), ""),
        (_change("UPDATE control.run SET as_of = DATE '2024-05-01'"), ""),
        (_change("UPDATE control.run SET as_of = DATE '2024-04-16'"), "for a later day, 2024-04-17"),
        (_change("UPDATE control.run SET inactivity_days = 46"), "configuration or the models"),
        (_change("UPDATE control.feeds SET configured = NOT configured WHERE feed = 'usage'"), "configuration"),
        (_change("DROP TABLE intermediate.int_fx_rates"), "missing: int_fx_rates"),
        (forget_build, "no complete build"),
    ],
)
def test_what_leads_to_a_build_of_everything(
    grown: StatePaths, tmp_path: Path, change: Callable[[duckdb.DuckDBPyConnection], object], reason: str
) -> None:
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(grown.warehouse, copy)
    with open_warehouse(copy) as con:
        change(con)
        plan = plan_build(con, PROJECT)
        assert plan.is_incremental == (not reason), plan
        assert reason in plan.reason
        # As after a kill: whatever was found, the last build is no longer one to start from.
        assert not plan_build(con, PROJECT).is_incremental


def test_many_changed_rows_lead_to_a_build_of_everything(
    grown: StatePaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retention_pipeline.increments.MAX_CHANGED_SHARE", 0.05)
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(grown.warehouse, copy)
    with open_warehouse(copy) as con:
        con.execute("UPDATE control.run SET as_of = DATE '2024-06-30'")
        plan = plan_build(con, PROJECT)
    assert "rows have changed" in plan.reason
    assert not plan.is_incremental


def test_other_models_and_held_feeds_lead_to_a_build_of_everything(grown: StatePaths, tmp_path: Path) -> None:
    for number, (project, held) in enumerate([("other models", False), (PROJECT, True)]):
        copy = tmp_path / f"{number}.duckdb"
        shutil.copy(grown.warehouse, copy)
        with open_warehouse(copy) as con:
            assert not plan_build(con, project, held=held).is_incremental


_MARK = 4711


def test_what_has_not_changed_is_not_touched(grown: StatePaths, tmp_path: Path) -> None:
    """Rows that are marked stay so, but for those of the one customer of whom a line comes late."""
    paths = StatePaths(tmp_path)
    shutil.copy(grown.warehouse, paths.warehouse)
    with open_warehouse(paths.warehouse) as con:
        con.execute("UPDATE intermediate.int_orders SET lines = ?", [_MARK])
        con.execute("UPDATE intermediate.int_daily_activity SET help_views = ?", [_MARK])
        con.execute("UPDATE intermediate.int_customer_snapshots SET tenure_days = ?", [_MARK])
        con.execute("UPDATE marts.customer_features SET tenure_days = ?", [_MARK])
        Deliveries(con).add("order_lines", ONE_MORE)
    assert _build(paths).is_incremental
    with open_warehouse(paths.warehouse, read_only=True) as con:
        orders = "SELECT order_id FROM intermediate.int_orders WHERE lines <> ?"
        days = "SELECT customer_id, day FROM intermediate.int_daily_activity WHERE help_views <> ?"
        assert con.execute(orders, [_MARK]).fetchall() == [("one more",)]
        assert con.execute(days, [_MARK]).fetchall() == [("c1", date(2023, 12, 1))]
        earlier = " FROM {} WHERE as_of < DATE '2024-04-17' AND tenure_days <> ?"
        snapshots = f"SELECT DISTINCT customer_id, as_of {earlier.format('intermediate.int_customer_snapshots')}"
        found = con.execute(f"{snapshots} ORDER BY as_of", [_MARK]).fetchall()
        assert found
        assert {customer for customer, _ in found} == {"c1"}
        assert found[0][1] == date(2023, 12, 31)
        features = f"SELECT count(*) {earlier.format('marts.customer_features')}"
        assert con.execute(features, [_MARK]).fetchall() == [(len(found),)]


def test_a_build_that_was_killed_leads_to_one_of_everything(grown: StatePaths, tmp_path: Path) -> None:
    killed = StatePaths(tmp_path)
    shutil.copy(grown.warehouse, killed.warehouse)
    with open_warehouse(killed.warehouse) as con:
        Deliveries(con).add("order_lines", ONE_MORE)
        assert plan_build(con, PROJECT).is_incremental
    # Some of the models are there, the process ends, and nothing says so.
    assert run_dbt(["run", "--select", "int_changed_ids+1", "int_orders"], killed, incremental=True).success
    with open_warehouse(killed.warehouse) as con:
        plan = plan_build(con, PROJECT)
    assert (plan.is_incremental, plan.reason) == (False, "there is no complete build to start from")
