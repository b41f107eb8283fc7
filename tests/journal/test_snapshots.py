"""Pictures with decisions: which, of which shot, the file before the reference, and what a crash leaves."""

from __future__ import annotations

import hashlib
import stat
from datetime import UTC, datetime

import numpy as np
import pytest

from edged.bus import EventBus
from edged.clock import ManualClock
from edged.events import AccessDecided, Measures, Outcome, ShotChosen
from edged.journal import Journal
from edged.journal.snapshots import SnapshotFolder, SnapshotService, snapshot_path

AT = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(AT)


@pytest.fixture
def journal(tmp_path, clock):
    opened = Journal.open(tmp_path / "journal.sqlite3", clock)
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path, journal, clock) -> SnapshotFolder:
    return SnapshotFolder(tmp_path, journal.database, clock)


def decided(number: int, outcome: Outcome = Outcome.DENIED, captured_s: float | None = 1.0) -> AccessDecided:
    return AccessDecided(
        at=AT, passage_id=f"p_{number}", decision_id=f"d_{number}", outcome=outcome, person_id=None,
        person_name=None, score=None, reasons=("x",), captured_s=captured_s,
    )  # fmt: skip


def shot(number: int, captured_s: float, grey: int) -> ShotChosen:
    return ShotChosen(
        at=AT, passage_id=f"p_{number}", track_id=1, shot_number=1, frame_number=1, captured_s=captured_s,
        quality=0.9, measures=Measures(face_px=120, detection=0.9), aligned=np.zeros((112, 112, 3), np.uint8),
        picture=np.full((4, 4, 3), grey, np.uint8),
    )  # fmt: skip


def first_pixel(picture: np.ndarray) -> bytes:
    """In the place of JPEG: enough to tell one picture from another."""
    return b"grey %d" % picture[0, 0, 0]


def play(policy: str, journal: Journal, folder: SnapshotFolder, clock, *happened) -> list[str]:
    """What is in the pictures that are kept, after these events on the bus."""
    bus = EventBus(clock)
    SnapshotService(policy, folder, first_pixel).attach(bus)
    for event in happened:
        if isinstance(event, AccessDecided):
            journal.commit_decision(event)
        bus.publish(event)
    assert bus.drain(30)
    bus.close()
    return sorted(file.read_text() for file in folder.files())


def test_the_policy_says_whose_picture_is_kept(tmp_path, journal, folder, clock):
    passages = (
        shot(1, 1.0, 1), decided(1, Outcome.GRANTED), shot(2, 1.0, 2), decided(2, Outcome.DENIED),
    )  # fmt: skip
    assert play("none", journal, folder, clock, *passages) == []


@pytest.mark.parametrize(("policy", "kept"), [("denied", ["grey 2"]), ("all", ["grey 1", "grey 2"])])
def test_the_policy_chooses_by_outcome(journal, folder, clock, policy, kept):
    passages = (
        shot(1, 1.0, 1), decided(1, Outcome.GRANTED), shot(2, 1.0, 2), decided(2, Outcome.DENIED),
    )  # fmt: skip
    assert play(policy, journal, folder, clock, *passages) == kept


def test_the_picture_is_that_of_the_shot_that_decided(journal, folder, clock):
    kept = play("all", journal, folder, clock, shot(1, 1.0, 10), shot(1, 2.0, 20), decided(1, captured_s=1.0))
    assert kept == ["grey 10"]


def test_a_decision_without_a_shot_of_its_own_gets_the_last_one(journal, folder, clock):
    happened = (shot(1, 1.0, 10), shot(1, 2.0, 20), decided(1, captured_s=None))
    assert play("all", journal, folder, clock, *happened) == ["grey 20"]


def test_the_name_is_the_hash_and_the_file_is_private(tmp_path, journal, folder):
    journal.commit_decision(decided(1))

    digest = folder.add(decided(1), b"jpeg")

    assert digest == hashlib.sha256(b"jpeg").hexdigest() == journal.snapshot("d_1")
    path = snapshot_path(tmp_path, digest)
    assert path.parent.name == digest[:2]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


def test_a_decision_that_was_not_written_gets_no_picture(journal, folder):
    assert folder.add(decided(1), b"jpeg") is None
    assert list(folder.files()) == []


def test_what_a_crash_left_is_removed_and_nothing_else(tmp_path, journal, folder):
    journal.commit_decision(decided(1))
    digest = folder.add(decided(1), b"kept")
    lost = snapshot_path(tmp_path, hashlib.sha256(b"lost").hexdigest())
    lost.parent.mkdir(exist_ok=True)
    lost.write_bytes(b"lost")
    lost.with_suffix(".4711").write_bytes(b"half")

    assert folder.sweep() == 2

    assert [file.stem for file in folder.files()] == [digest]


def test_missing_and_changed_pictures_show(tmp_path, journal, folder):
    for number in (1, 2, 3):
        journal.commit_decision(decided(number))
        folder.add(decided(number), b"jpeg %d" % number)
    snapshot_path(tmp_path, journal.snapshot("d_1")).unlink()
    snapshot_path(tmp_path, journal.snapshot("d_2")).write_bytes(b"another")

    problems = sorted(folder.problems())

    assert len(problems) == 2
    assert "d_1 is missing" in problems[0]
    assert "d_2 was changed" in problems[1]


def test_pictures_count_for_the_room(journal, folder):
    before = journal.room.measure().used_bytes
    journal.commit_decision(decided(1))
    folder.add(decided(1), b"x" * 500_000)

    assert journal.room.measure().used_bytes >= before + 500_000


def test_passages_without_a_decision_do_not_fill_the_memory(journal, folder, clock):
    service = SnapshotService("all", folder, first_pixel)
    for number in range(100):
        service._take(shot(number, 1.0, 1))

    assert len(service._shots) == 16
