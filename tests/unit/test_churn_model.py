"""Training: what the model may learn from, what it says about itself, and that it always says the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta

import duckdb
import numpy as np
import pytest

from retention_pipeline.churn.features import FEATURES
from retention_pipeline.churn.model import NotEnoughHistory, train
from retention_pipeline.churn.rows import read_labelled_rows
from retention_pipeline.churn.splitting import MIN_OF_EACH, MIN_TRAINING_DATES, split_by_time
from retention_pipeline.errors import RetentionError
from retention_pipeline.settings import PROJECT
from tests.unit.churn_data import SETTINGS, USED, Process, build_marts

PROTECTED = ("gender", "sex", "age", "birth", "region", "country", "disab", "imd", "educat", "ethnic", "religi")


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        yield connection


def trained(con, process, *, settings=SETTINGS, edits=()):
    build_marts(con, process, edits=edits)
    return train(con, process.day, settings)


def result_of(model):
    return model.card["metrics"][model.card["algorithm"]]


@pytest.fixture(scope="module")
def usual():
    with duckdb.connect() as connection:
        yield trained(connection, Process())


@pytest.mark.parametrize("test_dates", [1, 3, 5])
@pytest.mark.parametrize("horizon", [30, 60, 90])
def test_outcomes_learned_from_end_before_the_dates_asked_about(con, test_dates, horizon):
    process = Process()
    build_marts(con, process)
    rows = read_labelled_rows(con, process.dates[-1] + timedelta(days=horizon), FEATURES, horizon)
    split = split_by_time(rows, process.day, test_dates, horizon)
    assert split.test_dates == test_dates
    assert split.last_test == len(rows.dates) - 1
    first_test = rows.dates[split.first_test]
    assert rows.dates[split.last_training] + timedelta(days=horizon) < first_test
    # and not a date more is given away than that needs
    assert rows.dates[split.last_training + 1] + timedelta(days=horizon) >= first_test


def test_a_leak_that_appears_in_later_dates_changes_nothing_about_the_test_model(con):
    process = Process()
    training_end = process.dates[-5]
    # From the embargo on, a feature tells the outcome of the customer: whoever learned from it would look brilliant.
    leak = (
        "UPDATE marts.customer_features f SET last_nps = 10 * l.has_churned::INT FROM marts.churn_labels l"
        f" WHERE l.as_of = f.as_of AND l.customer_key = f.customer_key AND f.as_of > DATE '{training_end}'"
    )
    honest, planted = trained(con, process), trained(con, process, edits=[leak])
    assert honest.card["data"]["training"]["to"] == training_end.isoformat()
    assert result_of(planted)["auc"] < result_of(honest)["auc"] + 0.01
    # the leak was strong enough to be seen: the final fit, which may learn from those dates, uses it
    probe = np.full((2, len(planted.features)), np.nan)
    probe[:, planted.features.index("last_nps")] = [0, 10]
    assert np.diff(planted.probabilities(probe))[0] > 0.2 > abs(np.diff(honest.probabilities(probe))[0])


def test_what_comes_after_the_day_changes_nothing(con, usual):
    process = Process()
    future = [
        f"INSERT INTO marts.churn_labels SELECT as_of + {after}, customer_key, true FROM marts.churn_labels"
        for after in (400, 900)
    ] + ["INSERT INTO marts.customer_features SELECT f.* REPLACE (as_of + 400 AS as_of) FROM marts.customer_features f"]
    later = trained(con, process, edits=future)
    assert later.card == usual.card


def test_the_order_in_which_rows_are_stored_changes_nothing(con, usual):
    build_marts(con, Process(), shuffled=True)
    assert train(con, Process().day, SETTINGS).card == usual.card


def test_excluded_features_are_unused(con, usual):
    settings = SETTINGS.model_copy(update={"excluded_features": ("orders_90d", "tenure_days")})
    first = trained(con, Process(), settings=settings)
    noise = ["UPDATE marts.customer_features SET orders_90d = hash(customer_key) % 7, tenure_days = NULL"]
    second = trained(con, Process(), settings=settings, edits=noise)
    assert not {"orders_90d", "tenure_days"} & set(first.features)
    assert first.card == second.card
    assert first.card["features_left_out"]["orders_90d"] == "excluded by the configuration"
    assert result_of(first)["auc"] < result_of(usual)["auc"]


def test_a_feature_without_values_in_training_is_left_out(usual):
    assert set(usual.features) == set(USED)
    assert usual.card["features_left_out"]["orders_30d"] == "no values in the training dates"
    assert set(usual.card["feature_importance"]) == set(USED)


def test_a_feature_that_comes_with_a_later_feed_is_usable(con):
    process = Process()
    late = [f"UPDATE marts.customer_features SET orders_90d = NULL WHERE as_of < DATE '{process.dates[6]}'"]
    assert "orders_90d" in trained(con, process, edits=late).features


def test_the_calendar_month_needs_two_years_of_training(con, usual):
    assert usual.card["features_left_out"]["month_of_year"] == "less than two years of training dates"
    assert "month_of_year" in trained(con, Process(months=30, customers=60)).features


def test_an_unknown_excluded_feature_is_named_with_its_neighbour(con):
    with pytest.raises(RetentionError, match="no feature 'orders_90'") as caught:
        train(con, date(2021, 1, 1), SETTINGS.model_copy(update={"excluded_features": ("orders_90",)}))
    assert "'orders_90d'" in caught.value.expected


def test_no_attribute_of_the_person_is_a_feature():
    for feature in FEATURES:
        words = feature.name.split("_")
        assert not any(word.startswith(part) for part in PROTECTED for word in words), feature.name


def test_probabilities_are_calibrated_on_a_known_process(con):
    process = Process(months=16, customers=900, seed=9)
    rows = build_marts(con, process)
    model = train(con, process.day, SETTINGS)
    inside = [b["observed_low"] <= b["predicted"] <= b["observed_high"] for b in model.card["calibration_bins"]]
    assert len(inside) == 10
    assert sum(inside) >= 8
    # and the probabilities of the day are near the true ones, of which the model knows nothing
    now = rows["as_of"] == np.datetime64(process.day, "us")
    matrix = np.column_stack([rows[name][now] for name in model.features])
    given, true = model.probabilities(matrix), rows["probability"][now]
    assert np.abs(given - true).mean() < 0.05
    assert given.mean() == pytest.approx(true.mean(), abs=0.03)
    assert result_of(model)["brier"] < result_of(model)["brier_base_rate"]


def test_without_a_signal_the_model_claims_none(con):
    process = Process(months=16, customers=400, strength=0.0, seed=2)
    model = trained(con, process)
    result = result_of(model)
    assert result["auc_low"] <= 0.5 <= result["auc_high"]
    assert result["brier"] == pytest.approx(result["brier_base_rate"], abs=0.003)


def test_the_better_recipe_is_promoted_and_both_are_on_the_card(con):
    # many small effects on the scale of the logistic regression, few rows: trees cannot follow
    process = Process(months=12, customers=80, strength=0.0, seed=4)
    build_marts(con, process)
    drivers = [feature.name for feature in FEATURES if feature.name not in USED and not feature.is_calendar][:12]
    values = ", ".join(f"{name} = (hash(customer_key, as_of, '{name}') % 2000)::DOUBLE / 1000 - 1" for name in drivers)
    con.execute(f"UPDATE marts.customer_features SET {values}")
    con.execute(
        "UPDATE marts.churn_labels l SET has_churned = (hash(l.customer_key, l.as_of, 'drawn') % 10000) / 10000.0"
        f" < 1 / (1 + exp(-1.3 * ({' + '.join(f'f.{name}' for name in drivers)}))) FROM marts.customer_features f"
        " WHERE f.as_of = l.as_of AND f.customer_key = l.customer_key"
    )
    model = train(con, process.day, SETTINGS)
    card = model.card
    assert card["algorithm"] == "logistic_regression"
    assert card["choice"]["log_loss_boosting_minus_logistic"] > 2 * card["choice"]["standard_error"] > 0
    assert set(card["metrics"]) == {"logistic_regression", "hist_gradient_boosting"}
    assert card["metrics"]["logistic_regression"]["log_loss"] < card["metrics"]["hist_gradient_boosting"]["log_loss"]


def test_a_short_history_is_tested_on_fewer_dates_and_says_so(con):
    # Five month-ends with a horizon of 60 days: three test dates would leave nothing to learn from.
    model = trained(con, Process(months=5))
    data = model.card["data"]
    assert (data["test"]["dates"], data["test_dates_wanted"]) == (2, 3)
    assert data["training"]["dates"] == MIN_TRAINING_DATES


@pytest.mark.parametrize(
    "process", [Process(months=3), Process(customers=10), Process(level=-9.0, strength=0.1), Process(level=9.0)]
)
def test_too_little_history_is_said_with_the_way_out(con, process):
    with pytest.raises(NotEnoughHistory) as caught:
        trained(con, process)
    text = caught.value.text()
    assert process.day.isoformat() in text
    assert f"{process.months} observation dates" in text
    assert str(MIN_OF_EACH) in caught.value.expected
    assert "churn.horizon_days" in caught.value.way_out


def test_no_labels_at_all_is_too_little_history(con):
    process = Process()
    build_marts(con, process, edits=["DELETE FROM marts.churn_labels"])
    with pytest.raises(NotEnoughHistory, match="0 observation dates"):
        train(con, process.day, SETTINGS)


def test_progress_is_told(con):
    lines = []
    build_marts(con, Process())
    train(con, Process().day, SETTINGS, on_progress=lines.append)
    assert len(lines) >= 3


_SCRIPT = """
import hashlib, sys
import duckdb
from pathlib import Path
from retention_pipeline.churn.model import train
from retention_pipeline.churn.registry import save_model
from tests.unit.churn_data import SETTINGS, Process, build_marts
with duckdb.connect() as con:
    build_marts(con, Process(), shuffled=sys.argv[2] == "shuffled")
    folder = save_model(train(con, Process().day, SETTINGS), Path(sys.argv[1]))
"""


def test_processes_of_any_number_of_threads_write_the_same_bytes(tmp_path):
    written = []
    for name, threads, order in (("first", "1", "ordered"), ("second", "2", "shuffled")):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYTHONHASHSEED")
        environment = {**os.environ, **dict.fromkeys(names, threads)}
        subprocess.run(
            [sys.executable, "-c", _SCRIPT, str(tmp_path / name), order],
            cwd=PROJECT,
            env=environment,
            check=True,
            timeout=120,
        )
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        written.append({path.relative_to(tmp_path / name).as_posix(): path.read_bytes() for path in files})
    assert written[0] == written[1]
    assert len(written[0]) == 3
    assert json.loads(written[0]["promoted.json"]) == {Process().day.isoformat(): next(iter(written[0])).split("/")[0]}
