"""The box of the crash laboratory: a daemon's records without cameras and models, made to be killed.

Run as a program it loads everything once and then forks a box for every line on standard input, so that a
start takes as long as opening the databases. What a box has done it says, when it is done, through a pipe.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import traceback
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from edged.access import AccessDoor, AccessService, DoorPolicy, PersonRecord
from edged.app.attendance_part import AttendancePart
from edged.app.delivery_part import DeliveryPart
from edged.app.site import Site
from edged.app.upkeep_part import UpkeepPart
from edged.clock import SystemClock
from edged.config import Config
from edged.delivery.targets import http as _loaded_before_the_fork  # noqa: F401
from edged.errors import EdgedError
from edged.events import (
    AccessDecided,
    DoorLocked,
    DoorUnlocked,
    FaceIdentified,
    Measures,
    Outcome,
    PassageExhausted,
    TrackEnded,
    TrackStarted,
)
from edged.ids import new_id
from edged.library.people import NewFace, PersonDetails
from edged.library.store import LibraryStore
from edged.ops.lock import lock_data_dir
from edged.upkeep.service import Upkeep

PEOPLE = 6
STRANGERS = 2
LIBRARY_EVERY = 7
"""Passages between two changes of the library."""
BACKUP_AT = 3
"""Passage at which a backup is made, unless there is one of that day."""

REFUSED = 3
"""Exit code: an error with a code kept the box from starting."""

_MEASURES = Measures(face_px=160.0, detection=0.93)
_DONE_S = 60.0
_FACE = NewFace(b"a photograph", ".jpg", np.eye(1, 128, dtype=np.float32)[0], "model", _MEASURES)


class SteppedClock(SystemClock):
    """The machine's clock, with a wall time that can be set without setting the machine's."""

    def __init__(self, ahead_s: float) -> None:
        self._ahead = timedelta(seconds=ahead_s)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def step_wall(self, seconds: float) -> None:
        """Set the wall clock forwards or back."""
        self._ahead += timedelta(seconds=seconds)


class Reports:
    """Lines through the pipe; each is written by one call, so none is ever half there."""

    def __init__(self, pipe: str) -> None:
        self._descriptor = os.open(pipe, os.O_WRONLY)

    def __call__(self, *said: Any) -> None:
        try:
            os.write(self._descriptor, (json.dumps(said) + "\n").encode())
        except BrokenPipeError:
            os._exit(1)  # the laboratory itself was killed


class Box:
    """Journal, library, decisions, a door without a relay, punches and deliveries, put together as the daemon
    does it.

    Args:
        options: see `CrashLab.start`.
        report: hears `opened`, `ready`, `acknowledged`, `acted`, `unwritten`, `library`, `drained`.
    """

    def __init__(self, options: dict[str, Any], report: Reports) -> None:
        self._options = options
        self._report = report
        self._random = random.Random(options["seed"])
        self._clock = SteppedClock(options["ahead_s"])
        self._config = Config.model_validate(
            {
                "data_dir": Path(options["data_dir"]),
                "attendance": {"enabled": True, "dedupe_s": 0},
                "delivery": {"targets": options["targets"]},
            }
        )
        self._decided = threading.Condition()
        self._newest = ""
        self.stop_asked = threading.Event()
        self._stack = ExitStack()

    def run(self) -> None:
        """Start, let people pass until told to stop, end cleanly."""
        try:
            self._start()
        except EdgedError as error:
            self._report("refused", error.code)
            os._exit(REFUSED)
        passages, steps = self._options["passages"], dict(self._options["steps"])
        number = 0
        while not self.stop_asked.is_set() and (passages is None or number < passages):
            self._clock.step_wall(steps.get(number, 0.0))
            if number == BACKUP_AT:
                threading.Thread(target=self._jobs["backup"], daemon=True).start()
            self._let_pass(number)
            if number % LIBRARY_EVERY == 0:
                self._change_library()
            number += 1
            self.stop_asked.wait(self._options["pause_s"])
        if self._options["drain_s"]:
            self._wait_until_delivered()
        if self._options["linger"]:
            self.stop_asked.wait(_DONE_S)
        self._stop()

    # -- parts, in the order of the daemon

    def _start(self) -> None:
        clock, config = self._clock, self._config
        self._stack.enter_context(lock_data_dir(config.data_dir, clock=clock))
        site = Site(config, clock)
        self._bus = site.bus
        site.upkeep = upkeep = Upkeep(config, self._bus, clock)
        site.journal = self._journal = upkeep.open_journal()
        self._jobs = {job["id"]: job["func"] for job in upkeep.jobs()}
        self._stack.callback(self._journal.close)
        closed = [grant.decision_id for grant in self._journal.close_unfinished()]
        self._report("opened", closed, len(self._journal.unfinished_grants()))
        self._library = LibraryStore.open(config.data_dir, clock)
        self._stack.callback(self._library.close)
        self._enrol()
        self._journal.attach(self._bus)
        self._bus.subscribe(AccessDecided, self._act, name="gate", capacity=64)
        for part in (AttendancePart(site), DeliveryPart(site), UpkeepPart(site)):
            self._stack.callback(part.close)
            part.start()
        self._delivery = site.delivery
        self._start_decisions()
        self._report("ready")

    def _start_decisions(self) -> None:
        policy = DoorPolicy(
            allowed_groups=frozenset({"*"}),
            threshold=80.0,
            margin=0.0,
            agreeing_shots=1,
            cool_down_s=0.0,
            max_age_s=60.0,
        )
        door = AccessDoor(
            door_id="door1",
            policy=lambda _: policy,
            person=self._person,
            gate_ready=lambda: True,
            grant_ttl_s=5.0,
        )
        AccessService(self._bus, self._clock, commit=self._commit).add_door(door)

    def _enrol(self) -> None:
        for number in range(PEOPLE):
            if self._library.find(f"person{number}") is None:
                details = PersonDetails(person_id=f"person{number}", name=f"Person {number}")
                self._library.enrol(details, _FACE)

    def _person(self, person_id: str) -> PersonRecord | None:
        found = self._library.find(person_id)
        return PersonRecord(person_id=found.person_id, name=found.name) if found else None

    def _commit(self, decision: AccessDecided) -> None:
        began_s = self._clock.monotonic()
        seq = self._journal.commit_decision(decision)
        took_ms = (self._clock.monotonic() - began_s) * 1000
        self._report("acknowledged", decision.decision_id, seq, took_ms)

    def _act(self, decision: AccessDecided) -> None:
        """The door: says that it acts before the outcome is on its way to the journal."""
        if decision.reasons[0] == "journal_unavailable":
            self._report("unwritten", decision.decision_id, decision.reasons[-1])
        if decision.outcome is Outcome.GRANTED:
            self._report("acted", decision.decision_id)
            same = {"passage_id": decision.passage_id, "door_id": decision.door_id}
            self._bus.publish(
                DoorUnlocked(
                    at=self._clock.now(),
                    **same,
                    decision_id=decision.decision_id,
                    person_id=decision.person_id,
                    mode="pulse",
                    frame_to_relay_ms=None,
                    decision_to_relay_ms=1.0,
                    acknowledged=True,
                )
            )
            self._bus.publish(
                DoorLocked(
                    at=self._clock.now(), door_id="door1", reason="pulse_ended", on_ms=1.0, acknowledged=True
                )
            )
        with self._decided:
            self._newest = decision.passage_id or ""
            self._decided.notify_all()

    # -- the load

    def _let_pass(self, number: int) -> None:
        """One passage: four in six are let in, one is a stranger, one leaves before it was recognised."""
        now = self._clock.now()
        passage = {"passage_id": new_id("p", now), "door_id": "door1", "camera_id": "cam1"}
        self._bus.publish(TrackStarted(at=now, **passage, track_id=number))
        self._bus.publish(self._answer(number, passage))
        with self._decided:
            self._decided.wait_for(lambda: self._newest == passage["passage_id"], _DONE_S)
        end = {"frames": 9, "duration_s": 0.4, "nearest_px": 160.0, "shots": 1}
        self._bus.publish(TrackEnded(at=self._clock.now(), **passage, track_id=number, **end))

    def _answer(self, number: int, passage: dict[str, str]) -> FaceIdentified | PassageExhausted:
        now = self._clock.now()
        if self._random.random() < 1 / 6:
            return PassageExhausted(at=now, **passage, track_id=number, reasons=("too_dark",))
        return FaceIdentified(
            at=now,
            **passage,
            track_id=number,
            shot_number=1,
            captured_s=self._clock.monotonic(),
            engine="local",
            model_id="laboratory",
            person_id=f"person{self._random.randrange(PEOPLE + STRANGERS)}",
            score=94.0,
            margin=60.0,
            runner_up_id=None,
            agreeing_shots=1,
            gallery_people=PEOPLE,
            final=True,
            measures=_MEASURES,
        )

    def _change_library(self) -> None:
        """A counter in somebody's note, so that a lost change shows."""
        person = self._library.get("person0")
        count = int(person.note or 0) + 1
        try:
            self._library.update_person(PersonDetails(person_id="person0", name=person.name, note=str(count)))
        except EdgedError:
            return  # a full disk: not acknowledged
        self._report("library", count)

    # -- the end

    def _wait_until_delivered(self) -> None:
        self._bus.drain(_DONE_S)
        self._journal.flush()
        last = self._journal.last_seq()
        until_s = self._clock.monotonic() + self._options["drain_s"]
        while (self._delivery.undelivered_from() or 0) <= last and self._clock.monotonic() < until_s:
            self.stop_asked.wait(0.01)
        self._report("drained", last)

    def _stop(self) -> None:
        self._bus.close()
        self._stack.close()


def live(options: dict[str, Any]) -> None:
    """One life, in a process of its own."""
    if options.get("syncs"):
        os.environ["CRASH_LAB_SYNCS"] = options["syncs"]  # for the library that notes what reached the disk
    report = Reports(options["pipe"])
    box = Box(options, report)
    signal.signal(signal.SIGTERM, lambda *_: box.stop_asked.set())
    box.run()
    report("ended")


def main() -> None:
    """Fork a box for a line of options and answer with its process id; answer the next line with its end.

    Until then its id is not given to another process, so a signal that comes late hits nobody.
    """
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            code = 1
            try:
                live(json.loads(line))
                code = 0
            except BaseException:
                traceback.print_exc()
                raise
            finally:
                sys.stderr.flush()
                os._exit(code)
        print(process, flush=True)
        sys.stdin.readline()
        print(os.waitpid(process, 0)[1], flush=True)


if __name__ == "__main__":
    main()
