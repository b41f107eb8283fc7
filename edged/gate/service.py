"""The gate's thread: owns the port, runs the door machine, and is the only one that moves the relay.

It waits for grants and deadlines, never for the bus: events leave through a queue of their own, because
publishing may wait for a slow journal and the end of a pulse may not. However this thread ends, it first
switches the relay off.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeVar

from edged.bus import EventBus, Subscription
from edged.clock import Clock
from edged.config import GateConfig
from edged.events import AccessDecided, ComponentFailed, Outcome
from edged.gate.board.contacts import Contacts
from edged.gate.board.pool import PortPool
from edged.gate.board.relay_channel import RelayChannel
from edged.gate.controller import GateController
from edged.gate.door.interlock import Interlock
from edged.gate.door.machine import Door
from edged.gate.door.model import Action, DoorMode, Grant
from edged.gate.door.timetable import ModeOrder
from edged.gate.door_inputs import DoorSenses, door_rules
from edged.gate.health import gate_health
from edged.gate.reports import Reports
from edged.gate.sim import simulated_board
from edged.gate.tasks import Task

T = TypeVar("T")

BEAT_S = 1.5
"""Seconds between two readbacks: a silent unplug shows after three (docs/reference/relay-boards.md 5)."""
ANSWER_S = 3.0
"""Longest wait for the answer to an order, seconds; an exchange with a board just lost takes about one."""
INBOX = 16
"""Grants and orders that may wait for the thread; a grant lives for two seconds at most."""
EVENTS_WAITING = 1024
"""Events that may wait for a stuck journal. A passage makes about four: some minutes of a busy lane."""


class GateService:
    """Runs one door in a thread of its own.

    Args:
        config: the gate section.
        bus: brings AccessDecided and takes the gate's events.
        clock: the clock that also gives the monotonic times of grants and events.
        on_beat: called after every readback, about every two seconds or more often; and while the board is
            lost, after every attempt to find it. A stuck thread never calls it.
        pool: the ports of the box; None: this door makes one of its own.
        zone: time zone of the site, for `gate.free` and `gate.locked`.
        interlock: shared with the doors of which only one may be unlocked at a time.
        order: override of an earlier run, which may still be in force.

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
        pool: PortPool | None = None,
        zone: tzinfo = UTC,
        interlock: Interlock | None = None,
        order: ModeOrder | None = None,
    ) -> None:
        self._config = config
        self._bus = bus
        self._clock = clock
        self._on_beat = on_beat
        self._beat_s = beat_s
        simulated_board(config)
        self._pool = pool or PortPool([config], clock)
        self._own_pool = pool is None
        self._outgoing = bus.outgoing("gate:events", EVENTS_WAITING)
        self._reports = Reports(config, clock, self._outgoing.offer)
        self._door = Door(door_rules(config), interlock=interlock, door_id=config.id)
        self._zone = zone
        self._order = order
        self._controller: GateController | None = None
        self._senses: DoorSenses | None = None
        self._inbox: deque[Grant | Task[Any]] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._busy = False
        self._subscription: Subscription | None = None
        # not a daemon thread: the interpreter would freeze it in mid-pulse when the program ends
        self._thread = threading.Thread(target=self._run, name="gate", daemon=False)

    # -- for other threads

    @property
    def ready(self) -> bool:
        """The board is there and its relay is in a known state, so the gate executes grants."""
        return self._controller is not None and self._controller.connected

    @property
    def locked_down(self) -> bool:
        """The door is in lockdown: no grant opens it."""
        return self._door.mode is DoorMode.LOCKED

    @property
    def door_id(self) -> str:
        """Id of the door."""
        return self._config.id

    @property
    def interlocked(self) -> bool:
        """The door belongs to an interlock, of whose doors only one may be unlocked."""
        return self._config.interlock is not None

    @property
    def grant_ttl_s(self) -> float:
        """Seconds that a grant may wait before the gate drops it."""
        return self._config.grant_ttl_s

    def health(self) -> dict[str, Any]:
        """State of the gate as plain values for status pages (see `gate_health`)."""
        lost, now = self._outgoing.counters().lost, self._clock.monotonic()
        return gate_health(self._config, self._door, self._controller, self._senses, lost, now)

    # -- operator commands; each raises RetryLater (`gate_busy`) when the thread does not answer in time

    def open_once(self, grant: Grant) -> Action:
        """Execute one grant, as after a decision.

        Returns:
            ExecutedGrant, QueuedGrant or RefusedGrant.
        """
        return self._ask(lambda controller: controller.grant(grant))

    def order_mode(self, order: ModeOrder) -> None:
        """Put a manual override in force."""
        self._ask(lambda controller: controller.order_mode(order))

    def hours_change(self, at: datetime) -> datetime | None:
        """When the hours next give another mode than at `at`; None: not within a week, or not started."""
        return self._senses.hours_change(at) if self._senses else None

    def acknowledge(self, by: str) -> list[str]:
        """Acknowledge the alarms. Returns the codes of those that were not acknowledged before."""
        return self._ask(lambda controller: controller.acknowledge(by))

    def _ask(self, work: Callable[[GateController], T]) -> T:
        """Have the thread do `work`, and wait for its result."""
        task = Task(work)
        if not (self._thread.is_alive() and self._hand_over(task)):
            task.give_up()
        return task.answer(ANSWER_S)

    def start(self) -> None:
        """Begin: connect (or keep trying), then execute grants. Callable once.

        Raises:
            Misconfigured: `sim_link`: the simulated board cannot create its device node at `link`.
        """
        driver, port = self._pool.driver(self._config, self._should_end)
        # such a driver has the port open, and reads the same lines
        by_driver = self._config.family.switched_by == "control lines"
        contacts = Contacts(
            self._config,
            self._clock,
            read_board=driver.read_inputs,
            read_lines=driver.read_inputs if by_driver else port.modem_lines,
        )
        self._senses = DoorSenses(
            self._config,
            contacts,
            self._clock,
            zone=self._zone,
            order=self._order,
            on_key=self._reports.key_pressed,
        )
        guard = port if self._config.guard is not None else None
        self._controller = GateController(
            self._config,
            self._door,
            RelayChannel(driver, self._config.channel, self._clock, guard, port.turn),
            self._senses,
            self._reports,
            self._clock,
            beat_s=self._beat_s,
            should_end=self._should_end,
        )
        self._outgoing.start()
        self._subscription = self._bus.subscribe(
            AccessDecided, self._decided, name=f"gate:{self._config.id}", capacity=64
        )
        self._thread.start()

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until no grant waits, the last on-time is over and its events are published.

        Returns:
            False: `timeout_s` passed first.
        """
        until_s = self._clock.monotonic() + timeout_s
        with self._wake:
            idle = self._wake.wait_for(self._is_idle, timeout_s)
        return idle and self._outgoing.wait_idle(max(0.0, until_s - self._clock.monotonic()))

    def ask_to_stop(self) -> None:
        """Begin to stop without waiting: no more grants, relay off. `stop` must follow."""
        if self._subscription:
            self._subscription.close(timeout_s=0.0)
        with self._wake:
            self._stopping = True
            self._wake.notify_all()

    def stop(self, timeout_s: float = 1.0) -> bool:
        """Switch off, read back where possible, close the port, end.

        Returns:
            True: the thread has ended and the relay is off (by readback, or as written on a board without).
            False: not proven within `timeout_s`.
        """
        until_s = self._clock.monotonic() + timeout_s
        self.ask_to_stop()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        ended = not self._thread.is_alive()
        self._outgoing.close(timeout_s=max(0.1, until_s - self._clock.monotonic()))
        if ended and self._own_pool:
            self._pool.close()
        return ended and not (self._controller and self._controller.may_be_on)

    def _decided(self, event: AccessDecided) -> None:
        """In the bus's thread: hand a grant over, or report at once why not."""
        if event.outcome is not Outcome.GRANTED or event.door_id != self._config.id:
            return
        grant = self._grant_of(event)
        if event.expires_s is None:
            self._reports.not_executed(grant, "grant_expired", "The grant came without a time limit.")
        elif not self.ready:
            self._reports.not_executed(grant, "board_offline", "The relay board is not connected.")
        elif not self._hand_over(grant):
            self._reports.not_executed(grant, "door_busy", f"{INBOX} grants are waiting already.")

    def _grant_of(self, event: AccessDecided) -> Grant:
        now, ttl_s = self._clock.monotonic(), self._config.grant_ttl_s
        age_s = (self._clock.now() - event.at).total_seconds()  # the wall clock may have been set in between
        latest_s = now + ttl_s
        return Grant(
            decision_id=event.decision_id,
            person_id=event.person_id,
            expires_s=latest_s if event.expires_s is None else min(event.expires_s, latest_s),
            extra_time=event.extra_time,
            captured_s=event.captured_s,
            decided_s=now - min(max(age_s, 0.0), ttl_s),
            passage_id=event.passage_id,
            camera_id=event.camera_id,
        )

    def _hand_over(self, grant: Grant | Task[Any]) -> bool:
        with self._wake:
            if len(self._inbox) >= INBOX:
                return False
            self._inbox.append(grant)
            self._wake.notify_all()
            return True

    # -- the thread

    def _run(self) -> None:
        controller = self._controller
        assert controller is not None
        try:
            while not self._should_end():
                while self._inbox:
                    self._do(self._inbox.popleft(), controller)
                wake_at = controller.step()
                if controller.take_proof():
                    self._on_beat()
                self._wait(wake_at)
        except Exception as error:  # noqa: BLE001 - the supervisor: report, end, let the watchdog restart us
            self._outgoing.offer(
                ComponentFailed(
                    at=self._clock.now(),
                    door_id=self._config.id,
                    component="gate",
                    error=f"{type(error).__name__}: {error}",
                    hint="The gate has stopped with its relay off; restart edged and report this.",
                )
            )
        finally:
            controller.end()
            while self._inbox:
                self._do(self._inbox.popleft(), None)

    def _do(self, work: Grant | Task[Any], controller: GateController | None) -> None:
        """Do the work of another thread; controller None: the gate is stopping, so refuse it."""
        if isinstance(work, Task):
            work.run(controller) if controller else work.give_up()
        elif controller is None:
            self._reports.not_executed(work, "board_offline", "The gate is stopping.")
        else:
            controller.grant(work)

    def _should_end(self) -> bool:
        """Whether `ask_to_stop` was called, or the program ended without it."""
        return self._stopping or not threading.main_thread().is_alive()

    def _wait(self, wake_at: float) -> None:
        with self._wake:
            self._busy = False
            self._wake.notify_all()
            if not self._inbox and not self._stopping:
                self._clock.wait_until(self._wake, wake_at)
            self._busy = True

    def _is_idle(self) -> bool:
        if self._controller is None or not self._thread.is_alive():
            return True
        return not self._busy and not self._inbox and self._door.at_rest
