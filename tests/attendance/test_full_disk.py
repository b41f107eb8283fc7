"""A full disk: passages that could not be punched are punched when there is room, without a restart."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from small_disks import fill

from edged.attendance.service import AttendanceService
from edged.attendance.store import PunchLedger
from edged.bus import EventBus
from edged.clock import ManualClock
from edged.config import AttendanceConfig
from edged.events import AccessDecided, Outcome, PunchRecorded, SubscriberFailed

CLOCK = ManualClock(datetime(2026, 11, 20, 7, 0, tzinfo=UTC))


def passage(number: int) -> AccessDecided:
    """Somebody was let in; the name is long, so that a punch needs room of its own."""
    CLOCK.advance(3600)
    return AccessDecided(
        at=CLOCK.now(), door_id="door1", decision_id=f"d{number}", outcome=Outcome.GRANTED,
        person_id=f"p{number}", person_name="A" * 9000, score=95.0, reasons=("granted",),
    )  # fmt: skip


@pytest.fixture
def disk(mount_disk) -> Path:
    return mount_disk(8)


def test_passages_while_the_disk_is_full_are_punched_in_order_when_there_is_room(disk):
    bus, heard, failed = EventBus(CLOCK), [], []
    bus.subscribe(PunchRecorded, heard.append, name="heard")
    bus.subscribe(SubscriberFailed, failed.append, name="failed")
    ledger = PunchLedger.open(disk, CLOCK)
    settings = AttendanceConfig.model_validate({"enabled": True})
    AttendanceService(settings, ledger, bus, CLOCK, zone="Europe/Berlin").attach()
    fill(disk)

    for number in range(5):
        bus.publish(passage(number))
    assert bus.drain(10)
    assert "the disk is full" in failed[0].error
    (disk / "filler").unlink()
    bus.publish(passage(5))
    assert bus.drain(10)

    assert [punch.decision_id for punch in ledger.rows()] == [f"d{n}" for n in range(6)]
    assert [event.decision_id for event in heard] == [f"d{n}" for n in range(6)]
    bus.close()
    ledger.close()
