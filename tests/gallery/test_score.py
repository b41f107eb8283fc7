"""The scale 0..100: anchors, monotony, thresholds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.gallery.score import ANCHORS, default_threshold, score_of

cosines = st.floats(-1, 1)


@pytest.mark.parametrize(("cosine", "score"), ANCHORS)
def test_anchors_are_met(cosine, score):
    assert score_of(cosine) == pytest.approx(score)


@given(cosines, cosines)
def test_more_alike_never_scores_less(a, b):
    low, high = sorted((a, b))
    assert score_of(low) <= score_of(high)


@given(cosines)
def test_scores_stay_within_0_and_100(cosine):
    assert 0.0 <= score_of(cosine) <= 100.0


def test_not_a_number_is_refused_rather_than_scored():
    with pytest.raises(ValueError, match="not a number"):
        score_of(math.nan)


@pytest.mark.parametrize(("people", "threshold"), [(0, 90), (1, 90), (1000, 90), (1001, 92), (50_000, 92)])
def test_threshold_rises_with_the_size_of_the_gallery(people, threshold):
    assert default_threshold(people) == threshold
