"""Works one door: runs the door machine, executes its commands, reports its facts. No threads, no bus.

`DoorSenses` supplies contacts and hours; connecting to the board and losing it are handled here.

Only the gate's thread calls it; a call may block for the length of one exchange with the board.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from edged.backoff import Backoff, PauseRule
from edged.clock import Clock
from edged.config import GateConfig
from edged.errors import EdgedError
from edged.gate.board.relay_channel import READBACK_ROOM_S, RelayChannel
from edged.gate.door.machine import Door
from edged.gate.door.memory import RELEASED
from edged.gate.door.model import AcknowledgedAlarm, Action, ExecutedGrant, Grant, RefusedGrant, SwitchRelay
from edged.gate.door.timetable import ModeOrder
from edged.gate.door_inputs import DoorSenses
from edged.gate.execution import ActionExecutor
from edged.gate.reports import Reports

RETRY = PauseRule(first_s=0.1, longest_s=2.0, factor=1.6)
"""Between attempts to find a lost board."""
LEASE_MARGIN_S = 1.0
"""A turn later than planned by this makes the gate guard switch off; an exchange with a board is shorter."""
MISSED_BEAT_S = 0.4
"""Time to the next readback after a missed answer: a lost board should show quickly."""


class GateController:
    """Door machine and relay together.

    Args:
        door: the machine.
        relay: its channel of the board.
        senses: contacts and hours.
        reports: receives the facts.
        beat_s: time between two readbacks of an idle board, seconds.
        should_end: True ends every repeated attempt.
    """

    def __init__(
        self,
        config: GateConfig,
        door: Door,
        relay: RelayChannel,
        senses: DoorSenses,
        reports: Reports,
        clock: Clock,
        *,
        beat_s: float,
        should_end: Callable[[], bool],
    ) -> None:
        self._relay = relay
        self._reports = reports
        self._clock = clock
        self._beat_s = beat_s
        self._should_end = should_end
        self._door = door
        self._senses = senses
        self._pulse_s = config.pulse_s if config.mode == "pulse" else None
        self._max_on_s = config.max_on_s
        self._connected = False
        self._missed = False
        self._last_error: EdgedError | None = None
        self._retry = Backoff(RETRY)
        self._beat_at = 0.0
        self._executor = ActionExecutor(door, relay, reports, clock, max_on_s=config.max_on_s)

    # -- state, for any thread

    @property
    def connected(self) -> bool:
        """The board is there and its relay is in a known state."""
        return self._connected

    @property
    def last_error(self) -> EdgedError | None:
        """Why the board was last lost; None while it is there."""
        return self._last_error

    @property
    def door(self) -> Door:
        """The machine, for reading only."""
        return self._door

    @property
    def readback(self) -> bool:
        """Whether the connected board can be read."""
        return self._connected and self._relay.readback

    @property
    def may_be_on(self) -> bool:
        """The relay was switched on and has not been proven off since."""
        return self._relay.may_be_on

    @property
    def hardware_pulse(self) -> bool:
        """The connected board itself ends the on-time; else this program does."""
        return self._connected and self._pulse_s is not None and self._relay.times_pulse(self._pulse_s)

    @property
    def hardware_limit(self) -> bool:
        """The connected board itself switches off after `max_on_s` at the latest."""
        return self._connected and (self.hardware_pulse or self._relay.times_pulse(self._max_on_s))

    # -- to do

    def take_proof(self) -> bool:
        """Whether the relay was read back since the last call, or the board is known to be lost.

        A board without readback counts as read while its port works.
        """
        proven, self._executor.proven = self._executor.proven or not self._connected, False
        return proven

    def grant(self, grant: Grant) -> Action:
        """Execute a grant, or report why not.

        Returns:
            ExecutedGrant, QueuedGrant or RefusedGrant.
        """
        facts, failure = self._perform(lambda now: self._door.grant(now, grant))
        answer = next(fact for fact in facts if getattr(fact, "grant", None) is grant)
        if failure and isinstance(answer, ExecutedGrant):
            return RefusedGrant(grant, failure.code, failure.message)
        return answer

    def order_mode(self, order: ModeOrder) -> None:
        """Put a manual override in force."""
        self._senses.order(order)
        self._keep_hours()

    def acknowledge(self, by: str) -> list[str]:
        """Acknowledge the alarms. Returns the codes of those that were not acknowledged before."""
        facts, _ = self._perform(lambda now: self._door.acknowledge(by))
        return [fact.code for fact in facts if isinstance(fact, AcknowledgedAlarm)]

    def step(self) -> float:
        """Do everything that is due. Returns the monotonic time of the next work."""
        wake_at = self._step()
        if self._connected:
            try:
                self._relay.renew_lease(wake_at - self._clock.monotonic() + LEASE_MARGIN_S)
            except EdgedError as error:
                self._lose(error)
        return wake_at if self._connected else min(wake_at, self._retry_at())

    def _step(self) -> float:
        self._keep_hours()
        if not self._connected and self._clock.monotonic() >= self._retry_at():
            self._connect()
        self._perform(self._door.tick)
        # one exchange with the board at most, so that a grant that comes meanwhile waits for no second one
        if not (self._connected and self._beat()):
            self._sense()
        wake_at = math.inf if self._off_is_near() else self._senses.due_s(self._connected)
        if not self._connected:
            return min(wake_at, self._retry_at())
        door_at = self._door.next_deadline()
        return min(wake_at, self._beat_at, math.inf if door_at is None else door_at)

    def end(self) -> None:
        """Relay off and read back where possible, port closed."""
        self._connected = False
        self._make_safe("stopped")
        self._senses.close()

    def _keep_hours(self) -> None:
        """Set the mode that hours and overrides give now."""
        mode, source = self._senses.mode()
        if mode is not self._door.mode:
            self._perform(lambda now: self._door.set_mode(now, mode, source))

    def _sense(self) -> None:
        """Read the contacts that are due, unless the relay has to go off so soon that it would be late."""
        if self._connected and self._off_is_near():
            return
        try:
            inputs = self._senses.poll(self._connected)
        except EdgedError as error:
            self._lose(error)
            return
        for tell in inputs:
            self._perform(partial(tell, self._door))

    def _off_is_near(self) -> bool:
        soon = self._door.next_deadline()
        return self._door.relay_on and soon is not None and soon - self._clock.monotonic() < READBACK_ROOM_S

    # -- commands and facts

    def _perform(self, step: Callable[[float], list[Action]]) -> tuple[list[Action], EdgedError | None]:
        """Run one step of the door machine, execute its commands, report its facts.

        On a shared port the step runs when the line is free: on-times and the ends of grants count from then.

        Returns:
            The machine's actions, and the error of a command that failed without moving anything.
        """
        with self._relay.turn:
            actions = step(self._clock.monotonic())
            switched, failure = self._executor.execute(actions)
            if failure:
                self._lose(failure)
        return actions, None if switched else failure

    def _beat(self) -> bool:
        """Read the relay once a beat, but not when that would delay a command that is due.

        Returns:
            Whether there was an exchange with the board.
        """
        now = self._clock.monotonic()
        if now < self._beat_at:
            return False
        soon = self._door.next_deadline()
        if soon is not None and soon - now < 2 * READBACK_ROOM_S:
            self._beat_at = soon
            return False
        self._beat_at = now + self._beat_s
        wanted = self._door.relay_on
        try:
            if not wanted and (self._relay.may_be_on or self._missed):
                # after a miss, too: a question of another kind, whose answer makes the next one sure sooner
                self._relay.switch(False, READBACK_ROOM_S)
            state = self._relay.read(expected=wanted)
            if state is False and self._door.state in RELEASED:
                # a timer of the board may have run on, or it was without power: the way out stays open
                state = self._relay.switch(True, READBACK_ROOM_S).acknowledged
            if state is not None:
                self._executor.judge(wanted, state)
            elif self._relay.readback:
                self._missed = True
                self._beat_at = now + min(self._beat_s, MISSED_BEAT_S)
                return True
            self._missed = False
            self._relay.feed_watchdog()
            self._executor.proven = True
        except EdgedError as error:
            self._lose(error)
        return True

    # -- connection

    def _connect(self) -> None:
        """Open, read the relay, set its wanted state; the gate accepts grants only after that."""
        acknowledged: bool | None = None
        try:
            was_on = self._relay.connect()
            self._relay.feed_watchdog()
            may_have_been_on = self._relay.may_be_on
            actions = self._door.board_back(self._clock.monotonic(), was_on)
            for command in [a for a in actions if isinstance(a, SwitchRelay)]:
                acknowledged = self._relay.switch_surely(command.on, give_up=self._should_end).acknowledged
                if acknowledged is False:
                    self._executor.judge(command.on, not command.on)
        except EdgedError as error:
            self._door.board_lost(self._clock.monotonic())  # its facts cancel out those not yet reported
            self._lose(error)
            return
        if acknowledged is None and self._relay.readback:  # ended before the readback came
            self._door.board_lost(self._clock.monotonic())
            return
        self._last_error = None
        self._retry.reset()
        self._beat_at = self._clock.monotonic() + self._beat_s
        self._reports.connected(was_on)
        self._executor.relay_obeys()
        self._executor.proven = True
        self._missed = False
        if may_have_been_on and not self._door.relay_on:
            self._executor.switched_off("reconciled", self._clock.monotonic(), acknowledged)
        self._executor.report(actions)
        self._connected = True

    def _lose(self, error: EdgedError) -> None:
        """Out of service: go to the safe state, report it, plan the next attempt."""
        self._connected = False
        self._last_error = error
        self._make_safe("board_lost")
        self._reports.lost(error, self._retry.failed(self._clock.monotonic()))

    def _retry_at(self) -> float:
        """Monotonic time of the next attempt to connect."""
        return self._retry.until_s or 0.0

    def _make_safe(self, reason: str) -> None:
        """Safe state: relay off if the board can be reached, port closed, door offline."""
        was_on = self._relay.may_be_on
        switched = self._relay.make_safe()
        if was_on and switched and not self._relay.may_be_on:
            self._executor.switched_off(reason, switched.written_s, switched.acknowledged)
        now = self._clock.monotonic()
        self._executor.report(self._door.board_lost(now))
        for tell in self._senses.board_lost():
            self._executor.report(tell(self._door, now))
