"""What the door machine guarantees for any order of inputs, any times and odd rules."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edged.gate.door.interlock import Interlock
from edged.gate.door.machine import Door
from edged.gate.door.model import DoorMode, DoorRules, DoorState, ExecutedGrant, Grant, SwitchRelay

TIMES = st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0, 3.0, 20.0])
ON_TIMES = st.sampled_from([0.05, 0.5, 2.0, 9.0])
RULES = st.builds(
    DoorRules,
    mode=st.sampled_from(["pulse", "hold"]),
    pulse_s=ON_TIMES,
    hold_s=ON_TIMES,
    max_on_s=ON_TIMES,
    min_interval_s=TIMES,
    queue=st.integers(0, 3),
    has_contact=st.booleans(),
    has_passage=st.booleans(),
    has_passage_out=st.booleans(),
    free_exit=st.booleans(),
    passage_window_s=TIMES,
    accessibility_factor=st.sampled_from([1.0, 2.0, 3.0]),
    relock_on=st.sampled_from(["open", "close"]),
    rex_unlocks=st.booleans(),
    forced_debounce_s=TIMES,
    held_warn_s=TIMES,
    held_alarm_s=TIMES,
)


class DoorUnderAnyInput(RuleBasedStateMachine):
    """Keeps its own picture of the relay, made only from the commands the door gives."""

    @initialize(rules=RULES)
    def build(self, rules: DoorRules) -> None:
        self.rules = rules
        self.door = Door(rules)
        self.now = 100.0
        self.relay_on = False
        self.on_since = self.now
        self.fire = False
        self.mode = DoorMode.NORMAL
        self.executed: set[str] = set()
        self.known: list[Grant] = []
        self.took(self.door.board_back(self.now, False), may_switch_on=False)

    def took(self, actions: list, may_switch_on: bool) -> None:
        was_on = self.relay_on
        for action in actions:
            if isinstance(action, SwitchRelay):
                if action.on and not self.relay_on:
                    assert may_switch_on or self.released, "on without grant, exit request, fire or free"
                    self.on_since = self.now
                self.relay_on = action.on
            if isinstance(action, ExecutedGrant) and action.grant:
                assert action.grant.decision_id not in self.executed, "executed twice"
                assert self.now < action.grant.expires_s, "executed after its time"
                assert self.mode is not DoorMode.LOCKED, "executed in a lock-down"
                self.executed.add(action.grant.decision_id)
        if not was_on and self.relay_on and not self.released:
            assert any(isinstance(a, ExecutedGrant) for a in actions)

    @property
    def released(self) -> bool:
        return self.fire or self.mode is DoorMode.FREE

    @rule(seconds=TIMES)
    def time_passes_to_the_deadlines(self, seconds: float) -> None:
        """As the gate's thread does it: a tick at every deadline on the way."""
        until = self.now + seconds
        while (due := self.door.next_deadline()) is not None and due <= until:
            assert due >= self.now, "a deadline was left behind"
            self.now = due
            self.took(self.door.tick(self.now), may_switch_on=True)
            after = self.door.next_deadline()
            assert after is None or after > self.now, "a deadline that does not go away"
        self.now = until

    @rule(seconds=TIMES)
    def the_thread_was_late(self, seconds: float) -> None:
        self.now += seconds
        self.took(self.door.tick(self.now), may_switch_on=True)

    @rule(life_s=st.sampled_from([-1.0, 0.0, 0.3, 2.0, 50.0]), extra_time=st.booleans())
    def new_grant(self, life_s: float, extra_time: bool = False) -> None:
        expires_s, name = self.now + life_s, f"d{len(self.known)}"
        self.known.append(Grant(decision_id=name, person_id=None, expires_s=expires_s, extra_time=extra_time))
        self.give(self.known[-1])

    @precondition(lambda self: self.known)
    @rule(back=st.integers(1, 5))
    def the_same_grant_again(self, back: int) -> None:
        self.give(self.known[-min(back, len(self.known))])

    def give(self, grant: Grant) -> None:
        offline = self.door.state is DoorState.OFFLINE
        actions = self.door.grant(self.now, grant)
        if offline:
            assert not any(isinstance(a, SwitchRelay | ExecutedGrant) for a in actions)
        self.took(actions, may_switch_on=True)

    @rule()
    def rex(self) -> None:
        self.took(self.door.rex(self.now), may_switch_on=True)

    @rule(is_open=st.booleans(), first=st.booleans())
    def contact(self, is_open: bool, first: bool) -> None:
        self.took(self.door.contact(self.now, is_open, first=first), may_switch_on=True)

    @rule()
    def the_contact_cannot_be_read(self) -> None:
        self.took(self.door.contact_unknown(self.now), may_switch_on=True)

    @rule(out=st.booleans())
    def passage(self, out: bool) -> None:
        self.took(self.door.passage(self.now, out=out), may_switch_on=True)

    @rule(mode=st.sampled_from(DoorMode))
    def mode_ordered(self, mode: DoorMode) -> None:
        self.took(self.door.tick(self.now), may_switch_on=True)  # what was due before it is not its work
        was_held = self.door.state in (DoorState.FREE, DoorState.FIRE)
        self.mode = mode
        self.took(self.door.set_mode(self.now, mode), may_switch_on=False)
        if was_held and not self.released:
            assert not self.relay_on, "the end of free must be sure"

    @rule()
    def alarms_acknowledged(self) -> None:
        self.took(self.door.acknowledge("guard"), may_switch_on=False)
        assert all(alarm.active for alarm in self.door.alarms)

    @rule(active=st.booleans())
    def tamper(self, active: bool) -> None:
        self.took(self.door.tamper(self.now, active), may_switch_on=False)

    @rule(active=st.booleans())
    def fire_contact(self, active: bool) -> None:
        self.fire = active
        self.took(self.door.fire(self.now, active), may_switch_on=True)

    @rule(back_with=st.sampled_from([True, False, None]), seconds=TIMES)
    def the_board_is_away(self, back_with: bool | None, seconds: float) -> None:
        self.took(self.door.board_lost(self.now), may_switch_on=False)
        self.relay_on = False  # nobody can say; it is forced when the board is back
        self.new_grant(50.0)
        self.now += seconds
        actions = self.door.board_back(self.now, back_with)
        assert any(isinstance(a, SwitchRelay) for a in actions)
        self.took(actions, may_switch_on=False)

    @invariant()
    def the_commands_and_the_machine_agree(self) -> None:
        if hasattr(self, "door"):
            assert self.relay_on == self.door.relay_on

    @invariant()
    def locked_or_forced_means_off_and_released_means_on(self) -> None:
        if hasattr(self, "door"):
            if self.door.state in (DoorState.LOCKED, DoorState.FORCED, DoorState.OFFLINE):
                assert not self.relay_on
            if self.released:
                assert self.door.state is (DoorState.FIRE if self.fire else DoorState.FREE)
                assert self.relay_on

    @invariant()
    def the_on_time_is_limited(self) -> None:
        if hasattr(self, "door") and self.relay_on and not self.released:
            on_s = self.now - self.on_since
            limit_s = self.rules.max_on_s
            if self.rules.mode == "pulse":
                limit_s = min(limit_s, self.rules.pulse_s)
            due = self.door.next_deadline()
            assert due is not None
            assert due <= self.on_since + limit_s + 1e-9
            assert on_s <= limit_s + 1e-9 or due <= self.now


class TwoDoorsOfAnInterlock(RuleBasedStateMachine):
    """Each door in its own thread's order; never both open for somebody, unless fire lifts it."""

    @initialize(rules=RULES)
    def build(self, rules: DoorRules) -> None:
        self.now = 100.0
        self.number = 0
        interlock = Interlock(["a", "b"])
        self.doors = [Door(rules, interlock=interlock, door_id=name) for name in "ab"]
        self.fire = [False, False]
        for door in self.doors:
            door.board_back(self.now, False)

    @rule(which=st.sampled_from([0, 1]))
    def grant(self, which: int) -> None:
        other = self.doors[1 - which]
        was_locked = other.state is DoorState.LOCKED
        was_on = self.doors[which].relay_on
        self.number += 1
        grant = Grant(decision_id=f"d{self.number}", person_id=None, expires_s=self.now + 1)
        actions = self.doors[which].grant(self.now, grant)
        switched_on = not was_on and self.doors[which].relay_on
        assert not switched_on or was_locked or any(self.fire)
        if not was_locked and not any(self.fire) and self.doors[which].state is DoorState.LOCKED:
            assert not any(isinstance(a, ExecutedGrant) for a in actions)

    @rule(which=st.sampled_from([0, 1]))
    def rex(self, which: int) -> None:
        self.doors[which].rex(self.now)

    @rule(which=st.sampled_from([0, 1]), is_open=st.booleans())
    def contact(self, which: int, is_open: bool) -> None:
        self.doors[which].contact(self.now, is_open)

    @rule(which=st.sampled_from([0, 1]), active=st.booleans())
    def fire_contact(self, which: int, active: bool) -> None:
        self.fire[which] = active
        self.doors[which].fire(self.now, active)

    @rule(which=st.sampled_from([0, 1]))
    def the_board_was_away(self, which: int) -> None:
        self.doors[which].board_lost(self.now)
        assert not self.doors[which].relay_on
        self.doors[which].board_back(self.now, None)

    @rule(seconds=TIMES)
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        for door in self.doors:
            door.tick(self.now)

    @invariant()
    def at_most_one_is_unlocked_since_the_last_fire(self) -> None:
        if hasattr(self, "doors"):
            unlocked = [door.state is DoorState.UNLOCKED for door in self.doors]
            self.both = all(unlocked) and (any(self.fire) or getattr(self, "both", False))
            assert not all(unlocked) or self.both


def _cases(examples: int) -> settings:
    return settings(max_examples=examples, stateful_step_count=40, deadline=None)


class TestDoorUnderAnyInput(DoorUnderAnyInput.TestCase):
    settings = _cases(60)


class TestTwoDoorsOfAnInterlock(TwoDoorsOfAnInterlock.TestCase):
    settings = _cases(40)


@pytest.mark.slow
class TestDoorUnderAnyInputAtLength(DoorUnderAnyInput.TestCase):
    settings = _cases(400)


@pytest.mark.slow
class TestTwoDoorsOfAnInterlockAtLength(TwoDoorsOfAnInterlock.TestCase):
    settings = _cases(150)
