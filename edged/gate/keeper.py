"""The gate's thread: owns the port, runs the door machine, and is the only one that moves the relay.

It waits for grants and deadlines, never for the bus: events leave through the announcer. However this thread
ends, the relay is switched off first.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from edged.bus import EventBus, Subscription
from edged.clock import Clock
from edged.config.schema import GateConfig
from edged.errors import EdgedError, RetryLater
from edged.events import AccessDecided, ComponentFailed, Outcome
from edged.gate.announcer import Announcer
from edged.gate.door import Door
from edged.gate.drivers.registry import make_driver
from edged.gate.facts import Action, DoorRules, Grant, GrantExecuted, SwitchRelay
from edged.gate.link import READBACK_ROOM_S, RelayLink, Switched
from edged.gate.reports import Reports
from edged.gate.sim import SimBoard, SimUrl, is_simulated, parse_url

RETRY_MIN_S, RETRY_MAX_S, RETRY_FACTOR = 0.1, 2.0, 1.6
BEAT_S = 1.5
"""Between two readbacks: a silent unplug shows after three (gate hardware reference 5)."""
MISSED_BEAT_S = 0.4
"""After a missed answer the next question comes sooner: lost or not should be known quickly."""
INBOX = 16
"""Grants that may wait for the thread; they live for two seconds at most."""


class GateKeeper:
    """Keeps one door.

    Args:
        config: the gate section.
        bus: AccessDecided comes from it, the gate's events go to it.
        clock: monotonic times of grants and events must come from the same one.
        on_beat: called after every turn of the thread: about every two seconds or more often, unless
            it is stuck.

    Raises:
        Misconfigured: the port is a `sim:` URL that cannot be understood.
    """

    def __init__(
        self,
        config: GateConfig,
        bus: EventBus,
        clock: Clock,
        *,
        on_beat: Callable[[], None],
        beat_s: float = BEAT_S,
    ) -> None:
        self._config = config
        self._bus = bus
        self._clock = clock
        self._on_beat = on_beat
        self._beat_s = beat_s
        self._sim_url = _simulated(config)
        self._board: SimBoard | None = None
        self._announcer = Announcer(bus)
        self._reports = Reports(config, clock, self._announcer.say)
        self._door = Door(_rules(config))
        self._link: RelayLink | None = None
        self._inbox: deque[Grant] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._busy = False
        self._connected = False
        self._last_error: EdgedError | None = None
        self._retry_at, self._retry_s = 0.0, RETRY_MIN_S
        self._beat_at = 0.0
        self._on_since: float | None = None
        self._subscription: Subscription | None = None
        # not a daemon thread: the interpreter would freeze it in mid-pulse when the program ends
        self._thread = threading.Thread(target=self._run, name="gate", daemon=False)

    # -- for other threads

    @property
    def ready(self) -> bool:
        """The board is there and its relay is in a known state: grants are executed."""
        return self._connected

    def health(self) -> dict[str, Any]:
        """What the gate is doing, as plain values for status pages."""
        error, link = self._last_error, self._link
        return {
            "ready": self._connected,
            "port": self._config.port,
            "protocol": self._config.protocol,
            "state": self._door.state.value,
            "relay_on": self._door.relay_on,
            "readback": bool(self._connected and link and link.readback),
            "pulse": "software",
            "error_code": error.code if error else None,
            "error": str(error) if error else None,
            "events_lost": self._announcer.lost,
        }

    def start(self) -> None:
        """Begin: connect (or keep trying), then execute grants. Once per keeper.

        Raises:
            Misconfigured: the simulated board cannot put its device node where it was told to.
        """
        if self._sim_url:
            self._board = SimBoard(self._sim_url, self._clock)
        path = str(self._board.link) if self._board else self._config.port
        driver = make_driver(self._config, path, self._clock)
        self._link = RelayLink(driver, self._config.channel, self._clock)
        self._announcer.start()
        self._subscription = self._bus.subscribe(AccessDecided, self._decided, name="gate", capacity=64)
        self._thread.start()

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until no grant is waiting, the last on-time is over and its events are published.

        Returns:
            False: `timeout_s` passed first.
        """
        until_s = self._clock.monotonic() + timeout_s
        with self._wake:
            idle = self._wake.wait_for(self._is_idle, timeout_s)
        return idle and self._announcer.wait_idle(max(0.0, until_s - self._clock.monotonic()))

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Switch off, read back where possible, close the port, end.

        Returns:
            True: the thread has ended and the relay is off (as read back, or as written where it cannot be
            read). False: it could not be made sure in `timeout_s`.
        """
        until_s = self._clock.monotonic() + timeout_s
        if self._subscription:
            self._subscription.close(timeout_s=0.0)
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        ended = not self._thread.is_alive()
        self._announcer.close(timeout_s=max(0.1, until_s - self._clock.monotonic()))
        if ended and self._board:
            self._board.close()
        return ended and not (self._link and self._link.may_be_on)

    def _decided(self, event: AccessDecided) -> None:
        """In the bus's thread: hand a grant over, or say at once why not."""
        if event.outcome is not Outcome.GRANTED or event.door_id != self._config.id:
            return
        grant = self._grant_of(event)
        if event.expires_s is None:
            self._reports.not_executed(grant, "grant_expired", "The grant came without a time limit.")
        elif not self._connected:
            self._reports.not_executed(grant, "board_offline", "The relay board is not connected.")
        elif not self._hand_over(grant):
            self._reports.not_executed(grant, "door_busy", f"{INBOX} grants are waiting already.")

    def _grant_of(self, event: AccessDecided) -> Grant:
        now, ttl_s = self._clock.monotonic(), self._config.grant_ttl_s
        age_s = (self._clock.now() - event.at).total_seconds()  # wall time may have been set in between
        latest_s = now + ttl_s
        return Grant(
            decision_id=event.decision_id,
            person_id=event.person_id,
            expires_s=latest_s if event.expires_s is None else min(event.expires_s, latest_s),
            captured_s=event.captured_s,
            decided_s=now - min(max(age_s, 0.0), ttl_s),
            passage_id=event.passage_id,
            camera_id=event.camera_id,
        )

    def _hand_over(self, grant: Grant) -> bool:
        with self._wake:
            if len(self._inbox) >= INBOX:
                return False
            self._inbox.append(grant)
            self._wake.notify_all()
            return True

    # -- the thread

    def _run(self) -> None:
        try:
            while not self._should_end():
                wake_at = self._step()
                self._on_beat()
                self._wait(wake_at)
        except Exception as error:  # noqa: BLE001 - the supervisor: say it, end, let the watchdog restart us
            self._announcer.say(
                ComponentFailed(
                    at=self._clock.now(),
                    door_id=self._config.id,
                    component="gate",
                    error=f"{type(error).__name__}: {error}",
                    hint="The gate has stopped with its relay off; restart edged and report this.",
                )
            )
        finally:
            self._connected = False
            self._make_safe("stopped")
            while self._inbox:
                self._reports.not_executed(self._inbox.popleft(), "board_offline", "The gate is stopping.")

    def _should_end(self) -> bool:
        """Told to, or the program ended without telling."""
        return self._stopping or not threading.main_thread().is_alive()

    def _wait(self, wake_at: float) -> None:
        with self._wake:
            self._busy = False
            self._wake.notify_all()
            if not self._inbox and not self._stopping:
                self._wake.wait(max(0.0, wake_at - self._clock.monotonic()))
            self._busy = True

    def _is_idle(self) -> bool:
        waiting = self._busy or self._inbox or self._door.next_deadline() is not None
        return not waiting or not self._thread.is_alive()

    def _step(self) -> float:
        """Do everything that is due. Returns the monotonic time at which something will be again."""
        if not self._connected and self._clock.monotonic() >= self._retry_at:
            self._connect()
        self._perform(self._door.tick)
        while self._inbox:
            grant = self._inbox.popleft()
            self._perform(lambda now, grant=grant: self._door.grant(now, grant))
        if not self._connected:
            return self._retry_at
        self._beat()
        door_at = self._door.next_deadline()
        return self._beat_at if door_at is None else min(door_at, self._beat_at)

    def _perform(self, step: Callable[[float], list[Action]]) -> None:
        """Let the door machine act, carry out its commands, report its facts."""
        switched: Switched | None = None
        failure: EdgedError | None = None
        for action in step(self._clock.monotonic()):
            if failure and isinstance(action, GrantExecuted) and action.grant and switched is None:
                self._reports.not_executed(action.grant, failure.code, failure.message)
            elif not isinstance(action, SwitchRelay):
                self._reports.fact(action, switched)
            elif not failure:
                written_before_s = self._link.written_s
                try:
                    switched = self._switch(action)
                except EdgedError as error:
                    failure, written_s = error, self._link.written_s
                    # the command may have gone out and only its answer be missing
                    gone_out = action.on and written_s is not None and written_s != written_before_s
                    switched = Switched(written_s, None, None) if gone_out else None
        if failure:
            self._lose(failure)

    def _switch(self, command: SwitchRelay) -> Switched:
        ends_at = self._door.next_deadline() if command.on else None
        room_s = READBACK_ROOM_S if ends_at is None else ends_at - self._clock.monotonic()
        switched = self._link.switch(command.on, room_s)
        self._switched(command, switched)
        return switched

    def _switched(self, command: SwitchRelay, switched: Switched) -> None:
        """Keep the books after a command: on-time, alarm, and no belief in a relay that does not obey."""
        if command.on:
            self._on_since = switched.written_s
        else:
            self._report_locked(command.reason, switched.written_s, switched.acknowledged)
        if switched.acknowledged is False:
            self._disobeyed(command.on)
        elif switched.acknowledged:
            self._reports.relay_obeys()

    def _disobeyed(self, wanted_on: bool) -> None:
        """A relay that stays off harms nobody; one that stays on takes the gate out of service."""
        self._reports.relay_stuck(wanted_on)
        if not wanted_on:
            raise RetryLater(
                "The relay does not switch off.",
                code="relay_stuck",
                hint="The door may be unlocked. Check the board; replace it if the relay hangs.",
            )

    def _beat(self) -> None:
        """Read the relay now and then, but not when a command is due so soon that it would come late."""
        now = self._clock.monotonic()
        if now < self._beat_at:
            return
        soon = self._door.next_deadline()
        if soon is not None and soon - now < 2 * READBACK_ROOM_S:
            self._beat_at = soon
            return
        self._beat_at = now + self._beat_s
        wanted = self._door.relay_on
        try:
            if self._link.may_be_on and not wanted:
                self._link.switch(False, READBACK_ROOM_S)
            state = self._link.read(expected=wanted)
            if state is wanted:
                self._reports.relay_obeys()
            elif state is not None:
                self._disobeyed(wanted)
            elif self._link.readback:
                self._beat_at = now + min(self._beat_s, MISSED_BEAT_S)
        except EdgedError as error:
            self._lose(error)

    # -- coming and going of the board

    def _connect(self) -> None:
        """Open, read the relay, force it to what it should be; only then are grants accepted."""
        acknowledged: bool | None = None
        try:
            was_on = self._link.connect()
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
        self._last_error = None
        self._retry_s = RETRY_MIN_S
        self._beat_at = self._clock.monotonic() + self._beat_s
        self._reports.connected(was_on)
        self._reports.relay_obeys()
        if may_have_been_on:
            self._report_locked("reconciled", self._clock.monotonic(), acknowledged)
        for action in actions:
            self._reports.fact(action, None)
        self._connected = True

    def _lose(self, error: EdgedError) -> None:
        """Out of service: make safe what can be, say so, try again later."""
        self._connected = False
        self._last_error = error
        self._make_safe("board_lost")
        self._reports.lost(error, self._retry_s)
        self._retry_at = self._clock.monotonic() + self._retry_s
        self._retry_s = min(self._retry_s * RETRY_FACTOR, RETRY_MAX_S)

    def _make_safe(self, reason: str) -> None:
        """Relay off if it can still be reached, port closed, door offline."""
        was_on = self._link.may_be_on
        switched = self._link.make_safe()
        if was_on and switched and not self._link.may_be_on:
            self._report_locked(reason, switched.written_s, switched.acknowledged)
        for action in self._door.board_lost(self._clock.monotonic()):
            self._reports.fact(action, None)

    def _report_locked(self, reason: str, written_s: float, acknowledged: bool | None) -> None:
        on_s = None if self._on_since is None else written_s - self._on_since
        self._on_since = None
        self._reports.locked(reason, on_s, acknowledged)


def _rules(config: GateConfig) -> DoorRules:
    return DoorRules(
        mode=config.mode,
        pulse_s=config.pulse_s,
        hold_s=config.hold_s,
        max_on_s=config.max_on_s,
        min_interval_s=config.min_interval_s,
        queue=config.queue,
    )


def _simulated(config: GateConfig) -> SimUrl | None:
    """The simulated board to build; what its URL does not say follows the rest of the section."""
    if config.protocol == "dummy" or not is_simulated(config.port):
        return None
    return parse_url(config.port, SimUrl(firmware=config.firmware, baud=config.baud))
