"""Executes actions of the door machine: commands go to the relay, facts to the reports. No deadlines."""

from __future__ import annotations

import math

from edged.clock import Clock
from edged.errors import EdgedError, RetryLater
from edged.gate.board.relay_channel import READBACK_ROOM_S, RelayChannel, Switched
from edged.gate.door.machine import Door
from edged.gate.door.memory import RELEASED
from edged.gate.door.model import Action, ExecutedGrant, SwitchRelay
from edged.gate.reports import Reports


class ActionExecutor:
    """Executes actions, measures on-times and raises an alarm for a relay that does not obey.

    Args:
        door: the machine whose actions these are.
        relay: its channel of the board.
        reports: receives the facts.
        max_on_s: longest permitted on-time, seconds.
    """

    def __init__(
        self, door: Door, relay: RelayChannel, reports: Reports, clock: Clock, *, max_on_s: float
    ) -> None:
        self._door = door
        self._relay = relay
        self._reports = reports
        self._clock = clock
        self._max_on_s = max_on_s
        self._on_since: float | None = None
        self.proven = False
        """A readback agreed with a command since this was last set to False."""

    def execute(self, actions: list[Action]) -> tuple[Switched | None, EdgedError | None]:
        """Execute `actions` in order; after a failed command, only facts follow.

        Returns:
            The last command that moved the relay or may have moved it, and the error of a failed one.
        """
        switched: Switched | None = None
        failure: EdgedError | None = None
        for action in actions:
            if failure and isinstance(action, ExecutedGrant) and action.grant and switched is None:
                self._reports.not_executed(action.grant, failure.code, failure.message)
            elif not isinstance(action, SwitchRelay):
                self._reports.fact(action, switched)
            elif not failure:
                written_before_s = self._relay.written_s
                try:
                    switched = self._switch(action)
                except EdgedError as error:
                    failure, written_s = error, self._relay.written_s
                    # the command may have gone out, with only its answer missing
                    if action.on and written_s is not None and written_s != written_before_s:
                        switched = Switched(written_s, None, None)
                    else:
                        switched = None
        return switched, failure

    def report(self, facts: list[Action]) -> None:
        """Report facts that follow no command."""
        for fact in facts:
            self._reports.fact(fact, None)

    def judge(self, wanted_on: bool, is_on: bool) -> None:
        """Clear or raise the alarm `relay_stuck` after a readback.

        A relay that stays off is an alarm; one that stays on also takes the gate out of service.

        Raises:
            RetryLater: `relay_stuck`: the relay does not switch off.
        """
        if wanted_on is is_on:
            self.relay_obeys()
            return
        wanted, is_ = ("on", "off") if wanted_on else ("off", "on")
        meaning = "The door stays locked" if wanted_on else "The door may be unlocked"
        what = f"The relay was switched {wanted} and reads back {is_}. {meaning}: check the board."
        self.report(self._door.trouble(self._clock.monotonic(), "relay_stuck", what))
        if not wanted_on:
            raise RetryLater(
                "The relay does not switch off.",
                code="relay_stuck",
                hint="The door may be unlocked. Check the board; replace it if the relay hangs.",
            )

    def relay_obeys(self) -> None:
        """Clear the alarm `relay_stuck`."""
        self.report(self._door.trouble(self._clock.monotonic(), "relay_stuck", None))

    def switched_off(self, reason: str, written_s: float, acknowledged: bool | None) -> None:
        """Report that the relay went off at monotonic `written_s`, and end its on-time."""
        on_s = None if self._on_since is None else written_s - self._on_since
        self._on_since = None
        self._reports.locked(reason, on_s, acknowledged)

    def _switch(self, command: SwitchRelay) -> Switched:
        ends_at = self._door.next_deadline() if command.on else None
        room_s = READBACK_ROOM_S if ends_at is None else ends_at - self._clock.monotonic()
        timer_s = self._timer_s(command)
        if timer_s is not None and command.pulse_ms == round(timer_s * 1000):
            room_s = math.inf  # the board keeps the time, so there is time for it
        switched = self._relay.switch(command.on, room_s, timer_s)
        if not command.on:
            self.switched_off(command.reason, switched.written_s, switched.acknowledged)
        elif self._on_since is None or self._door.state not in RELEASED:  # held: a repeated command
            self._on_since = switched.written_s
        self.proven = self.proven or switched.acknowledged is True
        if switched.acknowledged is not None:
            self.judge(command.on, command.on if switched.acknowledged else not command.on)
        return switched

    def _timer_s(self, command: SwitchRelay) -> float | None:
        """Time after which a board with a timer switches off by itself, seconds; None: never.

        The pulse, or else the longest permitted on-time: no dead host leaves a door open for longer.
        Fire and free (unlocked) have no end that a board could know.
        """
        if not command.on or self._door.state in RELEASED:
            return None
        pulse_s = None if command.pulse_ms is None else command.pulse_ms / 1000
        return pulse_s if pulse_s is not None and self._relay.times_pulse(pulse_s) else self._max_on_s
