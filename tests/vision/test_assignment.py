"""The pairing is the cheapest there is: compared with trying every pairing."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edged.vision.assignment import assign

LIMIT = 5.0
shapes = st.tuples(st.integers(0, 4), st.integers(0, 4))
tables = arrays(float, shapes, elements=st.one_of(st.floats(0, 8), st.just(np.inf)))


def total(costs, pairs):
    return sum(costs[i, j] for i, j in pairs) + LIMIT * (costs.shape[0] - len(pairs))


def cheapest(costs):
    rows, columns = costs.shape
    ways = itertools.product([None, *range(columns)], repeat=rows)
    pairings = [[(i, j) for i, j in enumerate(way) if j is not None] for way in ways]
    return min(total(costs, p) for p in pairings if len({j for _, j in p}) == len(p))


@given(tables)
def test_no_pairing_is_cheaper(costs):
    assert total(costs, assign(costs, LIMIT)) == pytest.approx(cheapest(costs))


@given(tables)
def test_everything_is_used_once_and_nothing_impossible_is_paired(costs):
    pairs = assign(costs, LIMIT)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(costs[i, j] < LIMIT for i, j in pairs)


def test_the_whole_counts_not_the_first_best_pair():
    assert assign(np.array([[1.0, 2.0], [1.5, 4.5]]), LIMIT) == [(0, 1), (1, 0)]


def test_a_large_table_is_solved():
    costs = np.random.default_rng(1).random((50, 50))
    assert len(assign(costs, LIMIT)) == 50
