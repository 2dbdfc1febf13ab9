"""Finding clusters: planted ones are found again, in any order of labels, and customers do not move by chance."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from retention_pipeline.segments.clustering import Scale, assign, find_clusters, informative, jaccard, matched, shift

FLOATS = st.floats(-5, 5, allow_nan=False, width=32)


def _planted(centres: list[tuple[float, ...]], each: int, spread: float, seed: int = 7) -> np.ndarray:
    random = np.random.default_rng(seed)
    points = np.concatenate([random.normal(centre, spread, (each, len(centre))) for centre in centres])
    return random.permutation(points)


def test_jaccard_by_hand() -> None:
    # {0,1,2} {3,4,5} against {0,1} {2,3,4,5}: 2/3 and 3/4.
    labels, others = np.array([0, 0, 0, 1, 1, 1]), np.array([1, 1, 0, 0, 0, 0])
    assert jaccard(labels, others, 2).tolist() == pytest.approx([2 / 3, 3 / 4])
    # A cluster that is not there at all is compared with the best that is: {1,1} of {1,1,1}.
    assert jaccard(np.array([0, 0, 1]), np.array([0, 0, 0]), 2).tolist() == pytest.approx([2 / 3, 1 / 3])


def test_shift_by_hand() -> None:
    # 0.1 x ln(0.6 / 0.5) - 0.1 x ln(0.4 / 0.5) = 0.018232 + 0.022314
    assert shift(np.array([0.5, 0.5]), np.array([0.6, 0.4])) == pytest.approx(0.040547, abs=1e-6)
    assert shift(np.array([0.5, 0.5]), np.array([0.5, 0.5])) == 0


def test_planted_clusters_are_found_and_stable() -> None:
    points = _planted([(0, 0), (4, 0), (0, 4), (4, 4)], 150, 0.3)
    found = find_clusters(points, fewest=2, most=6, min_stability=0.75, min_share=0.02, seed=1)
    assert len(found.centres) == 4
    assert found.stability.min() > 0.95
    assert sorted(np.round(found.centres).tolist()) == [[0, 0], [0, 4], [4, 0], [4, 4]]
    assert found.tried[5] < 0.75, "a fifth one is cut where there is nothing to cut"


def test_what_has_no_clusters_is_said_to_be_unstable() -> None:
    points = np.random.default_rng(3).normal(0, 1, (600, 4))
    found = find_clusters(points, fewest=3, most=5, min_stability=0.75, min_share=0.02, seed=1)
    assert found.stability.min() < 0.75


def test_no_segment_is_smaller_than_its_share() -> None:
    points = np.concatenate([_planted([(0, 0), (4, 0)], 300, 0.2), np.full((20, 2), (2.0, 6.0))])
    points = np.random.default_rng(5).permutation(points)
    sizes = {
        share: len(find_clusters(points, fewest=2, most=3, min_stability=0.9, min_share=share, seed=1).centres)
        for share in (0.0, 0.05)
    }
    assert sizes == {0.0: 3, 0.05: 2}


def test_the_same_points_give_the_same_clusters() -> None:
    points = _planted([(0, 0, 1), (3, 0, 0), (0, 3, 2)], 120, 0.6)
    first, again = (
        find_clusters(points, fewest=2, most=4, min_stability=0.75, min_share=0.02, seed=9) for _ in range(2)
    )
    assert (first.centres == again.centres).all()
    assert (first.stability == again.stability).all()


def test_who_is_in_a_segment_stays_unless_another_is_clearly_nearer() -> None:
    centres = np.array([[0.0], [10.0]])
    points = np.array([[4.9], [5.1], [5.3], [5.5], [9.0], [5.1]])
    before = np.array([0, 0, 0, 0, 0, -1])
    # Of a margin of 0.15: at 5.3 the new centre is 4.7 away, more than 0.85 x 5.3 = 4.505; at 5.5, 4.5 < 4.675.
    assert assign(points, centres, before, 0.15).places.tolist() == [0, 0, 0, 1, 1, 1]
    assert assign(points, centres, before, 0.0).places.tolist() == [0, 1, 1, 1, 1, 1]
    found = assign(points, centres, before, 0.15)
    assert found.distances.tolist() == [4.9, 5.1, 5.3, 4.5, 1.0, 4.9]
    # 1 - nearer / farther: 4.9/5.1 and 4.7/5.3, and so on; the label of before plays no part.
    near = np.array([4.9, 4.9, 4.7, 4.5, 1.0, 4.9])
    assert found.silhouette == pytest.approx(float(np.mean(1 - near / (10 - near))), abs=1e-6)


@given(
    points=arrays(np.float64, (30, 3), elements=FLOATS),
    centres=arrays(np.float64, (4, 3), elements=FLOATS),
    before=arrays(np.int64, 30, elements=st.integers(-1, 3)),
    margin=st.floats(0, 0.9),
)
@settings(max_examples=100, deadline=None)
def test_everybody_is_in_one_segment_and_stays_there(
    points: np.ndarray, centres: np.ndarray, before: np.ndarray, margin: float
) -> None:
    """Assigned once, a customer who does not change is never moved; and no centre is nearer by the margin."""
    found = assign(points, centres, before, margin)
    assert ((found.places >= 0) & (found.places < 4)).all()
    again = assign(points, centres, found.places, margin)
    assert (again.places == found.places).all()
    nearest = np.sqrt(((points[:, None] - centres[None]) ** 2).sum(axis=2)).min(axis=1)
    assert ((1 - margin) * found.distances <= nearest + 1e-5).all()


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_clusters_are_recognised_in_any_order(order: tuple[int, ...]) -> None:
    old = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    new = (old + 0.2)[list(order)]
    assert matched(old, new) == dict(enumerate(order))


def test_a_centre_far_from_all_of_before_is_a_new_segment() -> None:
    old = np.array([[0.0, 0.0], [4.0, 0.0]])
    # Two continue; the third lies 4 from its nearest neighbour and 3 from the one of before that is left over.
    assert matched(old, np.array([[0.1, 0.0], [4.0, 0.3], [4.0, 4.0]])) == {0: 0, 1: 1}
    assert matched(old, np.array([[2.0, 3.0], [2.0, 5.0]])) == {}
    assert matched(np.empty((0, 2)), old) == {}


def test_columns_that_tell_nobody_apart_are_left_out() -> None:
    points = np.zeros((100, 3))
    points[:5, 0] = 1
    points[:6, 1] = 1
    points[:, 2] = np.arange(100)
    assert informative(points).tolist() == [True, True, True]
    points[4, 0] = 0
    assert informative(points).tolist() == [False, True, True]


def test_a_scale_draws_in_what_lies_far_out() -> None:
    values = np.array([[0.0, 5.0], [2.0, 5.0]])
    scale = Scale.of(values)
    assert scale.standardised(values).tolist() == [[-1, 0], [1, 0]]
    assert scale.standardised(np.array([[1000.0, 6.0]])).tolist() == [[3, 1]]
