"""What each part calls degraded and failed, and what it does where the configuration does not want it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from edged.app.attendance_part import AttendancePart
from edged.app.cloud_part import CloudPart
from edged.app.delivery_part import DeliveryPart, state_of
from edged.app.doors_part import DoorsPart
from edged.app.journal_part import JournalPart
from edged.app.library_part import LibraryPart
from edged.app.part import PartHealth, PartState
from edged.app.site import Site
from edged.app.site_part import SitePart
from edged.app.upkeep_part import UpkeepPart
from edged.clock import ManualClock, SystemClock
from edged.config import Config
from edged.events import GateConnected
from edged.journal.room import MB, RoomUse
from edged.upkeep.backup import make_backup
from edged.upkeep.backup_places import backup_folder
from edged.upkeep.service import BACKUP_AFTER

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
    made.site.clock.advance(BACKUP_AFTER.total_seconds() + 1)
    assert part.health().state is PartState.OK
    made.site.clock.advance(timedelta(hours=24).total_seconds())
    health = part.health()
    assert health.state is PartState.DEGRADED
    assert "2026-01-01" in health.summary
    assert health.details["backups"] == 1


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
