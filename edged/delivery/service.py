"""The delivery threads, one for each target, and the commands of operators while they run."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

from edged.bus import EventBus, Subscription
from edged.clock import Clock
from edged.command import Asker, Command
from edged.config.delivery_section import DeliveryConfig, TargetConfig
from edged.delivery.outbox import Outbox, place_dict
from edged.delivery.pump import NextStep, Pump
from edged.delivery.records import RecordMaker
from edged.delivery.source import OpenRecords
from edged.delivery.state import Reporter
from edged.delivery.target_secrets import TargetSecrets
from edged.delivery.targets import Surroundings, build_target
from edged.errors import EdgedError
from edged.events import AccessDecided, ComponentFailed, DoorUnlocked, GateAlarmRaised, GrantNotExecuted

NICENESS = 10
"""Niceness of the delivery threads: doors and cameras come first."""

_WRITTEN_AT_ONCE = (AccessDecided, DoorUnlocked, GrantNotExecuted, GateAlarmRaised)
"""Events that are in the journal when they are published; the threads find the others within a second."""


class TargetWorker:
    """The thread of one target."""

    def __init__(self, name: str, pump: Pump, reporter: Reporter, clock: Clock) -> None:
        self.name = name
        self.reporter = reporter
        self._pump = pump
        self._clock = clock
        self._changed = threading.Condition()
        self._stopping = False
        self._news = False
        self._now = False
        self._thread = threading.Thread(target=self._run, name=f"delivery:{name}", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def wake(self) -> None:
        """Look for something new; this does not cut short a pause after a failure."""
        with self._changed:
            self._news = True
            self._changed.notify_all()

    def hurry(self) -> None:
        """Make the next attempt at once and forget earlier failures."""
        with self._changed:
            self._now = True
            self._changed.notify_all()

    def ask_to_stop(self) -> None:
        """End after the request under way."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def join(self, timeout_s: float) -> bool:
        """True when the thread has ended within the time."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        with suppress(OSError):  # not everywhere allowed, and no reason to deliver nothing
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        try:
            while not self._stopping:
                self._take_orders()
                step = self._step()
                self._wait(self._clock.monotonic() + step.wait_s, step.idle)
        finally:
            self._pump.close()

    def _step(self) -> NextStep:
        try:
            return self._pump.step()
        except Exception as error:  # noqa: BLE001 - a fault of edged must not end the delivery unnoticed
            return self._pump.failed(
                EdgedError(
                    f"Delivering to {self.name} failed: {type(error).__name__}: {error}.",
                    code="delivery_fault",
                    hint="This is a fault of edged; please report it. It is tried again.",
                )
            )

    def _take_orders(self) -> None:
        with self._changed:
            now, self._now, self._news = self._now, False, False
        if now:
            self._pump.forget_failures()

    def _wait(self, until_s: float, idle: bool) -> None:
        with self._changed:
            while not (self._stopping or self._now or (idle and self._news)):
                if self._clock.monotonic() >= until_s:
                    return
                self._clock.wait_until(self._changed, until_s)


class DeliveryService:
    """Delivers the records of one journal to all configured targets.

    Nothing here is in the way of a door: every target reads the journal through a connection of its own, in a
    thread of low priority; the service announces what goes wrong and tries again.

    Args:
        config: the section `delivery`.
        data_dir: folder of `delivery.db`.
        open_records: opens the journal, which must exist when `start()` is called.
        box: id of this box (never to be changed: receivers tell records apart by it), site, zone, clock.
        environ: usually `os.environ`; may hold secrets.
        picture_of: the JPEG of a record, where the journal keeps pictures.
        chance: spreads the pauses.
    """

    def __init__(
        self,
        config: DeliveryConfig,
        data_dir: Path,
        open_records: OpenRecords,
        box: Surroundings,
        bus: EventBus,
        *,
        environ: Mapping[str, str],
        picture_of: Callable[..., bytes | None] | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._config = config
        self._data_dir = data_dir
        self._open_records = open_records
        self._box = box
        self._bus = bus
        self._environ = environ
        self._chance = chance or random.Random()
        self._maker = RecordMaker(
            box.device,
            box.site,
            box.clock,
            historic_after_s=config.historic_after_s,
            picture_of=picture_of,
        )
        self._outbox: Outbox | None = None
        self._workers: dict[str, TargetWorker] = {}
        self._subscription: Subscription | None = None

    def start(self) -> bool:
        """Begin to deliver.

        Returns:
            False when `delivery.db` cannot be used: the bus gets a `ComponentFailed`, the records wait in the
            journal, and everything else goes on.
        """
        try:
            outbox = Outbox.open(self._data_dir, self._box.clock)
            outbox.configure(self._starts())
        except EdgedError as error:
            self._bus.publish(
                ComponentFailed(
                    at=self._box.clock.now(), component="delivery", error=error.message, hint=error.hint
                )
            )
            return False
        self._outbox = outbox
        for settings in self._config.targets:
            self._workers[settings.name] = self._worker(settings, outbox)
        for worker in self._workers.values():
            worker.start()
        if self._workers:
            self._subscription = self._bus.subscribe(
                _WRITTEN_AT_ONCE, self._wake, name="delivery", capacity=1024
            )
        return True

    def stop(self, timeout_s: float = 1.0) -> bool:
        """End. A request that takes longer than `timeout_s` is left behind: its records go out again after
        the next start, under the same ids.

        Returns:
            True when no request is under way any more.
        """
        if self._subscription is not None:
            self._subscription.close(0.1)
        for worker in self._workers.values():
            worker.ask_to_stop()
        until_s = self._box.clock.monotonic() + timeout_s
        ended = [
            worker.join(max(0.0, until_s - self._box.clock.monotonic())) for worker in self._workers.values()
        ]
        if self._outbox is not None:
            self._outbox.close()
        return all(ended)

    def undelivered_from(self) -> int | None:
        """Number of the first record that a target has still to get; None when no record has to be kept for
        one; 0 while `delivery.db` cannot be used, so that all are kept."""
        return self._outbox.undelivered_from() if self._outbox is not None else 0

    def status(self) -> list[dict[str, Any]]:
        """Every configured target, JSON-ready: its place, its state, its last failure, records behind."""
        outbox, newest = self._require_outbox(), self._newest()
        return [
            {**place_dict(place, newest), **self._workers[place.name].reporter.state.to_dict()}
            for place in outbox.places()
            if place.name in self._workers
        ]

    def commands(self) -> dict[str, Command]:
        """For the control socket: `delivery.status`, `.pause`, `.resume` and `.retry`."""
        return {
            "delivery.status": lambda _, __: {"targets": self.status()},
            "delivery.pause": self._pause,
            "delivery.resume": self._resume,
            "delivery.retry": self._retry,
        }

    # -- commands

    def _pause(self, asker: Asker, arguments: dict[str, Any]) -> dict[str, Any]:
        name = str(arguments.get("target"))
        changed = self._require_outbox().pause(name, str(arguments.get("by") or asker.user or ""))
        self._hurry(name)
        return {"target": name, "changed": changed}

    def _resume(self, _: Asker, arguments: dict[str, Any]) -> dict[str, Any]:
        name = str(arguments.get("target"))
        changed = self._require_outbox().resume(name)
        self._hurry(name)
        return {"target": name, "changed": changed}

    def _retry(self, _: Asker, arguments: dict[str, Any]) -> dict[str, Any]:
        name, number = str(arguments.get("target")), arguments.get("letter")
        count = self._require_outbox().retry(name, int(number) if number is not None else None)
        self._hurry(name)
        return {"target": name, "letters": count}

    def _hurry(self, name: str) -> None:
        if name in self._workers:
            self._workers[name].hurry()

    def _require_outbox(self) -> Outbox:
        if self._outbox is None:
            raise EdgedError(
                "Nothing is delivered: delivery.db could not be used when the daemon started.",
                code="delivery_not_running",
                hint="See the log of the daemon for what is wrong with it.",
            )
        return self._outbox

    # -- building

    def _starts(self) -> dict[str, int]:
        newest = self._newest()
        return {t.name: newest if t.start == "now" else 0 for t in self._config.targets}

    def _newest(self) -> int:
        """Number of the newest record; 0 for an empty journal."""
        with closing(self._open_records()) as source:
            newest = source.list(limit=1)
        return newest[0].seq if newest else 0

    def _worker(self, settings: TargetConfig, outbox: Outbox) -> TargetWorker:
        clock = self._box.clock
        secrets = TargetSecrets(settings.name, self._config.secrets_file, self._environ)
        reporter = Reporter(settings.name, self._bus, clock)
        pump = Pump(
            settings,
            partial(build_target, settings, secrets, self._box),
            outbox,
            self._open_records,
            self._maker,
            reporter,
            clock,
            random.Random(self._chance.random()),
        )
        return TargetWorker(settings.name, pump, reporter, clock)

    def _wake(self, _: object) -> None:
        for worker in self._workers.values():
            worker.wake()
