"""The door serves whom its policy names, does not waver, and serves nobody when it cannot tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.vision.candidates import (
    NOT_SERVED,
    OUTSIDE_REGION,
    SEVERAL_FACES,
    Candidate,
    CandidateChooser,
    Choice,
)

WIDTH, HEIGHT = 1280, 720


def person(track_id, x, size, y=300.0):
    return Candidate(track_id, (x - size / 2, y - size * 0.65, size, size * 1.3))


def choose(chooser, *faces):
    return chooser.choose(faces, WIDTH, HEIGHT)


def test_all_serves_everybody_the_largest_first():
    assert choose(CandidateChooser("all"), person(1, 300, 90), person(2, 900, 150)) == Choice((2, 1))


def test_largest_serves_the_nearest_person_only():
    choice = choose(CandidateChooser("largest"), person(1, 300, 90), person(2, 900, 150))
    assert choice == Choice((2,), {1: NOT_SERVED})


def test_nearest_centre_serves_who_stands_in_the_middle():
    choice = choose(CandidateChooser("nearest_centre"), person(1, 200, 200), person(2, 700, 90))
    assert choice == Choice((2,), {1: NOT_SERVED})


def test_region_serves_only_who_stands_in_it():
    chooser = CandidateChooser("region", region=(0.5, 0.0, 1.0, 1.0))
    assert choose(chooser, person(1, 300, 200), person(2, 900, 90)) == Choice((2,), {1: OUTSIDE_REGION})


def test_nobody_in_view_is_no_tie():
    assert choose(CandidateChooser("largest", single_lane=True)) == Choice()


@pytest.mark.parametrize("policy", ["all", "largest", "nearest_centre", "region"])
def test_two_alike_at_a_single_lane_gate_are_a_tie(policy):
    chooser = CandidateChooser(policy, single_lane=True)
    choice = choose(chooser, person(1, 560, 150), person(2, 720, 145))
    assert choice == Choice((), {1: SEVERAL_FACES, 2: SEVERAL_FACES}, tie=True)


def test_somebody_waiting_further_back_is_no_tie():
    chooser = CandidateChooser("all", single_lane=True)
    assert choose(chooser, person(1, 560, 150), person(2, 720, 100)) == Choice((1,), {2: NOT_SERVED})


def test_somebody_outside_the_region_makes_no_tie():
    chooser = CandidateChooser("region", region=(0.3, 0, 0.7, 1), single_lane=True)
    choice = choose(chooser, person(1, 640, 150), person(2, 1200, 150))
    assert choice == Choice((1,), {2: OUTSIDE_REGION})


def test_the_choice_does_not_flip_between_two_similar_faces():
    chooser = CandidateChooser("largest")
    sizes = [(150, 140), (140, 150), (150, 148), (138, 152)]
    served = [choose(chooser, person(1, 300, a), person(2, 900, b)).served for a, b in sizes]
    assert served == [(1,)] * 4


def test_the_choice_goes_over_to_somebody_clearly_nearer():
    chooser = CandidateChooser("largest")
    choose(chooser, person(1, 300, 150), person(2, 900, 140))
    assert choose(chooser, person(1, 300, 150), person(2, 900, 200)).served == (2,)


def test_the_choice_goes_over_when_the_chosen_one_has_gone():
    chooser = CandidateChooser("largest")
    choose(chooser, person(1, 300, 150), person(2, 900, 140))
    assert choose(chooser, person(2, 900, 140)).served == (2,)


def test_a_tie_forgets_who_was_chosen():
    chooser = CandidateChooser("largest", single_lane=True)
    choose(chooser, person(1, 300, 150))
    assert choose(chooser, person(1, 300, 150), person(2, 900, 150)).tie
    assert choose(chooser, person(1, 300, 110), person(2, 900, 150)).served == (2,)


@pytest.mark.parametrize("region", [(0.5, 0, 0.5, 1), (0, 0.8, 1, 0.2), (-0.1, 0, 1, 1), (0, 0, 1, 1.1)])
def test_a_region_that_is_none_is_refused(region):
    with pytest.raises(ValueError, match="region"):
        CandidateChooser("region", region=region)


crowds = st.lists(
    st.tuples(st.floats(-50, 1330), st.floats(20, 400), st.floats(-50, 770)), min_size=0, max_size=50
)


@given(
    st.sampled_from(["all", "largest", "nearest_centre", "region"]),
    st.booleans(),
    st.lists(crowds, max_size=4),
)
def test_everybody_is_either_served_or_told_why_not(policy, single_lane, frames):
    chooser = CandidateChooser(policy, region=(0.2, 0.1, 0.8, 0.9), single_lane=single_lane)
    for crowd in frames:
        faces = [person(k, *place) for k, place in enumerate(crowd)]
        choice = choose(chooser, *faces)
        assert sorted([*choice.served, *choice.others]) == list(range(len(crowd)))
        assert not (choice.tie and choice.served)
        assert not single_lane or len(choice.served) <= 1
