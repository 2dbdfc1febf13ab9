"""The models, built by dbt on a small business that has every feed: tests, unit tests, and what time may not change."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_pipeline.dbt_runner import DBT_PROJECT, DbtRun, run_dbt
from retention_pipeline.settings import StatePaths
from tests.unit.dbt_data import LAST_DAY, set_day, small_warehouse

pytestmark = pytest.mark.xdist_group("dbt")

EARLIER_DAY = date(2024, 4, 17)
MARTS = {path.stem for path in (DBT_PROJECT / "models" / "marts").rglob("*.sql")}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[StatePaths, DbtRun]:
    """The warehouse as of the last day, with the outcome of a build that includes all unit tests."""
    paths = StatePaths(tmp_path_factory.mktemp("hybrid"))
    with small_warehouse(paths.warehouse):
        pass
    return paths, run_dbt(["build"], paths)


@pytest.fixture(scope="module")
def built_earlier(tmp_path_factory: pytest.TempPathFactory, built: tuple[StatePaths, DbtRun]) -> StatePaths:
    """The same business as of an earlier day; its raw rows reach beyond that day."""
    paths = StatePaths(tmp_path_factory.mktemp("earlier"))
    with small_warehouse(paths.warehouse):
        pass
    set_day(paths.warehouse, EARLIER_DAY)
    run = run_dbt(["build", "--exclude", "resource_type:unit_test"], paths)
    assert run.success, run.failures
    return paths


def _ask(paths: StatePaths, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(paths.warehouse), read_only=True) as con:
        return con.execute(query).fetchall()


def test_build_with_all_unit_tests(built: tuple[StatePaths, DbtRun]) -> None:
    _, run = built
    assert run.success, "\n".join(run.failures)
    kinds = {event["data"]["node_info"]["resource_type"] for event in run.events}
    assert {"model", "test"} <= kinds
    assert len([name for name in run.seconds if not name.startswith(("stg_", "int_"))]) > 40


def test_every_mart_has_rows(built: tuple[StatePaths, DbtRun]) -> None:
    paths, _ = built
    marts = _ask(paths, "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'marts' ORDER BY 1")
    assert len(marts) == len(MARTS)
    for (mart,) in marts:
        assert _ask(paths, f"SELECT count(*) FROM marts.{mart}")[0][0] > 0, mart


def test_comments_land_in_the_database(built: tuple[StatePaths, DbtRun]) -> None:
    paths, _ = built
    missing = _ask(
        paths,
        "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'marts' AND comment IS NULL"
        " UNION ALL SELECT table_name, '' FROM duckdb_tables() WHERE schema_name = 'marts' AND comment IS NULL",
    )
    assert missing == []


def test_test_accounts_are_nowhere(built: tuple[StatePaths, DbtRun]) -> None:
    paths, _ = built
    for table in ("int_customers", "int_orders", "int_daily_activity", "int_active_periods", "int_customer_snapshots"):
        assert _ask(paths, f"SELECT count(*) FROM intermediate.{table} WHERE customer_id IN ('c29', 'c59')") == [(0,)]


def test_every_kind_of_end_is_there(built: tuple[StatePaths, DbtRun]) -> None:
    """The small business is no empty exercise: it has each label, returns, notices and censored cells."""
    paths, _ = built
    assert _ask(paths, "SELECT count(DISTINCT end_kind) FROM intermediate.int_active_periods")[0][0] >= 3
    assert _ask(paths, "SELECT count(*) FROM intermediate.int_active_periods WHERE period_number > 1")[0][0] > 5
    assert _ask(paths, "SELECT count(*) FROM marts.customer_features WHERE has_given_notice")[0][0] > 0
    assert _ask(paths, "SELECT count(*) FROM marts.cohort_retention WHERE retained IS NULL")[0][0] > 5


def test_a_day_knows_nothing_of_later_days(built_earlier: StatePaths) -> None:
    dates = _ask(
        built_earlier,
        "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name IN ('intermediate', 'marts')"
        " AND data_type = 'DATE' AND column_name NOT IN ('month_end', 'contract_ends_on', 'discount_ends_on',"
        " 'started_on', 'next_start_on', 'active_from', 'expires_on', 'open_until', 'resumes_on', 'period_start')",
    )
    assert len(dates) > 30
    with duckdb.connect(str(built_earlier.warehouse), read_only=True) as con:
        con.execute("SET search_path = 'intermediate,marts'")
        for table, column in dates:
            newest = con.execute(f"SELECT max({column}) FROM {table}").fetchall()[0][0]
            assert newest is None or newest <= EARLIER_DAY, (table, column)


@pytest.mark.parametrize(
    ("table", "known_by_then"),
    [
        ("kpi_monthly", "last_day(month_start) <= DATE '{day}'"),
        ("kpi_daily", "day <= DATE '{day}'"),
        ("kpi_rolling_30d", "day <= DATE '{day}'"),
        ("kpi_segments_monthly", "last_day(month_start) <= DATE '{day}'"),
        ("lifecycle_daily", "day <= DATE '{day}'"),
        ("lifecycle_flows_monthly", "last_day(month_start) <= DATE '{day}'"),
        ("churn_by_rhythm", "last_day(month_start) <= DATE '{day}'"),
        ("customer_features", "as_of < DATE '{day}'"),
        ("fct_churn_events", "known_on <= DATE '{day}'"),
        ("churn_labels", "as_of <= DATE '{horizon}'"),
        ("nps_monthly", "last_day(month_start) <= DATE '{day}'"),
        ("csat_ces_monthly", "last_day(month_start) <= DATE '{day}'"),
        ("tickets_monthly", "last_day(month_start) <= DATE '{day}'"),
        ("themes_monthly", "last_day(month_start) <= DATE '{day}'"),
        ("churn_causes", "known_on <= DATE '{day}'"),
        ("churn_causes_monthly", "last_day(month_start) <= DATE '{day}'"),
        ("email_monthly", "last_day(month_start) + 14 <= DATE '{day}'"),
        ("email_campaigns", "last_sent_on + 14 <= DATE '{day}' AND campaign LIKE 'newsletter%'"),
        ("payment_recovery_monthly", "last_day(month_start) + 30 <= DATE '{day}'"),
        ("customer_journey", "occurred_on < DATE '{horizon}'"),
        ("winback_indicators_monthly", "last_day(month_start) + 150 <= DATE '{day}'"),
        ("fct_mrr_movements", "day <= DATE '{day}'"),
        ("mrr_daily", "day <= DATE '{day}'"),
        ("mrr_monthly", "last_day(month_start) <= DATE '{day}'"),
        ("mrr_monthly_segments", "last_day(month_start) <= DATE '{day}'"),
        (
            "cohort_retention",
            "cohort_unit = 'month' AND cohort_start + to_months(greatest(age, 12) + 1) <= DATE '{day}'",
        ),
        ("cohort_retention", "cohort_unit = 'week' AND cohort_start + 27 * 7 <= DATE '{day}'"),
        ("cohort_brackets", "cohort_unit = 'month' AND cohort_start + 31 + to_day <= DATE '{day}'"),
    ],
)
def test_the_past_does_not_depend_on_the_day(
    built: tuple[StatePaths, DbtRun], built_earlier: StatePaths, table: str, known_by_then: str
) -> None:
    paths, _ = built
    horizon = EARLIER_DAY - timedelta(days=30)
    condition = known_by_then.format(day=EARLIER_DAY.isoformat(), horizon=horizon.isoformat())
    query = f"SELECT * FROM marts.{table} WHERE {condition} ORDER BY ALL"
    then, now = _ask(built_earlier, query), _ask(paths, query)
    assert len(then) > 10
    assert then == now


def test_windows_of_30_days_hold_who_the_definition_says(built: tuple[StatePaths, DbtRun]) -> None:
    """Each day asked for alone: who was active 30 days before, who of them is gone, and who did anything since."""
    paths, _ = built
    found = _ask(
        paths,
        "SELECT day, customers_opening, customers_retained, customers_churned_of_opening,"
        " involuntary_churn_rate_numerator FROM marts.kpi_rolling_30d ORDER BY day",
    )
    periods = "intermediate.int_active_periods"
    expected = _ask(
        paths,
        "WITH asked AS (SELECT day, customer_id,"
        "   bool_or(started_on <= day - 30 AND coalesce(ended_on > day - 30, true)) AS s,"
        "   bool_or(started_on <= day AND coalesce(ended_on > day, true)) AS e,"
        "   max_by(CASE WHEN is_churn THEN end_kind END, ended_on) FILTER (ended_on <= day) AS kind,"
        "   max_by(is_churn, ended_on) FILTER (ended_on <= day) AS is_churn"
        f" FROM intermediate.int_calendar CROSS JOIN {periods} GROUP BY ALL)"
        " SELECT day, count(*) FILTER (s), count(*) FILTER (s AND e), count(*) FILTER (s AND NOT e AND is_churn),"
        " count(*) FILTER (s AND NOT e AND is_churn AND kind = 'involuntary') FROM asked GROUP BY day ORDER BY day",
    )
    assert found == expected
    assert max(row[3] for row in expected) > 1 and max(row[4] for row in expected) > 0
    found = _ask(paths, "SELECT day, monthly_active_customers FROM marts.kpi_daily ORDER BY day")
    expected = _ask(
        paths,
        "SELECT c.day, count(DISTINCT a.customer_id) FROM intermediate.int_calendar c"
        " LEFT JOIN intermediate.int_daily_activity a ON a.is_activity AND a.day BETWEEN c.day - 29 AND c.day"
        " GROUP BY c.day ORDER BY c.day",
    )
    assert found == expected


def test_the_same_day_again_gives_the_same_tables(built: tuple[StatePaths, DbtRun]) -> None:
    paths, _ = built

    def tables() -> dict[str, object]:
        names = _ask(
            paths,
            "SELECT schema_name || '.' || table_name FROM duckdb_tables()"
            " WHERE schema_name IN ('intermediate', 'marts')",
        )
        return {name: _ask(paths, f"SELECT count(*), sum(hash(t)::HUGEINT) FROM {name} t") for (name,) in names}

    before = tables()
    set_day(paths.warehouse, LAST_DAY)
    assert run_dbt(["run"], paths).success
    assert tables() == before


_DAY_ZERO = date(2024, 1, 1)
_AS_OF = 30
_DAYS = st.integers(min_value=0, max_value=_AS_OF)


@pytest.fixture(scope="module")
def periods_query(built: tuple[StatePaths, DbtRun]) -> str:
    """The SQL of int_active_periods as dbt runs it."""
    return next((built[0].dbt_target / "compiled").rglob("models/intermediate/int_active_periods.sql")).read_text(
        "utf-8"
    )


@given(
    kind=st.sampled_from(["transactional", "subscription", "hybrid"]),
    inactivity_days=st.integers(min_value=1, max_value=6),
    orders=st.sets(_DAYS, max_size=8),
    logins=st.sets(_DAYS, max_size=6),
    sold=st.lists(st.tuples(st.integers(0, _AS_OF + 3), st.integers(-3, 20)), max_size=4),
)
@settings(max_examples=200)
def test_periods_hold_the_days_of_the_definition(
    periods_query: str,
    kind: str,
    inactivity_days: int,
    orders: set[int],
    logins: set[int],
    sold: list[tuple[int, int]],
) -> None:
    """A day is active while a contract runs, or after a sign of life that no contract covered or ended."""
    subscriptions = [(begins, begins + days if begins + days <= _AS_OF else None) for begins, days in sold]
    real = [(begins, ends) for begins, ends in subscriptions if ends is None or ends > begins]
    contract: set[int] = set()
    if kind != "transactional":
        contract = {day for begins, ends in real for day in range(begins, _AS_OF + 1 if ends is None else ends)}
        contract |= {ends for _, ends in real if ends is not None and any(begins == ends + 1 for begins, _ in real)}
    ended = {ends for _, ends in real if ends is not None and ends not in contract and kind != "transactional"}
    signs = {"transactional": orders | logins, "subscription": set[int](), "hybrid": orders}[kind] - contract - ended
    expected = contract | {
        day
        for day in range(_AS_OF + 1)
        for sign in signs
        if sign <= day < sign + inactivity_days and not any(sign < end <= day for end in ended)
    }
    with duckdb.connect() as con:
        _write_periods_input(con, kind, inactivity_days, orders, logins, subscriptions)
        found = con.execute(
            f"SELECT started_on - ?, coalesce(ended_on, ? + 1) - ?, period_number FROM ({periods_query}) ORDER BY 1",
            [_DAY_ZERO, _DAY_ZERO + timedelta(days=_AS_OF), _DAY_ZERO],
        ).fetchall()
    days = [day for begins, ends, _ in found for day in range(begins, ends)]
    assert all(after[0] > before[1] for before, after in pairwise(found)), "periods neither overlap nor adjoin"
    assert all(begins <= _AS_OF for begins, _, _ in found), "a period that has not begun is not there yet"
    assert set(days) == {day for day in expected if day <= _AS_OF}
    assert [number for _, _, number in found] == list(range(1, len(found) + 1))


def _write_periods_input(
    con: duckdb.DuckDBPyConnection,
    kind: str,
    inactivity_days: int,
    orders: set[int],
    logins: set[int],
    subscriptions: list[tuple[int, int | None]],
) -> None:
    con.execute(
        "ATTACH ':memory:' AS warehouse; CREATE SCHEMA warehouse.intermediate; USE warehouse.intermediate;"
        "CREATE TABLE int_run_context (as_of DATE, kind VARCHAR, inactivity_days INTEGER, early_days INTEGER,"
        " term_end_is_churn BOOLEAN, has_order_lines BOOLEAN);"
        "CREATE TABLE int_daily_activity (customer_id VARCHAR, day DATE, orders INTEGER, is_activity BOOLEAN);"
        "CREATE TABLE int_subscription_periods (subscription_id VARCHAR, customer_id VARCHAR, active_from DATE,"
        " ended_on DATE, known_on DATE, end_kind VARCHAR, is_never_active BOOLEAN)"
    )
    as_of = _DAY_ZERO + timedelta(days=_AS_OF)
    con.execute("INSERT INTO int_run_context VALUES (?, ?, ?, 30, true, true)", [as_of, kind, inactivity_days])
    for day in sorted(orders | logins):
        con.execute(
            "INSERT INTO int_daily_activity VALUES ('a', ?, ?, true)",
            [_DAY_ZERO + timedelta(days=day), int(day in orders)],
        )
    for number, (begins, ends) in enumerate(subscriptions):
        ended_on = None if ends is None else _DAY_ZERO + timedelta(days=ends)
        con.execute(
            "INSERT INTO int_subscription_periods VALUES (?, 'a', ?, ?, ?, ?, ?)",
            [
                f"s{number}",
                _DAY_ZERO + timedelta(days=begins),
                ended_on,
                ended_on,
                None if ends is None else "cancelled",
                ends is not None and ends <= begins,
            ],
        )
