"""What each part calls degraded and failed, and what it does where the configuration does not want it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest

from edged.app.access_part import AccessPart
from edged.app.attendance_part import AttendancePart
from edged.app.cloud_part import CloudPart
from edged.app.control_part import ControlPart
from edged.app.delivery_part import DeliveryPart, state_of
from edged.app.doors_part import DoorsPart
from edged.app.health import health_of
from edged.app.jobs_part import JobsPart
from edged.app.journal_part import JournalPart
from edged.app.library_part import LibraryPart
from edged.app.lock_part import LockPart
from edged.app.part import PartHealth, PartState
from edged.app.site import Site
from edged.app.site_part import SitePart
from edged.app.upkeep_part import UpkeepPart
from edged.attendance.store import FILE_NAME as LEDGER_FILE
from edged.clock import ManualClock, SystemClock
from edged.config import Config
from edged.events import AccessDecided, GateConnected, Measures, Outcome, PassageExhausted
from edged.journal.room import MB, RoomUse
from edged.library.people import NewFace, PersonDetails
from edged.ops.control import FILE_NAME as CONTROL_FILE
from edged.ops.lock import FILE_NAME as LOCK_FILE
from edged.upkeep.backup import BACKUP_OVERDUE, make_backup
from edged.upkeep.backup_places import backup_folder

LONG_S = 30.0
PartType = Callable[[Site], SitePart]


class Few:
    """Some parts of a site, started in order."""

    def __init__(self, site: Site, stack: ExitStack) -> None:
        self.site = site
        self._stack = stack

    def start(self, *kinds: PartType) -> SitePart:
        """Start them; the last one."""
        for kind in kinds:
            part = kind(self.site)
            self._stack.callback(part.close)
            part.start()
        return part


@pytest.fixture
def few(tmp_path, no_thread_stays):
    with ExitStack() as stack:

        def few(clock=None, **sections: Any) -> Few:
            config = Config.model_validate({"data_dir": tmp_path, **sections})
            site = Site(config, clock or ManualClock())
            stack.callback(site.bus.close, LONG_S)
            return Few(site, stack)

        yield few


def said(health: PartHealth) -> tuple[str, PartState]:
    return health.part, health.state


def test_what_the_configuration_does_not_want_is_off(few):
    made = few()
    made.start(JournalPart, LibraryPart)
    parts = [made.start(kind) for kind in (AttendancePart, DeliveryPart, CloudPart)]
    assert [said(part.health()) for part in parts] == [
        ("attendance", PartState.OFF),
        ("delivery", PartState.OFF),
        ("cloud", PartState.OFF),
    ]


@pytest.mark.parametrize(
    ("share", "state"),
    [(0.5, PartState.OK), (0.8, PartState.DEGRADED), (0.99, PartState.DEGRADED), (1.0, PartState.FAILED)],
)
def test_a_journal_is_degraded_while_it_fills_and_failed_when_nobody_can_be_let_in(few, share, state):
    made = few()
    part = made.start(JournalPart)
    made.site.journal.room.use = RoomUse(share, int(share * 10 * MB))
    health = part.health()
    assert health.state is state
    assert (health.details["used_percent"], health.details["used_mb"]) == (100 * share, 10 * share)


def test_a_backup_that_was_missed_is_a_degraded_upkeep(few):
    made = few(clock=ManualClock())
    part = made.start(JournalPart, LibraryPart, DeliveryPart, UpkeepPart)
    assert part.health().state is PartState.OK  # none is due yet
    make_backup(made.site.config.data_dir, backup_folder(made.site.config), made.site.clock)
    made.site.clock.advance(BACKUP_OVERDUE.total_seconds())
    assert part.health().state is PartState.OK
    made.site.clock.advance(1)
    health = part.health()
    assert health.state is PartState.DEGRADED
    assert "2026-01-01" in health.summary
    assert health.details["backups"] == 1


def test_a_backup_that_fails_degrades_upkeep_until_one_is_made(few, tmp_path):
    wrong = tmp_path / "a-file"
    wrong.touch()
    made = few(journal={"backup_dir": str(wrong)})
    part = made.start(JournalPart, LibraryPart, DeliveryPart, UpkeepPart)
    made.site.upkeep.back_up_if_due()
    health = part.health()
    assert health.state is PartState.DEGRADED
    assert "backup: " in health.summary
    assert str(wrong) in health.details["problems"]["backup"]
    wrong.unlink()
    made.site.upkeep.back_up_if_due()
    assert said(part.health()) == ("upkeep", PartState.OK)


@pytest.mark.parametrize(("kind", "file"), [(LockPart, LOCK_FILE), (ControlPart, CONTROL_FILE)])
def test_lock_and_control_have_failed_when_their_file_is_gone(few, kind, file):
    made = few()
    part = made.start(kind)
    assert part.health().state is PartState.OK
    (made.site.config.data_dir / file).unlink()
    health = part.health()
    assert health.state is PartState.FAILED
    assert file in health.summary


def enrol_ann(site: Site) -> None:
    template = np.eye(1, 128, dtype=np.float32)[0]
    face = NewFace(b"a photograph", ".jpg", template, "model:1", Measures(face_px=150, detection=0.9))
    site.library.enrol(PersonDetails(person_id="ann", name="Ann"), face)


def test_a_library_without_a_face_is_degraded_and_one_that_cannot_be_read_has_failed(few):
    made = few()
    part = made.start(LibraryPart)
    assert part.health().state is PartState.DEGRADED
    enrol_ann(made.site)
    assert part.health().state is PartState.OK
    made.site.library.close()
    assert health_of(part, started=True, hung=()).state is PartState.FAILED


def test_a_library_without_a_face_is_fine_where_the_cloud_recognises(few):
    part = few(recognition={"engine": "cloud"}).start(LibraryPart)
    assert part.health().state is PartState.OK


def granted(site: Site, number: int) -> AccessDecided:
    return AccessDecided(
        at=site.clock.now(), passage_id=f"p{number}", door_id="door1", decision_id=f"d{number}",
        outcome=Outcome.GRANTED, person_id="ann", person_name="Ann", score=95.0, reasons=("granted",),
    )  # fmt: skip


def test_attendance_has_failed_while_passages_wait_for_their_punches(few):
    made = few(attendance={"enabled": True})
    part = made.start(JournalPart, AttendancePart)
    for number, state in ((1, PartState.OK), (2, PartState.FAILED)):
        made.site.bus.publish(granted(made.site, number))
        assert made.site.bus.drain(LONG_S)
        health = part.health()
        assert health.state is state
        part.close()  # the ledger cannot be written from here on
    assert health.details["without_punch"] == 1
    assert LEDGER_FILE in health.summary


def exhausted(site: Site, number: int) -> PassageExhausted:
    return PassageExhausted(
        at=site.clock.now(), passage_id=f"p{number}", door_id="door1", camera_id="cam1", track_id=number,
        reasons=("no_match",),
    )  # fmt: skip


def test_access_has_failed_while_no_decision_can_be_written(few):
    made = few(gate={"id": "door1", "port": "sim:lcus"})
    made.start(JournalPart, LibraryPart)
    made.site.gates = {"door1": None}
    part = made.start(AccessPart)
    assert part.health().state is PartState.OK
    made.site.bus.publish(exhausted(made.site, 1))
    assert made.site.bus.drain(LONG_S)
    assert part.health().state is PartState.OK
    made.site.journal.close()
    made.site.bus.publish(exhausted(made.site, 2))
    assert made.site.bus.drain(LONG_S)
    health = part.health()
    assert health.state is PartState.FAILED
    assert health.summary.startswith("Nobody is let in: ")


def test_jobs_are_degraded_while_the_newest_run_of_one_failed(few):
    made, mended = few(clock=SystemClock()), threading.Event()

    def toy() -> None:
        if not mended.is_set():
            raise OSError("no such disk")

    made.site.offer([{"id": "toy", "func": toy, "trigger": "interval", "seconds": 0.05}], {})
    part = made.start(JobsPart)
    health = look_until(part, PartState.DEGRADED)
    assert health.details["failed"] == {"toy": "OSError: no such disk"}
    assert "toy (OSError: no such disk)" in health.summary
    mended.set()
    assert look_until(part, PartState.OK).details["failed"] == {}


def look_until(part: SitePart, state: PartState) -> PartHealth:
    until_s = time.monotonic() + LONG_S
    while (health := part.health()).state is not state:
        assert time.monotonic() < until_s
    return health


@pytest.mark.parametrize(
    ("ports", "state"),
    [
        (["sim:lcus"], PartState.OK),
        (["sim:lcus", "/dev/nothing-here"], PartState.DEGRADED),
        (["/dev/nothing-here"], PartState.FAILED),
    ],
)
def test_doors_are_degraded_without_one_board_and_failed_without_any(few, ports, state):
    gates = [{"id": f"door{number}", "port": port} for number, port in enumerate(ports)]
    made = few(clock=SystemClock(), gate=gates[0], more_gates=gates[1:])
    connected = threading.Semaphore(0)
    made.site.bus.subscribe(GateConnected, lambda event: connected.release(), name="test")
    part = made.start(JournalPart, DoorsPart)
    for port in ports:
        assert not port.startswith("sim:") or connected.acquire(timeout=LONG_S)
    health = part.health()
    assert health.state is state
    assert list(health.details["doors"]) == [gate["id"] for gate in gates]
    part.ask_to_stop()
    assert part.stop(LONG_S)


def target(name: str, state: str) -> dict[str, str]:
    return {"target": name, "state": state}


@pytest.mark.parametrize(
    ("states", "expected", "named"),
    [
        (["delivering", "starting"], PartState.OK, ()),
        (["delivering", "waiting"], PartState.DEGRADED, ("t1",)),
        (["paused", "waiting"], PartState.DEGRADED, ("t0", "t1")),
        (["waiting", "needs_operator"], PartState.FAILED, ("t1",)),
    ],
)
def test_delivery_is_degraded_while_records_wait_and_failed_when_a_person_must_act(states, expected, named):
    state, summary = state_of([target(f"t{number}", state) for number, state in enumerate(states)])
    assert state is expected
    assert [name for name in ("t0", "t1") if name in summary] == list(named)
