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
from edged.errors import EdgedError, RetryLater
from edged.gate.board.relay_channel import READBACK_ROOM_S, RelayChannel, Switched
from edged.gate.door.machine import Door
from edged.gate.door.memory import RELEASED
from edged.gate.door.model import AcknowledgedAlarm, Action, ExecutedGrant, Grant, RefusedGrant, SwitchRelay
from edged.gate.door.timetable import ModeOrder
from edged.gate.door_inputs import DoorSenses
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
        link: the relay.
        senses: contacts and hours.
        reports: receives the facts.
        beat_s: time between two readbacks of an idle board, seconds.
        should_end: True ends every repeated attempt.
    """

    def __init__(
        self,
        config: GateConfig,
        door: Door,
        link: RelayChannel,
        senses: DoorSenses,
        reports: Reports,
        clock: Clock,
        *,
        beat_s: float,
        should_end: Callable[[], bool],
    ) -> None:
        self._link = link
        self._reports = reports
        self._clock = clock
        self._beat_s = beat_s
        self._should_end = should_end
        self._door = door
        self._senses = senses
        self._pulse_s = config.pulse_s if config.mode == "pulse" else None
        self._max_on_s = config.max_on_s
        self._connected = False
        self._proven = False
        self._missed = False
        self._last_error: EdgedError | None = None
        self._retry = Backoff(RETRY)
        self._beat_at = 0.0
        self._on_since: float | None = None

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
        return self._connected and self._link.readback

    @property
    def may_be_on(self) -> bool:
        """The relay was switched on and has not been proven off since."""
        return self._link.may_be_on

    @property
    def hardware_pulse(self) -> bool:
        """The connected board itself ends the on-time; else this program does."""
        return self._connected and self._pulse_s is not None and self._link.times_pulse(self._pulse_s)

    @property
    def hardware_limit(self) -> bool:
        """The connected board itself switches off after `max_on_s` at the latest."""
        return self._connected and (self.hardware_pulse or self._link.times_pulse(self._max_on_s))

    # -- to do

    def take_proof(self) -> bool:
        """Whether the relay was read back since the last call, or the board is known to be lost.

        A board without readback counts as read while its port works.
        """
        proven, self._proven = self._proven or not self._connected, False
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
                self._link.renew_lease(wake_at - self._clock.monotonic() + LEASE_MARGIN_S)
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
        with self._link.turn:
            return self._carry_out(step(self._clock.monotonic()))

    def _carry_out(self, actions: list[Action]) -> tuple[list[Action], EdgedError | None]:
        switched: Switched | None = None
        failure: EdgedError | None = None
        for action in actions:
            if failure and isinstance(action, ExecutedGrant) and action.grant and switched is None:
                self._reports.not_executed(action.grant, failure.code, failure.message)
            elif not isinstance(action, SwitchRelay):
                self._reports.fact(action, switched)
            elif not failure:
                written_before_s = self._link.written_s
                try:
                    switched = self._switch(action)
                except EdgedError as error:
                    failure, written_s = error, self._link.written_s
                    # the command may have gone out, with only its answer missing
                    if action.on and written_s is not None and written_s != written_before_s:
                        switched = Switched(written_s, None, None)
                    else:
                        switched = None
        if failure:
            self._lose(failure)
        return actions, None if switched else failure

    def _switch(self, command: SwitchRelay) -> Switched:
        ends_at = self._door.next_deadline() if command.on else None
        room_s = READBACK_ROOM_S if ends_at is None else ends_at - self._clock.monotonic()
        timer_s = self._timer_s(command)
        if timer_s is not None and command.pulse_ms == round(timer_s * 1000):
            room_s = math.inf  # the board keeps the time, so there is time for it
        switched = self._link.switch(command.on, room_s, timer_s)
        self._switched(command, switched)
        return switched

    def _timer_s(self, command: SwitchRelay) -> float | None:
        """Time after which a board with a timer switches off by itself, seconds; None: never.

        The pulse, or else the longest permitted on-time: no dead host leaves a door open for longer.
        Fire and free (unlocked) have no end that a board could know.
        """
        if not command.on or self._door.state in RELEASED:
            return None
        pulse_s = None if command.pulse_ms is None else command.pulse_ms / 1000
        return pulse_s if pulse_s is not None and self._link.times_pulse(pulse_s) else self._max_on_s

    def _switched(self, command: SwitchRelay, switched: Switched) -> None:
        """Record a command: on-time, alarm, and a relay that does not obey."""
        if command.on:
            if self._on_since is None or self._door.state not in RELEASED:  # held: a repeated command
                self._on_since = switched.written_s
        else:
            self._report_locked(command.reason, switched.written_s, switched.acknowledged)
        if switched.acknowledged is False:
            self._disobeyed(command.on)
        elif switched.acknowledged:
            self._proven = True
            self._relay_obeys()

    def _disobeyed(self, wanted_on: bool) -> None:
        """A relay that stays off is an alarm; one that stays on also takes the gate out of service."""
        wanted, is_ = ("on", "off") if wanted_on else ("off", "on")
        meaning = "The door stays locked" if wanted_on else "The door may be unlocked"
        what = f"The relay was switched {wanted} and reads back {is_}. {meaning}: check the board."
        self._tell(self._door.trouble(self._clock.monotonic(), "relay_stuck", what))
        if not wanted_on:
            raise RetryLater(
                "The relay does not switch off.",
                code="relay_stuck",
                hint="The door may be unlocked. Check the board; replace it if the relay hangs.",
            )

    def _relay_obeys(self) -> None:
        self._tell(self._door.trouble(self._clock.monotonic(), "relay_stuck", None))

    def _tell(self, facts: list[Action]) -> None:
        for fact in facts:
            self._reports.fact(fact, None)

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
            if not wanted and (self._link.may_be_on or self._missed):
                # after a miss, too: a question of another kind, whose answer makes the next one sure sooner
                self._link.switch(False, READBACK_ROOM_S)
            state = self._link.read(expected=wanted)
            if state is False and self._door.state in RELEASED:
                # a timer of the board may have run on, or it was without power: the way out stays open
                state = self._link.switch(True, READBACK_ROOM_S).acknowledged
            if state is wanted:
                self._relay_obeys()
            elif state is not None:
                self._disobeyed(wanted)
            elif self._link.readback:
                self._missed = True
                self._beat_at = now + min(self._beat_s, MISSED_BEAT_S)
                return True
            self._missed = False
            self._link.feed_watchdog()
            self._proven = True
        except EdgedError as error:
            self._lose(error)
        return True

    # -- connection

    def _connect(self) -> None:
        """Open, read the relay, set its wanted state; the gate accepts grants only after that."""
        acknowledged: bool | None = None
        try:
            was_on = self._link.connect()
            self._link.feed_watchdog()
            may_have_been_on = self._link.may_be_on
            actions = self._door.board_back(self._clock.monotonic(), was_on)
            for command in [a for a in actions if isinstance(a, SwitchRelay)]:
                acknowledged = self._link.switch_surely(command.on, give_up=self._should_end).acknowledged
                if acknowledged is False:
                    self._disobeyed(command.on)
        except EdgedError as error:
            self._door.board_lost(self._clock.monotonic())  # its facts cancel out those not yet reported
            self._lose(error)
            return
        if acknowledged is None and self._link.readback:  # ended before the readback came
            self._door.board_lost(self._clock.monotonic())
            return
        self._last_error = None
        self._retry.reset()
        self._beat_at = self._clock.monotonic() + self._beat_s
        self._reports.connected(was_on)
        self._relay_obeys()
        self._proven = True
        self._missed = False
        if may_have_been_on and not self._door.relay_on:
            self._report_locked("reconciled", self._clock.monotonic(), acknowledged)
        self._tell(actions)
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
        was_on = self._link.may_be_on
        switched = self._link.make_safe()
        if was_on and switched and not self._link.may_be_on:
            self._report_locked(reason, switched.written_s, switched.acknowledged)
        now = self._clock.monotonic()
        self._tell(self._door.board_lost(now))
        for tell in self._senses.board_lost():
            self._tell(tell(self._door, now))

    def _report_locked(self, reason: str, written_s: float, acknowledged: bool | None) -> None:
        on_s = None if self._on_since is None else written_s - self._on_since
        self._on_since = None
        self._reports.locked(reason, on_s, acknowledged)
