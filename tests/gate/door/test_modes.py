"""The door machine one rule at a time: modes, extra time, directions, alarms, unknown contacts, interlock."""

from __future__ import annotations

from edged.gate.door.alarms import AlarmBook
from edged.gate.door.interlock import Interlock
from edged.gate.door.machine import Door
from edged.gate.door.model import (
    AcknowledgedAlarm,
    ChangedMode,
    CountedPassage,
    DoorMode,
    DoorRules,
    DoorState,
    EndedAlarm,
    ExecutedGrant,
    Grant,
    RaisedAlarm,
    RefusedGrant,
    SwitchRelay,
)
from edged.gate.door.relay import REASSERT_S


def door(**rules: object) -> Door:
    """A door in hold mode whose board is connected since t = 0."""
    made = Door(DoorRules(**{"mode": "hold", "has_contact": True, "min_interval_s": 0, **rules}))
    made.board_back(0.0, relay_on=False)
    return made


def lane(**rules: object) -> Door:
    return door(**{"mode": "pulse", "has_contact": False, "has_passage": True, **rules})


def grant(name: str = "d1", *, extra_time: bool = False) -> Grant:
    return Grant(decision_id=name, person_id="p", expires_s=1e6, extra_time=extra_time)


def codes(actions: list) -> list[str]:
    return [a.code for a in actions if isinstance(a, RefusedGrant | RaisedAlarm)]


def switches(actions: list) -> list[bool]:
    return [a.on for a in actions if isinstance(a, SwitchRelay)]


# -- locked


def test_locked_refuses_grants_and_lets_people_out():
    d = door()
    assert d.set_mode(1.0, DoorMode.LOCKED, "order") == [
        ChangedMode(DoorMode.NORMAL, DoorMode.LOCKED, "order")
    ]
    assert codes(d.grant(2.0, grant())) == ["door_locked_down"]
    assert switches(d.rex(3.0)) == [True]
    assert switches(d.fire(4.0, active=True)) == [True]


def test_locking_ends_what_a_grant_has_opened_and_not_what_somebody_who_leaves_has():
    d = door()
    d.grant(1.0, grant())
    assert switches(d.set_mode(2.0, DoorMode.LOCKED)) == [False]
    assert d.state is DoorState.LOCKED
    d = door()
    d.rex(1.0)
    assert switches(d.set_mode(2.0, DoorMode.LOCKED)) == []
    assert d.state is DoorState.UNLOCKED


def test_locking_sends_away_who_waits_for_the_lane():
    d = lane(queue=1)
    d.grant(1.0, grant("a"))
    d.grant(1.1, grant("b"))
    assert codes(d.set_mode(1.2, DoorMode.LOCKED)) == ["door_locked_down"]


# -- free


def test_free_holds_on_beyond_max_on_and_says_so_again_and_again():
    d = door(max_on_s=9.0)
    assert switches(d.set_mode(1.0, DoorMode.FREE)) == [True]
    assert d.next_deadline() == 1.0 + REASSERT_S
    assert d.tick(1.0 + REASSERT_S) == [SwitchRelay(True)]
    assert d.tick(1000.0) == [SwitchRelay(True)]
    assert d.state is DoorState.FREE


def test_free_masks_the_alarms_of_the_contact_and_ends_open_if_the_door_stands_open():
    d = door()
    d.set_mode(1.0, DoorMode.FREE)
    d.contact(2.0, True)
    assert codes(d.tick(5000.0)) == []
    assert codes(d.passage(5001.0)) == []
    assert switches(d.set_mode(5002.0, DoorMode.NORMAL)) == [False]
    assert d.state is DoorState.OPEN
    assert codes(d.tick(5002.0 + 30)) == ["door_held"], "from the end of free on"


def test_a_grant_while_free_counts_as_let_in_and_moves_nothing():
    d = door()
    d.set_mode(1.0, DoorMode.FREE)
    assert d.grant(2.0, grant()) == [ExecutedGrant(grant(), extended=True)]


def test_free_comes_back_with_the_board_and_without_an_alarm():
    d = door()
    d.set_mode(1.0, DoorMode.FREE)
    d.board_lost(2.0)
    actions = d.board_back(3.0, relay_on=True)
    assert switches(actions) == [True]
    assert codes(actions) == []
    assert d.state is DoorState.FREE


def test_after_fire_a_free_door_is_free_and_its_relay_was_never_off():
    d = door()
    d.set_mode(1.0, DoorMode.FREE)
    assert False not in switches(d.fire(2.0, active=True) + d.fire(3.0, active=False))
    assert d.state is DoorState.FREE


def test_a_mode_that_is_set_while_the_board_is_away_holds_when_it_is_back():
    d = door()
    d.board_lost(1.0)
    assert switches(d.set_mode(2.0, DoorMode.FREE)) == []
    assert switches(d.board_back(3.0, relay_on=False)) == [True]


# -- more time to pass


def test_extra_time_makes_the_on_time_longer_and_never_longer_than_max_on():
    for max_on_s, expected in ((30.0, 11.0), (8.0, 9.0)):
        d = door(hold_s=5.0, max_on_s=max_on_s, accessibility_factor=2.0)
        d.grant(1.0, grant(extra_time=True))
        assert d.next_deadline() == expected
        assert codes(d.tick(expected)) == [], "that is no cut-off"


def test_extra_time_makes_the_held_times_longer_for_this_opening_only():
    d = door(held_warn_s=10.0, held_alarm_s=20.0, accessibility_factor=3.0)
    d.grant(1.0, grant(extra_time=True))
    d.contact(2.0, True)
    d.tick(31.9)
    assert d.state is DoorState.OPEN
    assert codes(d.tick(62.0)) == ["door_held"]
    d.contact(63.0, False)
    d.grant(70.0, grant("d2"))
    d.contact(71.0, True)
    assert codes(d.tick(91.0)) == ["door_held"]


def test_extra_time_makes_the_window_of_a_lane_longer_and_not_the_pulse():
    d = lane(pulse_s=0.5, passage_window_s=4.0, accessibility_factor=2.0)
    actions = d.grant(1.0, grant(extra_time=True))
    assert SwitchRelay(True, pulse_ms=500) in actions
    d.tick(1.5)
    assert d.next_deadline() == 9.0


# -- directions


def test_a_passage_against_the_direction_of_the_grant_is_an_alarm_and_uses_nothing_up():
    d = lane(has_passage_out=True)
    d.grant(1.0, grant())
    actions = d.passage(1.2, out=True)
    assert CountedPassage(authorised=False, out=True) in actions
    assert codes(actions) == ["passage_reverse"]
    assert CountedPassage(authorised=True, grant=grant()) in d.passage(2.0)


def test_after_a_request_to_exit_the_lane_is_open_outwards_only():
    d = lane(has_passage_out=True)
    d.rex(1.0)
    assert codes(d.passage(1.2)) == ["passage_unauthorised"]
    assert codes(d.passage(1.4, out=True)) == []


def test_where_people_may_leave_unasked_a_passage_out_is_counted_and_keeps_the_grant():
    d = lane(has_passage_out=True, free_exit=True)
    d.grant(1.0, grant())
    assert d.passage(1.2, out=True) == [CountedPassage(authorised=True, out=True)]
    assert d.state is DoorState.UNLOCKED


# -- alarms


def test_an_alarm_stays_until_it_is_over_and_acknowledged_in_either_order():
    d = door()
    d.contact(1.0, True)
    d.tick(2.0)
    assert [(a.code, a.active, a.acknowledged_by) for a in d.alarms] == [("door_forced", True, None)]
    assert d.acknowledge("mia") == [AcknowledgedAlarm("door_forced", "mia", active=True)]
    assert d.acknowledge("mia") == []
    assert EndedAlarm("door_forced") in d.contact(3.0, False)
    assert d.alarms == ()
    d.contact(4.0, True)
    d.tick(5.0)
    d.contact(6.0, False)
    assert [a.active for a in d.alarms] == [False]
    d.acknowledge("mia")
    assert d.alarms == ()


def test_an_alarm_that_comes_again_is_told_again_and_counted():
    book = AlarmBook()
    assert book.raise_(1.0, "x", "X.", lasting=False)
    assert book.raise_(2.0, "x", "X.", lasting=False)
    assert [alarm.count for alarm in book.alarms] == [2]
    assert book.raise_(3.0, "x", "X.", lasting=True)
    assert not book.raise_(4.0, "x", "X.", lasting=True), "it lasts: nothing new"


def test_a_forced_door_whose_board_was_lost_is_not_an_active_alarm_for_ever():
    d = door()
    d.contact(1.0, True)
    d.tick(2.0)
    d.board_lost(3.0)
    assert [a.active for a in d.alarms] == [True]
    d.contact_unknown(3.0)
    d.board_back(4.0, relay_on=False)
    assert [a.active for a in d.alarms] == [False]


def test_tamper_is_an_alarm_in_every_state_and_moves_nothing():
    d = Door(DoorRules())
    assert d.tamper(1.0, active=True) == [RaisedAlarm("tamper", "A housing at the door was opened.")]
    assert d.tamper(2.0, active=False) == [EndedAlarm("tamper")]


# -- contacts that cannot be read


def test_a_door_that_is_found_open_is_open_and_not_forced():
    d = door()
    d.contact(1.0, True, first=True)
    assert d.state is DoorState.OPEN
    assert codes(d.tick(1000.0)) == ["door_held"]


def test_an_unknown_contact_does_not_leave_the_door_open_for_ever():
    d = door()
    d.contact(1.0, True, first=True)
    d.contact_unknown(2.0)
    assert d.state is DoorState.LOCKED
    assert switches(d.grant(3.0, grant())) == [True]


def test_an_unknown_contact_during_an_opening_leaves_its_time_as_it_was():
    d = door(hold_s=5.0)
    d.grant(1.0, grant())
    d.contact(2.0, True)
    d.contact_unknown(3.0)
    assert d.state is DoorState.UNLOCKED
    assert switches(d.tick(6.0)) == [False]
    assert d.state is DoorState.LOCKED


# -- interlock


def pair() -> tuple[Door, Door]:
    shared = Interlock(["a", "b"])
    made = [
        Door(DoorRules(mode="hold", has_contact=True), interlock=shared, door_id=name) for name in ("a", "b")
    ]
    for each in made:
        each.board_back(0.0, relay_on=False)
    return made[0], made[1]


def test_one_door_opens_only_when_the_other_is_closed_and_locked():
    a, b = pair()
    a.grant(1.0, grant("d1"))
    a.contact(2.0, True)
    a.tick(7.0)
    assert codes(b.grant(7.0, grant("d2"))) == ["interlocked"], "its relay is off, but it stands open"
    a.contact(8.0, False)
    assert switches(b.grant(9.0, grant("d3"))) == [True]


def test_a_door_whose_board_is_away_is_not_known_to_be_locked():
    a, b = pair()
    a.board_lost(1.0)
    assert codes(b.grant(2.0, grant())) == ["interlocked"]


def test_fire_at_one_door_lifts_the_interlock_of_both():
    a, b = pair()
    a.fire(1.0, active=True)
    assert switches(b.rex(2.0)) == [True]
