"""All enabled modalities must pass, on the same instant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.vision.liveness.modality import ModalityResult, all_pass


def result(score: float = 0.9, at_s: float = 10.0) -> ModalityResult:
    return ModalityResult(score, 0.5, at_s)


def test_all_that_pass_at_one_instant_pass():
    assert all_pass({"rgb": result(), "nir": result(at_s=10.03)}, 10.0, 0.1)


def test_one_that_fails_fails_all():
    assert not all_pass({"rgb": result(), "nir": result(0.2)}, 10.0, 0.1)


def test_one_with_nothing_to_say_fails_all():
    assert not all_pass({"rgb": result(), "depth": None}, 10.0, 0.1)


def test_passing_at_different_instants_is_not_passing():
    assert not all_pass({"rgb": result(at_s=9.93), "nir": result(at_s=10.07)}, 10.0, 0.1)


@pytest.mark.parametrize("now_s", [10.2, 9.8])
def test_the_picture_to_be_recognised_must_be_of_that_instant(now_s):
    assert not all_pass({"rgb": result()}, now_s, 0.1)


def test_nothing_enabled_is_no_pass():
    assert not all_pass({}, 10.0, 0.1)


@given(st.sampled_from([float("nan"), float("inf"), float("-inf")]))
def test_what_is_no_number_fails(odd):
    assert not all_pass({"rgb": result(odd)}, 10.0, 0.1)
    assert not all_pass({"rgb": result(at_s=odd)}, 10.0, 0.1)
