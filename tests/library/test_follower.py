"""The gallery in memory follows the library on disk, after changes by any process."""

from __future__ import annotations

import multiprocessing
import threading
from pathlib import Path

import numpy as np
import pytest

from edged.bus import EventBus
from edged.clock import ManualClock, SystemClock
from edged.errors import NeedsOperator
from edged.events import LibraryChanged, Measures
from edged.gallery.templates import Gallery
from edged.library.follower import LibraryFollower, refresh
from edged.library.people import NewFace, PersonDetails
from edged.library.store import LibraryStore

MODEL = "face_embedding:000000000000"
DEADLINE_S = 30.0


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(128).astype(np.float32)
    return vector / np.linalg.norm(vector)


def enrol(store: LibraryStore, person_id: str, seed: int, model_id: str = MODEL) -> int:
    face = NewFace(b"photo %d" % seed, ".jpg", unit(seed), model_id, Measures(face_px=120, detection=0.9))
    return store.enrol(PersonDetails(person_id=person_id, name=person_id), face).face_id


class Rig:
    def __init__(self, data_dir: Path, capacity: int = 50_000) -> None:
        self.clock = ManualClock()
        self.store = LibraryStore.open(data_dir, self.clock)
        self.gallery = Gallery(MODEL, capacity=capacity)
        self.bus = EventBus(self.clock)
        self.seen: list[LibraryChanged] = []
        self.arrived = threading.Semaphore(0)
        self.bus.subscribe(LibraryChanged, self._collect, name="test")
        self.beats = threading.Semaphore(0)
        self.follower = LibraryFollower(
            self.store, self.gallery, self.bus, self.clock, on_beat=self.beats.release
        )

    def _collect(self, event: LibraryChanged) -> None:
        self.seen.append(event)
        self.arrived.release()

    def next_look(self) -> None:
        """A look that began after this call has ended."""
        while self.beats.acquire(blocking=False):
            pass
        for _ in range(2):
            assert self.beats.acquire(timeout=DEADLINE_S)

    def top(self, seed: int) -> str:
        return self.gallery.search(unit(seed))[0].person_id


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path)
    yield rig
    rig.follower.stop()
    rig.bus.close()
    rig.store.close()


def test_the_first_look_fills_the_gallery_without_an_event(rig):
    enrol(rig.store, "anna", 1)
    assert rig.follower.poll()
    assert rig.top(1) == "anna"
    rig.bus.drain(DEADLINE_S)
    assert rig.seen == []


def test_nothing_changed_is_nothing_done(rig):
    enrol(rig.store, "anna", 1)
    rig.follower.poll()
    assert not rig.follower.poll()


def test_additions_and_removals_are_followed_and_published(rig):
    enrol(rig.store, "anna", 1)
    enrol(rig.store, "bert", 2)
    rig.follower.poll()
    rig.store.remove_person("anna")
    enrol(rig.store, "carl", 3)
    assert rig.follower.poll()
    assert sorted(m.person_id for m in rig.gallery.search(unit(3), top=9)) == ["bert", "carl"]
    rig.bus.drain(DEADLINE_S)
    assert [(e.people, e.faces) for e in rig.seen] == [(2, 2)]


def test_a_changed_name_is_published_though_no_face_changed(rig):
    enrol(rig.store, "anna", 1)
    rig.follower.poll()
    rig.store.update_person(PersonDetails(person_id="anna", name="Anna Schmidt"))
    assert rig.follower.poll()
    rig.bus.drain(DEADLINE_S)
    assert len(rig.seen) == 1


def test_an_emptied_library_empties_the_gallery(rig):
    enrol(rig.store, "anna", 1)
    rig.follower.poll()
    rig.store.remove_person("anna")
    rig.follower.poll()
    assert rig.gallery.search(unit(1)) == []


def test_templates_of_another_model_stay_out_of_the_gallery(rig):
    enrol(rig.store, "anna", 1, "face_embedding:ffffffffffff")
    rig.follower.poll()
    assert rig.gallery.faces == 0
    assert rig.follower.left_out == 1


def _enrol_elsewhere(data_dir: Path) -> None:
    store = LibraryStore.open(data_dir, SystemClock())
    enrol(store, "bert", 2)
    store.close()


def test_a_change_by_another_process_reaches_the_gallery_and_the_bus(rig, tmp_path):
    enrol(rig.store, "anna", 1)
    rig.follower.start(0.01)
    process = multiprocessing.get_context("spawn").Process(target=_enrol_elsewhere, args=(tmp_path,))
    process.start()
    assert rig.arrived.acquire(timeout=60)
    process.join(60)
    assert rig.top(2) == "bert"
    assert rig.seen[-1].people == 2


def test_a_library_that_does_not_fit_is_reported_and_tried_again(tmp_path):
    rig = Rig(tmp_path, capacity=1)
    enrol(rig.store, "anna", 1)
    rig.follower.start(0.01)
    enrol(rig.store, "bert", 2)
    rig.next_look()
    assert isinstance(rig.follower.problem, NeedsOperator)
    assert rig.follower.problem.code == "gallery_full"
    assert rig.top(1) == "anna"  # those who fitted are still recognised
    rig.store.remove_person("anna")
    assert rig.arrived.acquire(timeout=DEADLINE_S)
    assert rig.top(2) == "bert"
    rig.next_look()
    assert rig.follower.problem is None
    assert rig.follower.stop(DEADLINE_S)
    rig.bus.close()
    rig.store.close()


def test_two_who_bring_one_gallery_up_to_date_do_not_add_twice(rig):
    for number in range(30):
        enrol(rig.store, f"p{number}", number)
    rig.gallery.add("p0", int(rig.store.face_ids(MODEL)[0]), unit(0), MODEL)
    threads = [threading.Thread(target=refresh, args=(rig.store, rig.gallery)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert rig.gallery.faces == 30
