"""A data directory with everything in it: people, photographs, records, snapshots, punches."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from edged.attendance.punch import Direction, Punch
from edged.attendance.store import PunchLedger
from edged.clock import Clock, ManualClock, SystemClock
from edged.database.device import device_id
from edged.events import (
    AccessDecided,
    DoorUnlocked,
    Event,
    FaceIdentified,
    Measures,
    Outcome,
    PunchRecorded,
    SubscriberFailed,
    TrackStarted,
)
from edged.journal import Journal, journal_path
from edged.journal.snapshots import SnapshotFolder
from edged.library.people import NewFace, PersonDetails
from edged.library.store import LibraryStore

AT = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
MEASURES = Measures(face_px=150, detection=0.9)
MODEL = "face_embedding:000000000000"
WHO, NAME = "zzyx_planted_id", "Zzyxa Plantedname Öberg"  # stands nowhere by chance
OTHER, OTHER_NAME = "ida_moen", "Ida Moen"


def noise(seed: int, size: int = 20_000) -> bytes:
    """Bytes that stand nowhere else, like the body of a picture."""
    return np.random.default_rng(seed).bytes(size)


def template(seed: int) -> np.ndarray:
    """A unit vector, as the embedder gives it."""
    vector = np.random.default_rng(seed).standard_normal(128).astype(np.float32)
    return vector / np.linalg.norm(vector)


def passage(number: int, person_id: str, name: str, at: datetime = AT) -> list[Event]:
    """Somebody comes, is recognised, let in, and punched."""
    ids = {"at": at, "passage_id": f"p_{number}", "door_id": "door1", "camera_id": "cam1"}
    return [
        TrackStarted(**ids, track_id=number),
        FaceIdentified(
            **ids, track_id=number, shot_number=1, captured_s=1.0, engine="local", model_id=MODEL,
            person_id=person_id, score=94.0, margin=40.0, runner_up_id="somebody_else", agreeing_shots=2,
            gallery_people=3, final=True, measures=MEASURES,
        ),
        AccessDecided(
            **ids, decision_id=f"d_{number}", outcome=Outcome.GRANTED, person_id=person_id, person_name=name,
            score=94.0, reasons=("granted",), captured_s=1.0,
        ),
        DoorUnlocked(
            **ids, decision_id=f"d_{number}", person_id=person_id, mode="pulse", frame_to_relay_ms=35.0,
            decision_to_relay_ms=1.5, acknowledged=True,
        ),
        PunchRecorded(
            at=at, punch_id=number, person_id=person_id, person_name=name, direction="in",
            direction_by="alternate", repeated=False, decision_id=f"d_{number}",
        ),
    ]  # fmt: skip


class Box:
    """Fills a data directory. Every person of `people` passes `passages` times, with a picture each time."""

    def __init__(self, data_dir: Path, clock: Clock | None = None) -> None:
        self.data_dir = data_dir
        self.clock = clock or ManualClock(AT)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.device = device_id(data_dir)
        self.passages = 0

    def open_journal(self) -> Journal:
        return Journal.open(journal_path(self.data_dir), self.clock, device=self.device)

    def enrol(self, person_id: str, name: str, seed: int) -> None:
        store = LibraryStore.open(self.data_dir, self.clock)
        details = PersonDetails(person_id=person_id, name=name, groups=("staff",))
        store.enrol(details, NewFace(noise(seed), ".jpg", template(seed), MODEL, MEASURES))
        store.record_consent(person_id, "attendance", given=True, recorded_by="the office")
        store.close()

    def pass_through(self, person_id: str, name: str, times: int = 1) -> None:
        journal = self.open_journal()
        snapshots = SnapshotFolder(self.data_dir, journal.database, self.clock)
        ledger = PunchLedger.open(self.data_dir, self.clock)
        for _ in range(times):
            self.passages += 1
            at = AT + timedelta(minutes=self.passages)
            happened = passage(self.passages, person_id, name, at)
            for event in happened:
                journal.record(event)
            snapshots.add(happened[2], noise(10_000 + self.passages))
            ledger.add(
                Punch(
                    person_id=person_id, person_name=name, at=at, zone="UTC", direction=Direction.IN,
                    direction_by="alternate", decision_id=f"d_{self.passages}",
                )
            )  # fmt: skip
        ledger.close()
        journal.close()

    def fail_about(self, text: str) -> None:
        """A record whose free text names somebody."""
        journal = self.open_journal()
        journal.record(SubscriberFailed(at=AT, subscriber="x", failed_event="y", error=text))
        journal.close()


def planted_box(data_dir: Path) -> Box:
    """One to be erased and one to be kept, with all their traces."""
    box = Box(data_dir, SystemClock())
    for seed, (person_id, name) in enumerate([(WHO, NAME), (OTHER, OTHER_NAME)], start=1):
        box.enrol(person_id, name, seed)
    box.pass_through(WHO, NAME, 3)
    box.pass_through(OTHER, OTHER_NAME, 2)
    return box
