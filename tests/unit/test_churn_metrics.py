"""The metrics of the churn model against brute force and worked examples."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention_pipeline.churn import metrics

outcomes = st.lists(
    st.tuples(st.booleans(), st.integers(0, 8).map(lambda n: n / 8), st.integers(0, 6)), min_size=4, max_size=40
).filter(lambda rows: 0 < sum(churned for churned, _, _ in rows) < len(rows))


def columns(rows):
    churned, predicted, customers = zip(*rows, strict=True)
    return np.asarray(churned), np.asarray(predicted, dtype=float), np.asarray(customers)


@given(outcomes)
def test_auc_is_the_share_of_pairs_in_the_right_order(rows):
    churned, predicted, customers = columns(rows)
    pairs = [
        1.0 if left > stayed else 0.5 if left == stayed else 0.0
        for left in predicted[churned]
        for stayed in predicted[~churned]
    ]
    area, low, high = metrics.area_under_roc(churned, predicted, customers)
    assert area == pytest.approx(sum(pairs) / len(pairs))
    assert 0 <= low <= area <= high <= 1


@pytest.mark.parametrize(
    ("habit_of_leaving", "row_by_row"),
    # Where leaving is a habit too, rows taken as independent promise too much. Where only the prediction is one, the
    # rows of a customer that left and those that stayed offset each other, and it makes no difference.
    [(1.0, 0.87), (0.0, 0.98)],
)
def test_auc_interval_agrees_with_a_bootstrap_over_customers(habit_of_leaving, row_by_row):
    random = np.random.default_rng(3)
    customers = np.repeat(np.arange(300), 3)
    habit = np.repeat(random.normal(size=300), 3)
    predicted = habit + 0.3 * random.normal(size=900)
    churned = habit_of_leaving * habit + random.normal(size=900) > 0.2
    _, low, high = metrics.area_under_roc(churned, predicted, customers)
    drawn = []
    for _ in range(600):
        taken = random.integers(0, 300, 300)
        rows = (taken[:, None] * 3 + np.arange(3)).ravel()
        drawn.append(metrics.area_under_roc(churned[rows], predicted[rows], customers[rows])[0])
    assert [low, high] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.006)
    _, row_low, row_high = metrics.area_under_roc(churned, predicted, np.arange(900))
    assert (row_high - row_low) / (high - low) == pytest.approx(row_by_row, abs=0.03)


def test_auc_of_a_perfect_order_is_one():
    assert metrics.area_under_roc(np.array([False, True]), np.array([0.1, 0.9]), np.array([1, 2])) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3 (score without continuity correction)
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_interval_of_published_examples(successes, trials, low, high):
    assert metrics.wilson_interval(successes, trials) == pytest.approx((low, high), abs=5e-5)


def test_wilson_interval_without_trials_says_nothing():
    assert metrics.wilson_interval(0, 0) == (0.0, 1.0)


def test_lift_by_hand():
    # 20 rows, 4 lost: base rate 0.2. The highest two: one lost of two, 0.5 / 0.2 = 2.5.
    predicted = np.linspace(0.0, 0.95, 20)
    churned = np.zeros(20, dtype=bool)
    churned[[19, 3, 4, 5]] = True
    assert metrics.top_decile_lift(churned, predicted) == pytest.approx(2.5)


def test_lift_shares_out_the_rows_tied_at_the_border():
    # 10 rows, 2 lost; the highest row is one of four tied, of which one was lost: 0.25 / 0.2.
    predicted = np.array([0.9, 0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    churned = np.array([1, 0, 0, 0, 1, 0, 0, 0, 0, 0], dtype=bool)
    assert metrics.top_decile_lift(churned, predicted) == pytest.approx(1.25)


@given(outcomes, st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    for measure in (metrics.top_decile_lift, metrics.average_precision, metrics.brier_score):
        assert measure(*columns(rows)[:2]) == pytest.approx(measure(*columns(shuffled)[:2]))
    first, second = (metrics.calibration_bins(*columns(order)[:2]) for order in (rows, shuffled))
    assert [(b.bin, b.customers, b.observed) for b in first] == [(b.bin, b.customers, b.observed) for b in second]


@given(outcomes)
def test_calibration_bins_hold_every_row_once(rows):
    churned, predicted, _ = columns(rows)
    bins = metrics.calibration_bins(churned, predicted)
    assert sum(b.customers for b in bins) == len(rows)
    assert sum(b.customers * b.observed for b in bins) == pytest.approx(churned.sum())
    assert all(low.predicted < high.predicted for low, high in pairwise(bins))
    assert all(b.observed_low <= b.observed <= b.observed_high for b in bins)


def test_brier_score_and_log_loss_by_hand():
    churned, predicted = np.array([True, False]), np.array([0.8, 0.4])
    assert metrics.brier_score(churned, predicted) == pytest.approx((0.04 + 0.16) / 2)
    assert metrics.log_losses(churned, predicted) == pytest.approx([-math.log(0.8), -math.log(0.6)])
    assert np.isfinite(metrics.log_losses(np.array([True]), np.array([0.0]))).all()


def test_average_precision_by_hand():
    # ranks of the lost: 1 and 3, so precision 1/1 and 2/3
    churned, predicted = np.array([True, False, True, False]), np.array([0.9, 0.8, 0.7, 0.1])
    assert metrics.average_precision(churned, predicted) == pytest.approx((1 + 2 / 3) / 2)


@settings(max_examples=20)
@given(st.integers(2, 30), st.integers(0, 1000))
def test_error_of_a_mean_counts_customers_not_rows(customers, seed):
    values = np.random.default_rng(seed).normal(size=customers)
    once = metrics.mean_difference(values, np.arange(customers))
    thrice = metrics.mean_difference(np.repeat(values, 3), np.repeat(np.arange(customers), 3))
    assert thrice == pytest.approx(once)
    assert once[1] == pytest.approx(values.std(ddof=1) / math.sqrt(customers))
