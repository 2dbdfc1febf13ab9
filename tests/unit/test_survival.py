"""Survival, competing risks and the log-rank test in SQL, against published figures, lifelines and exact fractions."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from lifelines.exceptions import StatError
from lifelines.statistics import multivariate_logrank_test
from lifelines.utils import median_survival_times
from scipy import stats

from retention_pipeline.warehouse import create_layout, write_run_context
from retention_pipeline.workspace.schema import Retention
from tests.unit.rendering import build_models, model_sql, render

CAUSES = ("voluntary", "involuntary", "inactivity", "completed")
AS_OF = date(2024, 6, 30)
TELCO = Path(__file__).parents[1] / "fixtures" / "telco_ibm" / "telco.csv"

TELCO_BUSINESS = {
    "business": "telco",
    "title": "Sample telecom business",
    "kind": "subscription",
    "timezone": "UTC",
    "currency": "USD",
    "language": "en",
    "salt": "a salt of a test",
    "first_day": date(2010, 1, 1),
    "feeds": {"subscriptions": [{"files": "telco.csv", "columns": {}}]},
}

# E. J. Freireich et al. (1963), Blood 21: weeks of remission of leukaemia; negative where censored. The usual example
# of textbooks, such as D. R. Cox and D. Oakes (1984), Analysis of Survival Data, and Kleinbaum and Klein, Survival
# Analysis, which has the curve and the test.
MERCAPTOPURINE = [6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]

Lifetime = tuple[int, int, str | None, str]
"""Entry, exit, cause (None where censored), group."""


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database with the tables that the models of survival read."""
    with duckdb.connect() as con:
        for schema in ("intermediate", "marts"):
            con.execute(f"CREATE SCHEMA {schema}")
        con.execute(
            "CREATE TABLE intermediate.int_lifetimes (customer_id VARCHAR, period_number INTEGER, started_on DATE,"
            " began_with VARCHAR, country VARCHAR, acquisition_channel VARCHAR, first_plan VARCHAR,"
            " entry_days INTEGER, exit_days INTEGER, cause VARCHAR);"
            f"CREATE TABLE intermediate.int_run_context AS SELECT DATE '{AS_OF}' AS as_of"
        )
        yield con


def fill(con: duckdb.DuckDBPyConnection, lifetimes: Sequence[Lifetime]) -> None:
    con.execute("DELETE FROM intermediate.int_lifetimes")
    con.executemany(
        "INSERT INTO intermediate.int_lifetimes VALUES (?, 1, NULL, 'activity', ?, NULL, NULL, ?, ?, ?)",
        [[f"c{number}", group, entry, end, cause] for number, (entry, end, cause, group) in enumerate(lifetimes)],
    )
    con.execute(f"CREATE OR REPLACE TABLE intermediate.int_life_table AS {LIFE_TABLE}")


LIFE_TABLE = model_sql("int_life_table")
SUMMARY = model_sql("survival_summary")
CURVE = model_sql("survival_curve")


def curve(con: duckdb.DuckDBPyConnection, dimension: str = "all", segment: str = "all") -> list[tuple[float, ...]]:
    """Rows (tenure, at risk, ended, survival, low, high, incidences …)."""
    incidences = ", ".join(f"incidence_{cause}" for cause in CAUSES)
    return con.execute(
        f"SELECT tenure_days, at_risk, ended, survival, survival_low, survival_high, {incidences}"
        " FROM intermediate.int_life_table WHERE dimension = ? AND segment = ? ORDER BY tenure_days",
        [dimension, segment],
    ).fetchall()


def read_medians(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[float]]:
    """Dimension and segment → median and its bounds, infinite where it is not reached."""
    rows = con.execute(
        "SELECT dimension, segment, median_lifetime_days, median_lifetime_days_low, median_lifetime_days_high"
        f" FROM ({SUMMARY})"
    ).fetchall()
    return {row[:2]: [float("inf") if day is None else day for day in row[2:]] for row in rows}


def at_risk(lifetimes: Sequence[Lifetime], time: int) -> list[Lifetime]:
    return [life for life in lifetimes if (life[0] < time or life[0] == 0) and life[1] >= time]


def exact_curve(lifetimes: Sequence[Lifetime]) -> dict[int, tuple[Fraction, ...]]:
    """Time → survival and incidence by cause, by their definition, in fractions."""
    survival, incidence, found = Fraction(1), dict.fromkeys(CAUSES, Fraction(0)), {}
    for time in sorted({end for _, end, _, _ in lifetimes} | {entry for entry, _, _, _ in lifetimes}):
        present = len(at_risk(lifetimes, time))
        ended = [cause for _, end, cause, _ in lifetimes if end == time and cause is not None]
        if ended:
            for cause in CAUSES:
                incidence[cause] += survival * Fraction(ended.count(cause), present)
            survival *= 1 - Fraction(len(ended), present)
        found[time] = (survival, *incidence.values())
    return found


def exact_log_rank(lifetimes: Sequence[Lifetime]) -> float:
    groups = sorted({group for *_, group in lifetimes})
    excess, covariance = np.zeros(len(groups)), np.zeros((len(groups), len(groups)))
    for time in sorted({end for _, end, cause, _ in lifetimes if cause is not None}):
        present = at_risk(lifetimes, time)
        share = np.array([sum(life[3] == group for life in present) for group in groups]) / len(present)
        ended = [life for life in present if life[1] == time and life[2] is not None]
        excess += np.array([sum(life[3] == group for life in ended) for group in groups]) - len(ended) * share
        if len(present) > 1:
            factor = len(ended) * (len(present) - len(ended)) / (len(present) - 1)
            covariance += factor * (np.diag(share) - np.outer(share, share))
    return float(excess @ np.linalg.pinv(covariance, rcond=1e-9) @ excess)


def lifelines_log_rank(rows: Iterable[tuple[int, str, bool]]) -> tuple[float, float]:
    """Statistic and p of (end, group, whether it ended)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = multivariate_logrank_test(*zip(*rows, strict=True))
    return result.test_statistic, result.p_value


def parts(lifetimes: Sequence[Lifetime]) -> Iterator[tuple[str, str, list[Lifetime]]]:
    """All lifetimes, and those of each group, with the dimension and segment in which they are found."""
    yield "all", "all", list(lifetimes)
    for group in sorted({life[3] for life in lifetimes}):
        yield "country", group, [life for life in lifetimes if life[3] == group]


LIFETIMES = st.lists(
    st.tuples(
        st.one_of(st.just(0), st.integers(0, 8)),
        st.integers(0, 12),
        st.sampled_from([None, *CAUSES]),
        st.sampled_from("abcd"),
    ).map(lambda drawn: (drawn[0], drawn[0] + drawn[1] if drawn[0] == 0 else drawn[0] + drawn[1] + 1, *drawn[2:])),
    min_size=1,
    max_size=60,
)


@given(lifetimes=LIFETIMES)
@settings(max_examples=20)
def test_curve_is_the_one_of_the_definition(con: duckdb.DuckDBPyConnection, lifetimes: list[Lifetime]) -> None:
    """With ties, late entries and competing ends; nothing but their definitions in exact fractions is used."""
    fill(con, lifetimes)
    medians = read_medians(con)
    for dimension, segment, chosen in parts(lifetimes):
        rows = curve(con, dimension, segment)
        expected = exact_curve(chosen)
        halves = [time for time, (survival, *_) in expected.items() if survival <= Fraction(1, 2)]
        assert medians[dimension, segment][0] == min(halves, default=float("inf"))
        assert [row[0] for row in rows] == sorted(expected)
        for time, present, ended, survival, low, high, *incidences in rows:
            assert present == len(at_risk(chosen, time))
            assert ended == sum(end == time and cause is not None for _, end, cause, _ in chosen)
            assert [survival, *incidences] == pytest.approx([float(value) for value in expected[time]], abs=1e-9)
            assert survival + sum(incidences) == pytest.approx(1, abs=1e-9)
            assert low is None or low <= survival <= high
    assert con.execute(f"SELECT sum(customers_ended) FROM ({CURVE}) WHERE dimension = 'all'").fetchall() == [
        (sum(cause is not None for _, _, cause, _ in lifetimes),)
    ]


@given(lifetimes=LIFETIMES, is_truncated=st.booleans())
@settings(max_examples=20)
def test_curve_equals_lifelines(con: duckdb.DuckDBPyConnection, lifetimes: list[Lifetime], is_truncated: bool) -> None:
    if not is_truncated:
        lifetimes = [(0, end, cause, group) for _, end, cause, group in lifetimes]
    fill(con, lifetimes)
    medians = read_medians(con)
    for dimension, segment, chosen in parts(lifetimes):
        try:
            fitted = KaplanMeierFitter().fit(
                [end for _, end, _, _ in chosen],
                [cause is not None for _, _, cause, _ in chosen],
                entry=[entry for entry, *_ in chosen] if is_truncated else None,
            )
        except StatError:
            continue  # It gives up where all who are there at first end before the others come.
        is_extinct = False
        for time, present, ended, survival, *bounds in curve(con, dimension, segment):
            is_extinct = is_extinct or ended == present > 0
            if is_extinct:
                assert survival == 0
                continue
            assert survival == pytest.approx(fitted.survival_function_.loc[time].iloc[0], abs=1e-9)
            if survival < 1:
                assert bounds[:2] == pytest.approx(list(fitted.confidence_interval_.loc[time]), abs=1e-9)
            else:
                assert bounds[:2] == [None, None]
        # A value that is one half but for the last digit of a float is no half to lifelines.
        steps = fitted.survival_function_.join(fitted.confidence_interval_)
        if is_truncated or is_extinct or np.any(np.abs(steps.to_numpy() - 0.5) < 1e-9):
            continue
        limits = median_survival_times(fitted.confidence_interval_).iloc[0]
        assert medians[dimension, segment] == [fitted.median_survival_time_, *limits]


GROUPS = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9), st.booleans()), min_size=10, max_size=25),
    min_size=2,
    max_size=5,
)


@given(groups=GROUPS, is_truncated=st.booleans())
@settings(max_examples=15)
def test_log_rank(
    con: duckdb.DuckDBPyConnection, groups: list[list[tuple[int, int, bool]]], is_truncated: bool
) -> None:
    lifetimes: list[Lifetime] = [
        (entry * is_truncated, entry + lasts, "voluntary" if ended else None, f"group {number}")
        for number, group in enumerate(groups)
        for entry, lasts, ended in group
    ]
    fill(con, lifetimes)
    rows = con.execute(
        "SELECT logrank_chi2, logrank_df, logrank_p, logrank_expected, customers_ended"
        f" FROM ({SUMMARY}) WHERE dimension = 'country' ORDER BY segment"
    ).fetchall()
    chi2, df, p, *_ = rows[0]
    assert {row[:3] for row in rows} == {(chi2, df, p)}
    assert chi2 == pytest.approx(exact_log_rank(lifetimes), abs=1e-6)
    assert sum(row[3] for row in rows) == pytest.approx(sum(row[4] for row in rows), abs=1e-5)
    if not any(ended for *_, ended in [row for group in groups for row in group]):
        assert (chi2, df, p) == (0, 0, None)
        return
    if df == len(groups) - 1:
        assert p == pytest.approx(stats.chi2.sf(chi2, df), abs=1e-6)
        if not is_truncated:
            other = lifelines_log_rank((end, group, cause is not None) for _, end, cause, group in lifetimes)
            assert (chi2, p) == pytest.approx(other, abs=1e-6)


def test_tail_of_chi_square(con: duckdb.DuckDBPyConnection) -> None:
    values = [0.0, 1e-6, 0.01, 0.3, 1.0, 3.84, 3.999, 4.0, 4.001, 6.6, 16.79, 40.0, 100.0, 900.0, 5000.0]
    con.execute("CREATE OR REPLACE TABLE asked (chi2 DOUBLE, df BIGINT)")
    con.executemany("INSERT INTO asked VALUES (?, ?)", [[chi2, df] for chi2 in values for df in (0, *range(1, 41))])
    tails = render("{{ with_chi_square_tail('asked') }}")
    found = con.execute(f"SELECT chi2, df, p FROM ({tails})").fetchall()
    assert len(found) == 15 * 41
    for chi2, df, p in found:
        if df == 0:
            assert p is None
        else:
            assert p == pytest.approx(stats.chi2.sf(chi2, df), abs=1e-10), (chi2, df)


def test_published_example(con: duckdb.DuckDBPyConnection) -> None:
    """Remission of leukaemia: survival with 6-MP, the medians of 23 and 8 weeks, and a log-rank statistic of 16.79."""
    fill(
        con,
        [
            (0, abs(weeks), "voluntary" if weeks > 0 else None, group)
            for group, times in (("6-MP", MERCAPTOPURINE), ("placebo", PLACEBO))
            for weeks in times
        ],
    )
    survival = {time: round(value, 4) for time, _, ended, value, *_ in curve(con, "country", "6-MP") if ended}
    assert survival == {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
    found = con.execute(
        "SELECT segment, customers, customers_ended, median_lifetime_days, round(logrank_expected, 2),"
        f" round(logrank_chi2, 2), logrank_df, round(logrank_p, 7) FROM ({SUMMARY}) WHERE dimension = 'country'"
        " ORDER BY segment"
    ).fetchall()
    assert found == [
        ("6-MP", 21, 9, 23, 19.25, 16.79, 1, 0.0000417),
        ("placebo", 21, 21, 8, 10.75, 16.79, 1, 0.0000417),
    ]


def test_hazard_by_month_of_tenure(con: duckdb.DuckDBPyConnection) -> None:
    """Customer-days of the first 30 days: 10 + 10 + 20 + 30 + 25 of who entered at 5; of the next 10 + 30."""
    ends = [(0, 10, "voluntary"), (0, 10, None), (0, 20, "inactivity"), (0, 40, None), (5, 70, "voluntary")]
    fill(con, [(*life, "a") for life in ends])
    found = con.execute(
        "SELECT tenure_days, hazard, hazard_numerator, hazard_denominator, hazard_low, hazard_high"
        f" FROM ({CURVE}) WHERE dimension = 'all' AND hazard IS NOT NULL ORDER BY 1"
    ).fetchall()
    assert [row[:4] for row in found] == [(30, 0.631579, 2, 95), (60, 0.0, 0, 40)]
    for _, _, ended, days, low, high in found:
        # The exact interval of a Poisson count, of which Byar's is an approximation.
        exact = (stats.chi2.ppf(0.025, 2 * ended) / 2 if ended else 0, stats.chi2.ppf(0.975, 2 * ended + 2) / 2)
        assert (low * days / 30, high * days / 30) == pytest.approx(exact, abs=0.03)
    points = con.execute(f"SELECT tenure_days FROM ({CURVE}) WHERE dimension = 'all' ORDER BY 1").fetchall()
    assert points == [(day,) for day in range(71)]


@pytest.fixture(scope="module")
def telco() -> Iterator[duckdb.DuckDBPyConnection]:
    """The snapshot of IBM's sample business as a subscriptions feed: a month of tenure is 30 days."""
    with duckdb.connect() as con:
        create_layout(con)
        write_run_context(con, Retention.model_validate(TELCO_BUSINESS), AS_OF)
        con.execute(
            "INSERT INTO raw.subscriptions (_batch_id, _line, _known_on, _line_id, subscription_id, version_at,"
            " customer_id, plan, price, currency, interval, started_at, cancel_requested_at, ended_at)"
            " SELECT 1, row_number() OVER (), began, row_number() OVER (), customerID, began, customerID, Contract,"
            " MonthlyCharges, 'USD', 'month', began, ended, ended FROM ("
            f" SELECT *, DATE '{AS_OF}' - (30 * tenure)::INTEGER AS began,"
            f" CASE WHEN Churn THEN DATE '{AS_OF}' END AS ended"
            f" FROM read_csv('{TELCO}'))"
        )
        con.execute(
            "INSERT INTO raw.ledger (batch_id, feed, path, content_hash, size_bytes, rows_read, rows_loaded,"
            " rows_quarantined, rows_skipped, status, files, mapping_hash)"
            " VALUES (1, 'subscriptions', 'telco.csv', '', 0, 0, 0, 0, 0, 'loaded', '', '')"
        )
        build_models(con, ["survival_curve", "survival_summary"])
        yield con


def test_telco_churn(telco: duckdb.DuckDBPyConnection) -> None:
    found = telco.execute(
        "SELECT segment, customers, customers_ended, round(100.0 * customers_ended / customers, 3)"
        " FROM marts.survival_summary WHERE dimension IN ('all', 'plan') ORDER BY segment"
    ).fetchall()
    assert found == [
        ("Month-to-month", 3875, 1655, 42.71),
        ("One year", 1473, 166, 11.27),
        ("Two year", 1695, 48, 2.832),
        ("all", 7043, 1869, 26.537),
    ]


def test_telco_survival(telco: duckdb.DuckDBPyConnection) -> None:
    found = telco.execute(
        "SELECT tenure_days // 30, round(survival, 4) FROM marts.survival_curve"
        " WHERE dimension = 'all' AND tenure_days IN (12 * 30, 24 * 30, 72 * 30) ORDER BY 1"
    ).fetchall()
    assert found == [(12, 0.8432), (24, 0.7887), (72, 0.5928)]


def test_telco_curves_equal_lifelines(telco: duckdb.DuckDBPyConnection) -> None:
    """Every point that is published, of all customers and of each contract, to 1e-9."""
    with duckdb.connect() as con:
        rows = con.execute(f"SELECT tenure, Churn, Contract FROM read_csv('{TELCO}')").fetchall()
    compared = 0
    for dimension, segment in [("all", "all"), *(("plan", plan) for plan in sorted({row[2] for row in rows}))]:
        chosen = [row for row in rows if segment in ("all", row[2])]
        fitted = KaplanMeierFitter().fit([30 * row[0] for row in chosen], [row[1] for row in chosen])
        points = telco.execute(
            "SELECT tenure_days, survival, survival_low, survival_high FROM marts.survival_curve"
            " WHERE dimension = ? AND segment = ? ORDER BY 1",
            [dimension, segment],
        ).fetchall()
        steps = fitted.survival_function_.join(fitted.confidence_interval_)
        for day, *figures in points:
            survival, low, high = steps.loc[:day].iloc[-1]
            expected = (survival, None, None) if survival == 1 else (survival, low, high)
            assert figures == pytest.approx(expected, abs=1e-9)
            compared += 1
    assert compared > 500


def test_telco_contracts_differ(telco: duckdb.DuckDBPyConnection) -> None:
    with duckdb.connect() as con:
        rows = con.execute(f"SELECT tenure, Churn, Contract FROM read_csv('{TELCO}')").fetchall()
    statistic, p = lifelines_log_rank((tenure, contract, churned) for tenure, churned, contract in rows)
    found = telco.execute(
        "SELECT DISTINCT logrank_chi2, logrank_df, logrank_p FROM marts.survival_summary WHERE dimension = 'plan'"
    ).fetchall()
    assert len(found) == 1
    assert found[0] == pytest.approx((statistic, 2, p), abs=1e-6)
