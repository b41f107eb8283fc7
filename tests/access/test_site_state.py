"""What the site remembers: grants by person and door, and passages, in bounded room."""

import pytest

from edged.access import SiteState
from edged.access.site_state import REMEMBERED


@pytest.fixture
def state():
    return SiteState()


def test_nobody_was_granted_before_the_first_grant(state):
    assert state.last_grant_s("ann", "door1") is None
    assert state.last_grant_s(None, "door1") is None


def test_a_grant_counts_for_its_person_at_its_door(state):
    state.grant("d_1", "ann", "door1", 7.0)
    assert state.last_grant_s("ann", "door1") == 7.0
    assert state.last_grant_s("bo", "door1") is None
    assert state.last_grant_s("ann", "door2") is None


def test_only_the_door_of_a_grant_withdraws_it(state):
    state.grant("d_1", "ann", "door1", 7.0)
    state.withdraw_grant("d_1", "door2")
    assert state.last_grant_s("ann", "door1") == 7.0
    state.withdraw_grant("d_1", "door1")
    assert state.last_grant_s("ann", "door1") is None


def test_an_unknown_decision_withdraws_nothing(state):
    state.recall_grants("door1", {"ann": 3.0})
    state.withdraw_grant("d_of_an_earlier_run", "door1")
    assert state.last_grant_s("ann", "door1") == 3.0


def test_a_closed_passage_stays_decided_and_gives_up_its_count(state):
    state.count_shot("p_1")
    state.count_shot("p_1")
    assert (state.shots("p_1"), state.is_decided("p_1")) == (2, False)
    state.close_passage("p_1")
    assert (state.shots("p_1"), state.is_decided("p_1")) == (0, True)


def test_the_oldest_passage_is_forgotten_when_the_room_is_full(state):
    for number in range(REMEMBERED + 1):
        state.close_passage(f"p_{number}")
    assert not state.is_decided("p_0")
    assert state.is_decided("p_1")
    assert state.is_decided(f"p_{REMEMBERED}")
