"""The scale 0..100: anchors, monotony, inverse, thresholds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.gallery.score import ANCHORS, cosine_of, default_threshold, score_of

cosines = st.floats(-1, 1)


@pytest.mark.parametrize(("cosine", "score"), ANCHORS)
def test_anchors_are_met_in_both_directions(cosine, score):
    assert score_of(cosine) == pytest.approx(score)
    assert cosine_of(score) == pytest.approx(cosine)


@given(cosines, cosines)
def test_more_alike_never_scores_less(a, b):
    low, high = sorted((a, b))
    assert score_of(low) <= score_of(high)


@given(cosines)
def test_scores_stay_within_0_and_100(cosine):
    assert 0.0 <= score_of(cosine) <= 100.0


@given(st.floats(0, 100))
def test_inverse_gives_the_score_back(score):
    assert score_of(cosine_of(score)) == pytest.approx(score, abs=1e-9)


@given(st.floats(0, 100), st.floats(0, 100))
def test_inverse_is_monotone(a, b):
    low, high = sorted((a, b))
    assert cosine_of(low) <= cosine_of(high)


def test_not_a_number_is_refused_rather_than_scored():
    with pytest.raises(ValueError, match="not a number"):
        score_of(math.nan)
    with pytest.raises(ValueError, match="not a number"):
        cosine_of(math.nan)


@pytest.mark.parametrize(("people", "threshold"), [(0, 90), (1, 90), (1000, 90), (1001, 92), (50_000, 92)])
def test_threshold_rises_with_the_size_of_the_gallery(people, threshold):
    assert default_threshold(people) == threshold
