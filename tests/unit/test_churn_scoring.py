"""Scores and the tables about the model."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from retention_pipeline.churn.model import train
from retention_pipeline.churn.registry import load_model, save_model
from retention_pipeline.churn.scoring import TABLES, clear_scores, risk_bands, score
from retention_pipeline.workspace.segment_settings import RiskSettings
from tests.unit.churn_data import SETTINGS, Process, build_marts

PROCESS = Process()


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        build_marts(connection, PROCESS)
        yield connection


@pytest.fixture(scope="module")
def model():
    with duckdb.connect() as connection:
        build_marts(connection, PROCESS)
        return train(connection, PROCESS.day, SETTINGS)


def content(con):
    return {table: con.execute(f"SELECT * FROM decisions.{table} ORDER BY ALL").fetchall() for table in TABLES}


def test_every_active_customer_without_notice_is_scored_once(con, model):
    con.execute("UPDATE marts.customer_features SET has_given_notice = (hash(customer_key) % 5 = 0)")
    score(con, model, PROCESS.day)
    wanted = con.execute(
        "SELECT customer_key FROM marts.customer_features WHERE as_of = ? AND NOT has_given_notice ORDER BY 1",
        [PROCESS.day],
    ).fetchall()
    scored = con.execute("SELECT customer_key FROM decisions.churn_scores ORDER BY 1").fetchall()
    assert scored == wanted
    assert 0 < len(scored) < PROCESS.customers


def test_scores_have_six_digits_and_ranks_follow_them(con, model):
    score(con, model, PROCESS.day)
    rows = con.execute(
        "SELECT churn_probability, risk_rank, as_of, model_id FROM decisions.churn_scores"
        " ORDER BY churn_probability DESC, customer_key"
    ).fetchall()
    assert [rank for _, rank, _, _ in rows] == list(range(1, PROCESS.customers + 1))
    assert all(0 <= p <= 1 and round(p, 6) == p for p, _, _, _ in rows)
    assert {(day, model_id) for _, _, day, model_id in rows} == {(PROCESS.day, model.model_id)}


def test_a_model_read_back_writes_the_same_tables(con, model, tmp_path):
    score(con, model, PROCESS.day)
    before = content(con)
    save_model(model, tmp_path)
    score(con, load_model(tmp_path, model.model_id), PROCESS.day)
    assert content(con) == before


def test_the_order_of_rows_does_not_change_scores(con, model):
    score(con, model, PROCESS.day)
    before = content(con)
    build_marts(con, PROCESS, shuffled=True)
    score(con, model, PROCESS.day)
    assert content(con) == before


def test_the_tables_say_what_the_card_says(con, model):
    score(con, model, PROCESS.day)
    names = list(TABLES["churn_model"])
    row = dict(zip(names, con.execute("SELECT * FROM decisions.churn_model").fetchall()[0], strict=True))
    tested = model.card["metrics"][model.card["algorithm"]]
    for name in ("auc", "auc_low", "auc_high", "pr_auc", "brier", "brier_base_rate", "log_loss", "lift_top_decile"):
        assert row[name] == tested[name]
    assert row["baseline_auc"] == model.card["metrics"]["logistic_regression"]["auc"]
    assert row["trained_to"].isoformat() == model.card["data"]["training"]["to"]
    assert row["test_rows"] == tested["rows"] == 3 * PROCESS.customers
    assert row["features"] == len(model.features)
    assert con.execute("SELECT sum(customers) FROM decisions.churn_calibration").fetchall()[0][0] == row["test_rows"]
    importance = con.execute("SELECT feature FROM decisions.feature_importance ORDER BY importance DESC").fetchall()
    assert importance[0] == ("days_since_last_activity",)
    assert {name for (name,) in importance} == set(model.features)


def test_every_column_is_described(con, model):
    score(con, model, PROCESS.day)
    found = con.execute(
        "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE schema_name = 'decisions'"
    ).fetchall()
    assert {(table, column): (kind, text) for table, column, kind, text in found} == {
        (table, column): described for table, columns in TABLES.items() for column, described in columns.items()
    }


def test_a_day_without_a_model_has_empty_tables_with_the_same_columns(con, model):
    score(con, model, PROCESS.day)
    columns = "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() ORDER BY ALL"
    before = con.execute(columns).fetchall()
    clear_scores(con)
    assert con.execute(columns).fetchall() == before
    assert not any(content(con).values())


def test_a_day_with_nobody_to_score_has_no_scores_but_a_model(con, model):
    con.execute("DELETE FROM marts.customer_features WHERE as_of = ?", [PROCESS.day])
    score(con, model, PROCESS.day)
    found = content(con)
    assert found["churn_scores"] == []
    assert len(found["churn_model"]) == 1


def test_scores_that_cannot_be_written_leave_the_old_ones(con, model):
    score(con, model, PROCESS.day)
    before = content(con)
    con.execute("UPDATE marts.customer_features SET customer_key = NULL WHERE customer_key LIKE '0%'")
    con.execute("UPDATE marts.customer_features SET orders_90d = 99")
    with pytest.raises(duckdb.ConstraintException):
        score(con, model, PROCESS.day)
    assert content(con) == before


def test_bands_compare_odds_with_the_average_customer():
    # base rate 0.2: odds 1 to 4. High from odds 1 to 2 (1/3), low up to 1 to 8 (1/9).
    probabilities = np.array([0.0, 0.11, 0.112, 0.2, 0.33, 0.34, 1.0])
    assert risk_bands(probabilities, 0.2).tolist() == ["low", "low", "medium", "medium", "medium", "high", "high"]

    # From odds 3 to 4 (3/7 = 0.4286) on high, up to 1 to 4 (0.2) low.
    risk = RiskSettings(high_odds=3, low_odds=1)
    assert risk_bands(np.array([0.2, 0.21, 0.42, 0.43]), 0.2, risk).tolist() == ["low", "medium", "medium", "high"]
