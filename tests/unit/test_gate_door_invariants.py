"""What the door machine guarantees for any order of inputs, any times and odd rules."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edged.gate.door import Door
from edged.gate.facts import DoorRules, DoorState, Grant, GrantExecuted, SwitchRelay

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
    passage_window_s=TIMES,
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
        self.executed: set[str] = set()
        self.known: list[Grant] = []
        self.took(self.door.board_back(self.now, False), may_switch_on=False)

    def took(self, actions: list, may_switch_on: bool) -> None:
        was_on = self.relay_on
        for action in actions:
            if isinstance(action, SwitchRelay):
                if action.on and not self.relay_on:
                    assert may_switch_on, "switched on without grant, exit request or fire"
                    self.on_since = self.now
                self.relay_on = action.on
            if isinstance(action, GrantExecuted) and action.grant:
                assert action.grant.decision_id not in self.executed, "executed twice"
                assert self.now < action.grant.expires_s, "executed after its time"
                self.executed.add(action.grant.decision_id)
        if not was_on and self.relay_on and not self.fire:
            assert any(isinstance(a, GrantExecuted) for a in actions)

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

    @rule(life_s=st.sampled_from([-1.0, 0.0, 0.3, 2.0, 50.0]))
    def new_grant(self, life_s: float) -> None:
        self.known.append(
            Grant(decision_id=f"d{len(self.known)}", person_id=None, expires_s=self.now + life_s)
        )
        self.give(self.known[-1])

    @precondition(lambda self: self.known)
    @rule(back=st.integers(1, 5))
    def the_same_grant_again(self, back: int) -> None:
        self.give(self.known[-min(back, len(self.known))])

    def give(self, grant: Grant) -> None:
        offline = self.door.state is DoorState.OFFLINE
        actions = self.door.grant(self.now, grant)
        if offline:
            assert not any(isinstance(a, SwitchRelay | GrantExecuted) for a in actions)
        self.took(actions, may_switch_on=True)

    @rule()
    def rex(self) -> None:
        self.took(self.door.rex(self.now), may_switch_on=True)

    @rule(is_open=st.booleans())
    def contact(self, is_open: bool) -> None:
        self.took(self.door.contact(self.now, is_open), may_switch_on=True)

    @rule()
    def passage(self) -> None:
        self.took(self.door.passage(self.now), may_switch_on=True)

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
        self.took(actions, may_switch_on=self.fire)

    @invariant()
    def the_commands_and_the_machine_agree(self) -> None:
        if hasattr(self, "door"):
            assert self.relay_on == self.door.relay_on

    @invariant()
    def locked_or_forced_means_off_and_fire_means_on(self) -> None:
        if hasattr(self, "door"):
            if self.door.state in (DoorState.LOCKED, DoorState.FORCED, DoorState.OFFLINE):
                assert not self.relay_on
            if self.door.state is DoorState.FIRE:
                assert self.relay_on

    @invariant()
    def the_on_time_is_limited(self) -> None:
        if hasattr(self, "door") and self.relay_on and not self.fire:
            on_s = self.now - self.on_since
            limit_s = self.rules.max_on_s
            if self.rules.mode == "pulse":
                limit_s = min(limit_s, self.rules.pulse_s)
            due = self.door.next_deadline()
            assert due is not None
            assert due <= self.on_since + limit_s + 1e-9
            assert on_s <= limit_s + 1e-9 or due <= self.now


TestDoorUnderAnyInput = DoorUnderAnyInput.TestCase
TestDoorUnderAnyInput.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
