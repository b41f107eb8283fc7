"""The door machine, one rule of the table at a time (docs/reference/relay-boards.md 3.1)."""

from __future__ import annotations

import math

import pytest

from edged.gate.door.grants import MAX_REMEMBERED
from edged.gate.door.machine import Door
from edged.gate.door.model import (
    ChangedState,
    CountedPassage,
    DoorRules,
    DoorState,
    ExecutedGrant,
    ExpectedExit,
    Grant,
    QueuedGrant,
    RaisedAlarm,
    RefusedGrant,
    SwitchRelay,
    UnusedGrant,
)


def door(**rules: object) -> Door:
    """A door whose board is connected since t = 0."""
    made = Door(DoorRules(**rules))
    made.board_back(0.0, relay_on=False)
    return made


def hold_door(**rules: object) -> Door:
    return door(**{"mode": "hold", "has_contact": True, **rules})


def grant(name: str = "d1", expires_s: float = 1e6) -> Grant:
    return Grant(decision_id=name, person_id="p", expires_s=expires_s)


def codes(actions: list) -> list[str]:
    return [a.code for a in actions if isinstance(a, RefusedGrant | RaisedAlarm)]


def switches(actions: list) -> list[bool]:
    return [a.on for a in actions if isinstance(a, SwitchRelay)]


def test_a_new_door_is_offline_and_accepts_nothing():
    d = Door(DoorRules())
    assert d.state is DoorState.OFFLINE
    assert codes(d.grant(1.0, grant())) == ["board_offline"]
    assert not d.relay_on


def test_board_back_switches_off_whatever_was_read():
    for relay_on in (True, False, None):
        actions = Door(DoorRules()).board_back(0.0, relay_on=relay_on)
        assert switches(actions) == [False]
        assert codes(actions) == (["relay_was_on"] if relay_on else [])


def test_the_relay_command_comes_before_the_fact_that_reports_it():
    d = door()
    assert d.grant(1.0, grant()) == [
        SwitchRelay(True, pulse_ms=500),
        ExecutedGrant(grant()),
        ChangedState(DoorState.LOCKED, DoorState.UNLOCKED),
    ]


def test_a_pulse_ends_after_pulse_s_and_the_door_is_locked_again():
    d = door(pulse_s=0.5)
    d.grant(1.0, grant())
    assert d.next_deadline() == 1.5
    assert d.tick(1.4) == []
    assert d.tick(1.5) == [
        SwitchRelay(False, reason="time_over"),
        ChangedState(DoorState.UNLOCKED, DoorState.LOCKED),
    ]
    assert d.next_deadline() is None


def test_an_expired_grant_moves_nothing():
    assert codes(door().grant(5.0, grant(expires_s=5.0))) == ["grant_expired"]
    assert codes(door().grant(5.0, grant(expires_s=math.inf))) == ["grant_expired"]
    assert codes(door().grant(5.0, grant(expires_s=math.nan))) == ["grant_expired"]


def test_a_decision_is_spent_once():
    d = door()
    d.grant(1.0, grant())
    d.tick(2.0)
    actions = d.grant(10.0, grant())
    assert codes(actions) == ["grant_already_spent"]
    assert not d.relay_on


def test_a_grant_refused_once_is_not_executed_when_it_comes_again():
    d = Door(DoorRules())
    d.grant(1.0, grant())
    d.board_back(1.1, relay_on=False)
    assert codes(d.grant(1.2, grant())) == ["grant_already_spent"]


def test_the_memory_of_spent_decisions_is_bounded_and_fails_closed():
    d = hold_door(min_interval_s=0)
    for n in range(MAX_REMEMBERED):
        d.grant(1.0, grant(f"d{n}", expires_s=3.0))
    d.tick(2.0)
    assert codes(d.grant(2.0, grant("one more", expires_s=4.0))) == ["door_busy"]
    assert codes(d.grant(3.5, grant("later", expires_s=5.5))) == []


def test_a_grant_too_soon_after_the_last_one_is_refused():
    d = door(pulse_s=0.1, min_interval_s=0.5)
    d.grant(1.0, grant("a"))
    d.tick(1.1)
    assert codes(d.grant(1.49, grant("b"))) == ["too_soon"]
    assert switches(d.grant(1.5, grant("c"))) == [True]


def test_a_second_grant_in_hold_mode_extends_but_never_past_max_on():
    d = hold_door(hold_s=5, max_on_s=8)
    d.grant(0.0, grant("a"))
    assert d.grant(2.0, grant("b")) == [ExecutedGrant(grant("b"), extended=True)]
    assert d.next_deadline() == 7.0
    d.grant(6.0, grant("c"))
    assert d.next_deadline() == 8.0
    actions = d.tick(8.0)
    assert switches(actions) == [False]
    assert codes(actions) == []


def test_a_plan_longer_than_max_on_is_cut_off_with_an_alarm():
    d = hold_door(hold_s=60, max_on_s=8)
    d.grant(0.0, grant())
    actions = d.tick(8.0)
    assert switches(actions) == [False]
    assert "max_on_cutoff" in codes(actions)
    assert d.state is DoorState.LOCKED


def test_a_second_grant_in_a_pulse_is_refused_without_a_queue():
    d = door()
    d.grant(1.0, grant("a"))
    assert codes(d.grant(1.1, grant("b"))) == ["door_busy"]


def test_a_queued_grant_is_executed_when_the_lane_is_free():
    d = door(queue=1, pulse_s=0.3, min_interval_s=1.0)
    d.grant(1.0, grant("a"))
    assert d.grant(1.1, grant("b")) == [QueuedGrant(grant("b"))]
    assert codes(d.grant(1.2, grant("c"))) == ["door_busy"]
    assert switches(d.tick(1.3)) == [False]
    assert d.next_deadline() == 2.0
    assert ExecutedGrant(grant("b")) in d.tick(2.0)


def test_a_queued_grant_that_expires_is_dropped():
    d = door(queue=1, pulse_s=2.0)
    d.grant(1.0, grant("a"))
    d.grant(1.1, grant("b", expires_s=2.5))
    assert d.next_deadline() == 2.5
    assert codes(d.tick(2.5)) == ["grant_expired"]
    d.tick(3.0)
    assert d.state is DoorState.LOCKED


def test_a_passage_ends_the_pulse_and_serves_the_next_in_the_queue():
    d = door(queue=1, has_passage=True, pulse_s=0.3)
    d.grant(1.0, grant("a"))
    d.tick(1.3)
    d.grant(1.4, grant("b"))
    actions = d.passage(2.0)
    assert CountedPassage(authorised=True, grant=grant("a")) in actions
    assert ExecutedGrant(grant("b")) in actions


def test_a_passage_in_mid_pulse_switches_off():
    d = door(has_passage=True)
    d.grant(1.0, grant())
    assert SwitchRelay(False, reason="passed") in d.passage(1.1)
    assert d.state is DoorState.LOCKED


def test_a_passage_without_a_grant_is_an_alarm():
    assert codes(door(has_passage=True).passage(1.0)) == ["passage_unauthorised"]


def test_a_window_nobody_used_is_reported_when_a_sensor_could_tell():
    d = door(has_passage=True, passage_window_s=5)
    d.grant(1.0, grant())
    assert switches(d.tick(1.5)) == [False]
    assert UnusedGrant(grant()) in d.tick(6.0)


def test_hold_mode_relocks_when_the_door_closes_even_before_the_time_is_over():
    d = hold_door()
    d.grant(0.0, grant())
    assert switches(d.contact(1.0, is_open=True)) == []
    assert d.state is DoorState.OPEN
    assert switches(d.contact(2.0, is_open=False)) == [False]
    assert d.state is DoorState.LOCKED


def test_hold_mode_can_relock_when_the_door_opens():
    d = hold_door(relock_on="open")
    d.grant(0.0, grant())
    assert switches(d.contact(1.0, is_open=True)) == [False]
    assert d.state is DoorState.OPEN


def test_an_open_door_is_held_and_then_an_alarm_and_a_grant_restarts_the_timer():
    d = hold_door(held_warn_s=15, held_alarm_s=30)
    d.grant(0.0, grant("a"))
    d.contact(1.0, is_open=True)
    d.tick(16.0)
    assert d.state is DoorState.HELD
    assert codes(d.grant(20.0, grant("b"))) == ["door_already_open"]
    assert d.state is DoorState.OPEN
    assert not d.relay_on
    d.tick(49.9)
    assert d.state is DoorState.HELD
    assert codes(d.tick(50.0)) == ["door_held"]
    assert d.state is DoorState.ALARM_HELD
    d.contact(60.0, is_open=False)
    assert d.state is DoorState.LOCKED


def test_a_contact_that_opens_without_a_grant_is_forced_after_the_debounce():
    d = hold_door(forced_debounce_s=0.1)
    d.contact(1.0, is_open=True)
    assert d.state is DoorState.LOCKED
    assert codes(d.tick(1.1)) == ["door_forced"]
    assert d.state is DoorState.FORCED
    assert codes(d.grant(2.0, grant())) == ["door_forced"]
    d.contact(3.0, is_open=False)
    assert d.state is DoorState.LOCKED


def test_a_contact_that_chatters_is_not_forced():
    d = hold_door()
    d.contact(1.0, is_open=True)
    d.contact(1.05, is_open=False)
    assert d.tick(2.0) == []


def test_a_request_to_exit_unlocks_like_a_grant():
    assert switches(hold_door().rex(1.0)) == [True]


def test_with_a_mechanical_handle_a_request_to_exit_only_masks_the_forced_alarm():
    d = hold_door(rex_unlocks=False)
    assert d.rex(1.0) == [ExpectedExit()]
    d.contact(2.0, is_open=True)
    assert d.state is DoorState.OPEN
    assert not d.relay_on


def test_fire_switches_on_clears_the_queue_and_ignores_grants_until_it_is_over():
    d = door(queue=1, max_on_s=1)
    d.grant(1.0, grant("a"))
    d.grant(1.1, grant("b"))
    actions = d.fire(1.2, active=True)
    assert codes(actions) == ["fire", "fire"], "the one who waited, and the alarm"
    assert switches(actions) == [True]
    assert codes(d.grant(2.0, grant("c"))) == ["fire"]
    assert d.tick(100.0) == [SwitchRelay(True)], "told again, in case the board has forgotten"
    assert d.relay_on
    assert switches(d.fire(101.0, active=False)) == [False]
    assert d.state is DoorState.LOCKED


def test_fire_that_began_while_the_board_was_away_opens_when_it_is_back():
    d = Door(DoorRules())
    assert codes(d.fire(1.0, active=True)) == ["fire"], "the alarm"
    assert not d.relay_on
    assert switches(d.board_back(2.0, relay_on=False)) == [True]
    assert d.state is DoorState.FIRE


def test_a_lost_board_refuses_what_waits_and_what_comes():
    d = door(queue=1)
    d.grant(1.0, grant("a"))
    d.grant(1.1, grant("b"))
    assert codes(d.board_lost(1.2)) == ["board_offline"]
    assert codes(d.grant(1.3, grant("c"))) == ["board_offline"]
    assert d.next_deadline() is None


def test_a_board_that_comes_back_to_an_open_door_does_not_call_it_forced():
    d = hold_door()
    d.board_lost(1.0)
    d.contact(2.0, is_open=True)
    d.board_back(3.0, relay_on=False)
    d.tick(4.0)
    assert d.state is DoorState.OPEN


@pytest.mark.parametrize("late_s", [0.6, 3.0, 100.0])
def test_a_grant_sees_the_state_after_the_time_that_has_passed_even_without_a_tick(late_s):
    d = door(pulse_s=0.5)
    d.grant(1.0, grant("a"))
    assert switches(d.grant(1.0 + late_s, grant("b"))) == [False, True]


def test_a_grant_that_waited_while_the_door_came_to_stand_open_leaves_no_deadline_behind():
    rules = DoorRules(
        mode="pulse", queue=1, min_interval_s=0.01, pulse_s=0.05, held_warn_s=0.0, held_alarm_s=0.0
    )
    door = Door(rules)
    door.board_back(100.0, False)
    door.rex(100.0)
    door.passage(100.0)
    door.contact(100.0, True)
    door.grant(100.0, Grant(decision_id="d", person_id=None, expires_s=103.0))
    door.tick(100.01)
    assert door.next_deadline() > 100.01
