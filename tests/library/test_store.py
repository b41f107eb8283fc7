"""The library on disk: what it keeps, what it refuses, what it erases."""

from __future__ import annotations

import multiprocessing
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from edged.clock import ManualClock, SystemClock
from edged.errors import NeedsOperator, NotFound
from edged.events import Measures
from edged.library.people import MAX_FACES_PER_PERSON, NewFace, PersonDetails
from edged.library.store import LibraryStore

MODEL = "face_embedding:000000000000"
OTHER_MODEL = "face_embedding:ffffffffffff"


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(128).astype(np.float32)
    return vector / np.linalg.norm(vector)


def face(seed: int, *, photo: bytes | None = None, model_id: str = MODEL) -> NewFace:
    content = photo if photo is not None else b"photo %d" % seed
    return NewFace(content, ".jpg", unit(seed), model_id, Measures(face_px=120, detection=0.9, yaw_deg=-3.5))


def person(person_id: str, name: str | None = None, *groups: str, **more) -> PersonDetails:
    return PersonDetails(person_id=person_id, name=name or person_id, groups=groups, **more)


def test_a_person_is_stored_with_everything_said_of_them(store):
    details = person(
        "anna",
        "Anna Müller",
        "staff",
        "night",
        valid_from=datetime(2026, 1, 1, tzinfo=UTC),
        valid_until=datetime(2027, 1, 1, tzinfo=UTC),
        active=False,
        note="front desk",
    )
    store.enrol(details, face(1))
    kept = store.get("anna")
    assert (kept.name, kept.groups, kept.note, kept.active) == (
        "Anna Müller",
        ("night", "staff"),
        "front desk",
        False,
    )
    assert (kept.valid_from, kept.valid_until) == (details.valid_from, details.valid_until)
    assert (kept.faces, kept.created_at) == (1, ManualClock().now())


def test_the_library_is_there_again_after_reopening(tmp_path, store):
    store.enrol(person("anna", "Anna", "staff"), face(1))
    store.close()
    again = LibraryStore.open(tmp_path, ManualClock())
    assert again.get("anna").faces == 1
    assert np.array_equal(again.load(MODEL).templates[0], unit(1))
    again.close()


def test_updating_replaces_details_and_keeps_faces(store):
    store.enrol(person("anna", "Anna", "staff"), face(1))
    store.update_person(person("anna", "Anna Schmidt", "night"))
    kept = store.get("anna")
    assert (kept.name, kept.groups, kept.faces) == ("Anna Schmidt", ("night",), 1)


@pytest.mark.parametrize("call", ["get", "remove_person"])
def test_somebody_unknown_is_not_found(store, call):
    with pytest.raises(NotFound) as caught:
        getattr(store, call)("nobody")
    assert caught.value.code == "person_unknown"


def test_enrolling_the_first_face_adds_and_the_next_updates(store):
    assert store.enrol(person("anna"), face(1)).outcome == "added"
    assert store.enrol(person("anna"), face(2)).outcome == "updated"
    assert store.get("anna").faces == 2


def test_the_same_photograph_of_the_same_person_is_kept_once(store):
    first = store.enrol(person("anna"), face(1))
    again = store.enrol(person("anna"), face(1))
    assert (again.outcome, again.face_id) == ("already_enrolled", first.face_id)
    assert store.count().faces == 1


def test_the_same_photograph_in_another_group_adds_the_group(store):
    store.enrol(person("anna", None, "day"), face(1))
    assert store.enrol(person("anna", None, "night"), face(1)).outcome == "updated"
    assert store.get("anna").groups == ("day", "night")


def test_a_person_has_at_most_20_faces(store):
    for seed in range(MAX_FACES_PER_PERSON):
        store.enrol(person("anna"), face(seed))
    with pytest.raises(NeedsOperator) as caught:
        store.enrol(person("anna"), face(99))
    assert caught.value.code == "too_many_faces"
    assert not list(store.photos.folder.glob(".incoming/*"))


def test_a_full_library_says_so_and_stores_nothing(tmp_path):
    store = LibraryStore.open(tmp_path, ManualClock(), capacity=1)
    store.enrol(person("anna"), face(1))
    with pytest.raises(NeedsOperator) as caught:
        store.enrol(person("bert"), face(2))
    assert caught.value.code == "library_full"
    assert store.find("bert") is None
    store.close()


@pytest.mark.parametrize("capacity", [0, 100_001])
def test_capacity_has_a_ceiling(tmp_path, capacity):
    with pytest.raises(ValueError, match="capacity"):
        LibraryStore.open(tmp_path, ManualClock(), capacity=capacity)


def test_templates_of_other_models_are_kept_apart_and_counted(store):
    store.enrol(person("anna"), face(1))
    store.enrol(person("bert"), face(2, model_id=OTHER_MODEL))
    store.enrol(person("anna"), face(1, model_id=OTHER_MODEL))
    assert store.load(MODEL).person_ids == ["anna"]
    assert store.left_out(MODEL) == 1  # bert; anna can be recognised
    assert store.left_out(OTHER_MODEL) == 0


def test_templates_are_loaded_by_id_and_missing_ids_are_left_out(store):
    ids = [store.enrol(person(f"p{n}"), face(n)).face_id for n in range(3)]
    table = store.load(MODEL, [ids[2], 12345])
    assert table.person_ids == ["p2"]
    assert np.array_equal(table.templates[0], unit(2))


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("müll", ["Anna MÜLLER"]),
        ("100%", ["Rabatt 100%"]),
        ("%", ["Rabatt 100%"]),
        ("_", ["p_3"]),
        ("伟", ["张伟"]),
        ("P3", ["Rabatt 100%"]),
        ("'; DROP TABLE people; --", []),
    ],
)
def test_search_takes_text_as_it_is(store, search, found):
    store.enrol(person("p1", "Anna MÜLLER"), face(1))
    store.enrol(person("p2", "张伟"), face(1))
    store.enrol(person("p3", "Rabatt 100%"), face(1))
    store.enrol(person("p4", "p_3"), face(1))
    assert [p.name for p in store.list_people(search=search).people] == found


def test_lists_come_in_pages_in_the_order_of_names(store):
    for number in (3, 1, 2, 5, 4):
        store.enrol(person(f"id{9 - number}", f"name{number}", "even" if number % 2 == 0 else "odd"), face(1))
    first, second, beyond = (store.list_people(page=n, page_size=3) for n in (1, 2, 9))
    assert [p.name for p in (*first.people, *second.people)] == [f"name{n}" for n in range(1, 6)]
    assert (first.total, first.pages, beyond.people) == (5, 2, ())
    assert [p.name for p in store.list_people(group="even").people] == ["name2", "name4"]


def test_groups_are_listed_with_their_size(store):
    store.enrol(person("a", None, "staff"), face(1))
    store.enrol(person("b", None, "staff", "night"), face(1))
    assert [(g.group_id, g.people) for g in store.groups()] == [("night", 1), ("staff", 2)]


def test_photographs_are_kept_byte_for_byte_and_private(store):
    store.enrol(person("anna"), face(1, photo=b"\xff\xd8 any bytes"))
    (kept,) = store.faces("anna")
    path = store.photos.path(kept.photo)
    assert path.read_bytes() == b"\xff\xd8 any bytes"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert kept.measures == Measures(face_px=120, detection=0.9, yaw_deg=-3.5)


def test_removing_a_person_erases_everything_but_photographs_others_share(store):
    store.enrol(person("anna", None, "staff"), face(1))
    store.enrol(person("anna"), face(2, photo=b"shared"))
    store.enrol(person("bert"), face(3, photo=b"shared"))
    own, shared = (store.photos.path(f.photo) for f in store.faces("anna"))
    store.remove_person("anna")
    assert not own.exists()
    assert shared.exists()
    assert store.load(MODEL).person_ids == ["bert"]
    assert store.list_people(group="staff").total == 0


def test_an_erased_template_is_not_left_in_the_files(tmp_path, store):
    store.enrol(person("anna", "Anna Unmistakable"), face(1))
    store.remove_person("anna")
    bytes_on_disk = b"".join(f.read_bytes() for f in tmp_path.rglob("*") if f.is_file())
    assert unit(1).tobytes()[:64] not in bytes_on_disk
    assert b"Unmistakable" not in bytes_on_disk


def test_removing_one_face_keeps_the_person(store):
    store.enrol(person("anna"), face(1))
    second = store.enrol(person("anna"), face(2))
    store.remove_face(second.face_id)
    assert [f.face_id for f in store.faces("anna")] != [second.face_id]
    assert store.get("anna").faces == 1
    with pytest.raises(NotFound):
        store.remove_face(second.face_id)


def test_face_ids_are_never_used_twice(store):
    first = store.enrol(person("anna"), face(1)).face_id
    store.remove_person("anna")
    assert store.enrol(person("anna"), face(1)).face_id > first


def test_changes_raise_the_counter_and_reading_does_not(store):
    before = store.change_counter()
    store.enrol(person("anna"), face(1))
    changed = store.change_counter()
    assert changed > before
    store.enrol(person("anna"), face(2))
    store.enrol(person("anna"), face(2))  # the same again changes nothing
    store.list_people()
    assert store.change_counter() == changed + 1


def test_photographs_a_crash_left_between_are_settled_or_erased_at_the_next_start(tmp_path, store):
    store.enrol(person("anna"), face(1))
    (kept,) = store.faces("anna")
    settled = store.photos.path(kept.photo)
    incoming = tmp_path / "photos" / ".incoming"
    settled.rename(incoming / kept.photo)  # killed after the commit, before the move
    (incoming / f"{'0' * 64}.jpg").write_bytes(b"killed before the commit")
    store.close()
    again = LibraryStore.open(tmp_path, ManualClock())
    assert settled.exists()
    assert list(incoming.iterdir()) == []
    again.close()


def test_an_erasure_cut_off_by_a_crash_is_finished_at_the_next_start(tmp_path, store):
    store.enrol(person("anna"), face(1))
    (kept,) = store.faces("anna")
    path = store.photos.path(kept.photo)
    with store._write() as connection:  # what remove_person commits before it touches files
        connection.execute("INSERT INTO photo_erasures VALUES (?)", [kept.photo])
        connection.execute("DELETE FROM people")
    store.close()
    LibraryStore.open(tmp_path, ManualClock()).close()
    assert not path.exists()


def test_reading_goes_on_while_another_thread_adds(store):
    done = threading.Event()
    problems: list[object] = []

    def read() -> None:
        while not done.is_set():
            table = store.load(MODEL)
            if len(table.person_ids) != len(table.templates):
                problems.append(table)
            store.list_people(search="p")

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(40):
        store.enrol(person(f"p{number}"), face(number))
    done.set()
    reader.join(30)
    assert problems == []
    assert store.count().people == 40


def _enrol_some(data_dir: Path, first: int) -> None:
    store = LibraryStore.open(data_dir, SystemClock())
    for number in range(first, first + 10):
        store.enrol(person(f"p{number}"), face(number))
    store.close()


def test_two_processes_enrol_at_the_same_time(tmp_path, store):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_enrol_some, args=(tmp_path, first)) for first in (0, 100)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [p.exitcode for p in processes] == [0, 0]
    assert store.count().people == 20
    assert all(
        store.photos.path(store.faces(p.person_id)[0].photo).exists() for p in store.list_people().people
    )
