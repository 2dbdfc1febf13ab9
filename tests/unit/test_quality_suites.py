"""Every kind of expectation: a sound warehouse passes, a planted fault is caught with the keys of its rows."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_pipeline.quality.checking import check_lists, check_marts, check_raw, check_scores
from retention_pipeline.quality.decisions import lists_suite, scores_suite
from retention_pipeline.quality.declaring import (
    Expectation,
    Kind,
    OneOf,
    Required,
    Severity,
    Suite,
    TableSuite,
    UniqueBy,
    Within,
    declared_checks,
    failing_rows,
)
from retention_pipeline.quality.marts import marts_suite
from retention_pipeline.quality.raw import raw_suite
from retention_pipeline.quality.results import MAX_KEYS, SuiteResult
from retention_pipeline.quality.running import run_suite
from retention_pipeline.settings import StatePaths
from tests.quality_samples import DAY, FEEDS, PLAYS, make_manifest, make_warehouse, plant

VALIDATIONS = {
    "raw": lambda paths: check_raw(paths, FEEDS, DAY),
    "marts": lambda paths: check_marts(paths, make_manifest(), DAY),
    "scores": lambda paths: check_scores(paths, DAY),
    "lists": lambda paths: check_lists(paths, PLAYS, DAY),
}


SUITES = {
    "raw": lambda: raw_suite(FEEDS),
    "marts": lambda: marts_suite(make_manifest(), DAY),
    "scores": lambda: scores_suite(DAY),
    "lists": lambda: lists_suite(DAY, PLAYS),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_warehouse(tmp_path_factory.mktemp("sound")).root


@pytest.fixture
def paths(sound: Path, tmp_path: Path) -> StatePaths:
    shutil.copytree(sound, tmp_path / "state")
    return StatePaths(tmp_path / "state")


@pytest.mark.parametrize("name", VALIDATIONS)
def test_a_sound_warehouse_passes(paths: StatePaths, name: str) -> None:
    result = VALIDATIONS[name](paths)
    assert [found for found in result.results if not found.passed] == []
    assert result.results


LINE = (("_batch_id", "2"), ("_line", "3"))
FAULTS = [
    # suite, fault, table, kind, column, rows that break it, key of the first
    ("raw", "ALTER TABLE raw.order_lines DROP sku", "raw.order_lines", "columns_as_declared", "", 1, None),
    (
        "raw",
        "ALTER TABLE raw.order_lines ALTER quantity TYPE DOUBLE",
        "raw.order_lines",
        "columns_as_declared",
        "",
        1,
        (("column_name", "quantity"),),
    ),
    (
        "raw",
        "UPDATE raw.order_lines SET order_id = NULL WHERE _line IN (3, 4)",
        "raw.order_lines",
        "required_values",
        "order_id",
        2,
        LINE,
    ),
    (
        "raw",
        "UPDATE raw.order_lines SET kind = 'gift' WHERE _line = 3",
        "raw.order_lines",
        "allowed_values",
        "kind",
        1,
        LINE,
    ),
    (
        "raw",
        "UPDATE raw.order_lines SET currency = 'pounds' WHERE _line = 3",
        "raw.order_lines",
        "allowed_values",
        "currency",
        1,
        LINE,
    ),
    (
        "raw",
        "UPDATE raw.order_lines SET discount = -1 WHERE _line = 3",
        "raw.order_lines",
        "values_in_range",
        "discount",
        1,
        LINE,
    ),
    (
        "raw",
        "UPDATE raw.order_lines SET ordered_at = TIMESTAMP '1899-12-30' WHERE _line = 3",
        "raw.order_lines",
        "values_in_range",
        "ordered_at",
        1,
        LINE,
    ),
    (
        "raw",
        "INSERT INTO raw.order_lines FROM raw.order_lines WHERE _line = 3",
        "raw.order_lines",
        "lines_are_unique",
        "",
        1,
        LINE,
    ),
    (
        "raw",
        "UPDATE raw.customers SET customer_id = 'C-secret-1-2' WHERE _line = 4",
        "raw.customers",
        "keys_are_unique_in_batch",
        "",
        1,
        (("_batch_id", "1"), ("_line", "2")),
    ),
    (
        "raw",
        "DELETE FROM raw.order_lines WHERE _line = 3",
        "raw.order_lines",
        "rows_match_the_ledger",
        "",
        1,
        (("_batch_id", "2"),),
    ),
    ("marts", "ALTER TABLE marts.kpi_monthly DROP nps", "marts.kpi_monthly", "columns_as_declared", "", 1, None),
    (
        "marts",
        "ALTER TABLE marts.fct_orders ALTER net_revenue TYPE DOUBLE",
        "marts.fct_orders",
        "columns_as_declared",
        "",
        1,
        (("column_name", "net_revenue"),),
    ),
    (
        "marts",
        "UPDATE marts.kpi_monthly SET customers_opening = NULL WHERE month_start = DATE '2026-02-01'",
        "marts.kpi_monthly",
        "required_values",
        "customers_opening",
        1,
        (("month_start", "2026-02-01"),),
    ),
    (
        "marts",
        "UPDATE marts.fct_orders SET net_revenue = NULL WHERE order_id = 'O3'",
        "marts.fct_orders",
        "required_values",
        "net_revenue",
        1,
        (("order_id", "O3"),),
    ),
    (
        "marts",
        "UPDATE marts.fct_orders SET status = 'void' WHERE order_id IN ('O3', 'O4')",
        "marts.fct_orders",
        "allowed_values",
        "status",
        2,
        (("order_id", "O3"),),
    ),
    (
        "marts",
        "UPDATE marts.kpi_monthly SET customer_churn_rate = 1.01 WHERE month_start = DATE '2026-02-01'",
        "marts.kpi_monthly",
        "rates_in_range",
        "customer_churn_rate",
        1,
        (("month_start", "2026-02-01"),),
    ),
    (
        "marts",
        "UPDATE marts.kpi_monthly SET nps = -101 WHERE month_start = DATE '2026-02-01'",
        "marts.kpi_monthly",
        "values_in_range",
        "nps",
        1,
        (("month_start", "2026-02-01"),),
    ),
    (
        "marts",
        "UPDATE marts.customer_features SET days_since_last_order = -1 WHERE customer_key = 'k2'",
        "marts.customer_features",
        "values_in_range",
        "days_since_last_order",
        1,
        (("as_of", "2026-03-31"), ("customer_key", "k2")),
    ),
    (
        "marts",
        "INSERT INTO marts.fct_orders FROM marts.fct_orders WHERE order_id = 'O3'",
        "marts.fct_orders",
        "grain_is_unique",
        "",
        2,
        (("order_id", "O3"),),
    ),
    (
        "marts",
        "INSERT INTO marts.customer_features FROM marts.customer_features WHERE customer_key = 'k2'",
        "marts.customer_features",
        "grain_is_unique",
        "",
        2,
        (("as_of", "2026-03-31"), ("customer_key", "k2")),
    ),
    (
        "marts",
        "UPDATE marts.customer_features SET as_of = DATE '2026-04-01' WHERE customer_key = 'k2'",
        "marts.customer_features",
        "nothing_after_the_day",
        "as_of",
        1,
        (("as_of", "2026-04-01"), ("customer_key", "k2")),
    ),
    (
        "scores",
        "UPDATE decisions.churn_scores SET churn_probability = 1.5 WHERE customer_key = 'k1'",
        "decisions.churn_scores",
        "rates_in_range",
        "churn_probability",
        1,
        (("customer_key", "k1"),),
    ),
    (
        "scores",
        "UPDATE decisions.churn_scores SET risk_band = 'unknown' WHERE customer_key = 'k2'",
        "decisions.churn_scores",
        "allowed_values",
        "risk_band",
        1,
        (("customer_key", "k2"),),
    ),
    (
        "scores",
        "DELETE FROM decisions.churn_scores WHERE customer_key = 'k4'",
        "decisions.churn_scores",
        "every_customer_is_scored",
        "",
        1,
        (("customer_key", "k4"),),
    ),
    (
        "scores",
        "UPDATE marts.customer_features SET has_given_notice = true WHERE customer_key = 'k3'",
        "decisions.churn_scores",
        "every_customer_is_scored",
        "",
        1,
        (("customer_key", "k3"),),
    ),
    (
        "scores",
        "INSERT INTO decisions.churn_scores FROM decisions.churn_scores WHERE customer_key = 'k3'",
        "decisions.churn_scores",
        "grain_is_unique",
        "",
        2,
        (("as_of", "2026-03-31"), ("customer_key", "k3")),
    ),
    (
        "scores",
        "UPDATE decisions.churn_scores SET as_of = DATE '2026-03-30' WHERE customer_key = 'k3'",
        "decisions.churn_scores",
        "nothing_after_the_day",
        "as_of",
        1,
        (("customer_key", "k3"),),
    ),
    (
        "scores",
        "UPDATE decisions.churn_scores SET churn_probability = 0.45 WHERE customer_key = 'k3'",
        "decisions.churn_scores",
        "ranks_follow_scores",
        "risk_rank",
        1,
        (("customer_key", "k3"),),
    ),
    (
        "lists",
        "UPDATE decisions.campaign_targets SET arm = 'both' WHERE customer_key = 'k1'",
        "decisions.campaign_targets",
        "allowed_values",
        "arm",
        1,
        (("play", "save"), ("customer_key", "k1")),
    ),
    (
        "lists",
        "UPDATE decisions.campaign_targets SET customer_key = 'k1' WHERE play = 'news'",
        "decisions.campaign_targets",
        "one_play_a_day",
        "",
        1,
        (("customer_key", "k1"),),
    ),
    (
        "lists",
        "UPDATE decisions.campaign_exclusions SET customer_key = 'k2'",
        "decisions.campaign_targets",
        "targeted_or_excluded",
        "",
        1,
        (("play", "save"), ("customer_key", "k2")),
    ),
    (
        "lists",
        "UPDATE decisions.campaign_targets SET expires_on = as_of WHERE customer_key = 'k1'",
        "decisions.campaign_targets",
        "offers_expire_later",
        "expires_on",
        1,
        (("play", "save"), ("customer_key", "k1")),
    ),
    (
        "lists",
        "UPDATE decisions.campaign_targets SET expected_profit = -0.01",
        "decisions.campaign_targets",
        "profit_where_required",
        "expected_profit",
        2,
        (("play", "save"), ("customer_key", "k1")),
    ),
    (
        "lists",
        "UPDATE decisions.campaign_summary SET eligible = 4 WHERE play = 'save'",
        "decisions.campaign_summary",
        "everybody_accounted_for",
        "",
        1,
        (("play", "save"),),
    ),
    (
        "lists",
        "DELETE FROM decisions.campaign_targets WHERE customer_key = 'k2'",
        "decisions.campaign_summary",
        "everybody_accounted_for",
        "",
        1,
        (("play", "save"),),
    ),
    (
        "lists",
        "DELETE FROM decisions.campaign_summary WHERE play = 'news'",
        "decisions.campaign_summary",
        "everybody_accounted_for",
        "",
        1,
        (("play", "news"),),
    ),
    (
        "lists",
        "UPDATE decisions.campaign_exclusions SET as_of = DATE '2026-03-30'",
        "decisions.campaign_exclusions",
        "nothing_after_the_day",
        "as_of",
        1,
        (("play", "save"), ("customer_key", "k4")),
    ),
]


@pytest.mark.parametrize(
    ("suite", "fault", "table", "kind", "column", "count", "key"), FAULTS, ids=[f"{f[3]}: {f[1][:60]}" for f in FAULTS]
)
def test_a_planted_fault_is_caught(
    paths: StatePaths, suite: str, fault: str, table: str, kind: str, column: str, count: int, key: tuple | None
) -> None:
    plant(paths, fault)
    declared = SUITES[suite]()
    only = replace(declared, tables=tuple(t for t in declared.tables if t.table == table))
    result = run_suite(paths.warehouse, only)
    found = [r for r in result.results if (r.kind, r.column, r.passed) == (kind, column, False)]
    assert len(found) == 1, [r for r in result.results if not r.passed]
    assert (found[0].unexpected_count, found[0].exception) == (count, "")
    if key is not None:
        assert tuple(zip(found[0].failing.columns, found[0].failing.rows[0], strict=True)) == key


def test_what_was_found_is_written_down(paths: StatePaths) -> None:
    plant(paths, "UPDATE marts.fct_orders SET status = 'void' WHERE order_id IN ('O3', 'O4')")
    assert not VALIDATIONS["marts"](paths).passed
    with duckdb.connect(str(paths.warehouse), read_only=True) as con:
        recorded = con.execute("FROM decisions.quality_results WHERE NOT passed").fetchall()
    name = "expect_column_values_to_be_in_set"
    assert recorded == [(DAY, "marts", "marts.fct_orders", "allowed_values", "status", name, False, "error", 2)]


def test_an_optional_amount_of_a_fact_may_be_missing() -> None:
    manifest = make_manifest()

    def required() -> list[str]:
        (orders,) = [table for table in marts_suite(manifest, DAY).tables if table.table == "marts.fct_orders"]
        return [name for found in orders.expectations if found.kind is Kind.REQUIRED for name in found.columns]

    assert required() == ["order_id", "net_revenue"]
    manifest["nodes"]["model.fct_orders"]["columns"]["net_revenue"]["config"] = {"meta": {"optional": True}}
    assert required() == ["order_id"]


def test_what_only_warns_does_not_block(paths: StatePaths) -> None:
    plant(
        paths,
        "INSERT INTO marts.customer_features SELECT as_of, 'n' || i, 1, false FROM marts.customer_features,"
        " range(100) r(i) WHERE customer_key = 'k1'",
        "INSERT INTO decisions.churn_scores SELECT as_of, 'n' || i, 0.000001, 'low', 5 + i, 'm'"
        " FROM decisions.churn_scores, range(100) r(i) WHERE customer_key = 'k1'",
    )
    result = VALIDATIONS["scores"](paths)
    assert [(r.kind, r.severity) for r in result.results if not r.passed] == [(Kind.BASE_RATE, Severity.WARN)]
    assert result.blocking == ()


def test_without_a_model_nobody_misses_a_score(paths: StatePaths) -> None:
    plant(paths, "DELETE FROM decisions.churn_scores", "DELETE FROM decisions.churn_model")
    assert VALIDATIONS["scores"](paths).passed


def test_a_business_without_plays_has_sound_lists(paths: StatePaths) -> None:
    plant(paths, *(f"DELETE FROM decisions.campaign_{table}" for table in ("targets", "exclusions", "summary")))
    assert check_lists(paths, {}, DAY).passed


def test_not_more_keys_than_a_person_reads(paths: StatePaths) -> None:
    plant(paths, "INSERT INTO marts.fct_orders SELECT 'X' || i, NULL, 'paid' FROM range(500) r(i)")
    failed = [r for r in VALIDATIONS["marts"](paths).results if not r.passed]
    assert [(r.column, r.unexpected_count, len(r.failing.rows)) for r in failed] == [("net_revenue", 500, MAX_KEYS)]


def test_results_of_a_day_replace_those_of_the_last(paths: StatePaths) -> None:
    for name, validate in VALIDATIONS.items():
        validate(paths)
        validate(paths)
        assert _counts(paths)[name] > 0
    first = _counts(paths)
    assert set(first) == set(VALIDATIONS)
    check_marts(paths, make_manifest(), DAY.replace(day=30))
    assert set(_counts(paths)) == {"marts"}


def _counts(paths: StatePaths) -> dict[str, int]:
    with duckdb.connect(str(paths.warehouse), read_only=True) as con:
        assert con.execute("SELECT count(*) - count(DISTINCT q) FROM decisions.quality_results q").fetchall() == [(0,)]
        return dict(con.execute("SELECT suite, count(*) FROM decisions.quality_results GROUP BY ALL").fetchall())


VALUES = st.lists(
    st.tuples(st.sampled_from([None, "a", "b", "c"]), st.one_of(st.none(), st.integers(-3, 3))), max_size=12
)
RULES = st.sampled_from(
    [
        Required("word"),
        OneOf("word", ("a", "b")),
        Within("number", -1, 1),
        Within("number", None, 0),
        Within("number", 1),
    ]
)


@settings(max_examples=15)
@given(rows=VALUES, rule=RULES)
def test_the_verdict_agrees_with_the_keys_that_are_shown(tmp_path_factory, rows: list, rule) -> None:
    """Great Expectations judges, our own SQL names the rows: both must mean the same."""
    warehouse = tmp_path_factory.mktemp("verdict") / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as con:
        con.execute("CREATE SCHEMA s; CREATE TABLE s.t (line INTEGER, word VARCHAR, number INTEGER)")
        for line, (word, number) in enumerate(rows):
            con.execute("INSERT INTO s.t VALUES (?, ?, ?)", [line, word, number])
        table = TableSuite("s.t", ("line",), (Expectation(Kind.RANGE, rule),))
        query = failing_rows(table, rule)
        broken = [str(line) for (line,) in con.execute(f"{query} ORDER BY ALL").fetchall()]
    result = _only(run_suite(warehouse, Suite("s", "s", (table,))))
    assert result.passed is (not broken)
    assert result.unexpected_count == len(broken)
    assert [row[0] for row in result.failing.rows] == broken


@settings(max_examples=8)
@given(words=st.lists(st.sampled_from("abcdef"), max_size=8))
def test_the_grain_is_judged_as_it_is_shown(tmp_path_factory, words: list[str]) -> None:
    warehouse = tmp_path_factory.mktemp("grain") / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as con:
        con.execute("CREATE SCHEMA s; CREATE TABLE s.t (day DATE, word VARCHAR)")
        for word in words:
            con.execute("INSERT INTO s.t VALUES (DATE '2026-01-01', ?)", [word])
    for grain in (("word",), ("day", "word")):
        table = TableSuite("s.t", grain, (Expectation(Kind.GRAIN, UniqueBy(grain)),))
        result = _only(run_suite(warehouse, Suite("s", "s", (table,))))
        repeated = sorted(word for word in set(words) if words.count(word) > 1)
        assert result.passed is (not repeated)
        assert result.unexpected_count == sum(words.count(word) for word in repeated)
        assert [row[-1] for row in result.failing.rows] == repeated


def _only(result: SuiteResult):
    (found,) = result.results
    return found


def test_a_check_says_what_it_is_about() -> None:
    table = TableSuite(
        "marts.t",
        ("day",),
        (
            Expectation(Kind.REQUIRED, Required("a"), Severity.WARN),
            Expectation(Kind.REQUIRED, Required("b"), Severity.WARN),
            Expectation(Kind.GRAIN, UniqueBy(("day",))),
        ),
    )
    checks = declared_checks(Suite("marts", "Marts", (table,)))
    assert [(c.kind, c.description, c.blocking) for c in checks] == [
        (Kind.REQUIRED, "Never null: a, b.", False),
        (Kind.GRAIN, "One row per declared grain.", True),
    ]
