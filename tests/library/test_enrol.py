"""From photographs to people: the choice of the face, refusals, duplicates, and folders of files.

Pictures are small PNG files; a reader in this file stands for the finding of faces: each pixel of the first
row is one face (blue: who, green: size in pixels, red: 1 when it misses a quality limit).
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from edged.clock import ManualClock, SystemClock
from edged.errors import EdgedError, Misconfigured, NotFound, TryAnotherShot
from edged.events import Measures
from edged.gallery.templates import Gallery
from edged.library.enrol import EnrolFace, Enroller, details_for
from edged.library.importer import FileName, import_folder, list_files, parse_file_name
from edged.library.people import PersonDetails
from edged.library.store import LibraryStore

MODEL = "face_embedding:000000000000"


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(128).astype(np.float32)
    return vector / np.linalg.norm(vector)


def photo(*faces: tuple[int, int, int], salt: int = 0) -> bytes:
    image = np.zeros((4, 8, 3), np.uint8)
    for column, face in enumerate(faces):
        image[0, column] = face
    image[3, 7] = salt
    return cv2.imencode(".png", image)[1].tobytes()


def read_faces(image: np.ndarray) -> Sequence[EnrolFace]:
    faces = []
    for who, size, refused in image[0].tolist():
        if size:
            aligned = np.full((112, 112, 3), who, np.uint8)
            codes = ("face_too_small",) if refused else ()
            measures = Measures(face_px=size, detection=0.9)
            faces.append(EnrolFace((0, 0, size, size), measures, aligned, codes, {"face_too_small": 100.0}))
    return faces


def embed(aligned: np.ndarray) -> np.ndarray:
    return unit(int(aligned[0, 0, 0]))


def person(person_id: str, *groups: str) -> PersonDetails:
    return PersonDetails(person_id=person_id, name=person_id, groups=groups)


@pytest.fixture
def store(tmp_path):
    store = LibraryStore.open(tmp_path / "data", ManualClock())
    yield store
    store.close()


@pytest.fixture
def enroller(store):
    return Enroller(store, Gallery(MODEL), read_faces, embed)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    return folder


def refused(enroller, content: bytes, **more) -> EdgedError:
    with pytest.raises(EdgedError) as caught:
        enroller.enrol(person("anna"), content, **more)
    assert enroller.store.find("anna") is None
    return caught.value


# -- one photograph


def test_a_good_photograph_enrols_the_person_on_it(enroller, store):
    result = enroller.enrol(person("anna"), photo((1, 150, 0)))
    assert (result.outcome, result.person_id, result.measures.face_px) == ("added", "anna", 150)
    assert store.get("anna").groups == ("default",)
    assert np.array_equal(store.load(MODEL).templates[0], unit(1))


def test_a_further_photograph_updates_the_person_and_leaves_the_groups(enroller, store):
    enroller.enrol(person("anna", "staff"), photo((1, 150, 0)))
    assert enroller.enrol(person("anna"), photo((1, 160, 0))).outcome == "updated"
    assert (store.get("anna").faces, store.get("anna").groups) == (2, ("staff",))


def test_the_same_photograph_again_changes_nothing(enroller, store):
    first = enroller.enrol(person("anna"), photo((1, 150, 0)))
    again = enroller.enrol(person("anna"), photo((1, 150, 0)))
    assert (again.outcome, again.face_id) == ("already_enrolled", first.face_id)


def test_a_photograph_without_a_face_is_refused(enroller):
    error = refused(enroller, photo(), file_name="wall.jpg")
    assert isinstance(error, TryAnotherShot)
    assert error.code == "no_face"
    assert "wall.jpg" in error.message


def test_two_faces_of_comparable_size_are_refused(enroller):
    error = refused(enroller, photo((1, 200, 0), (2, 100, 0)))
    assert error.code == "several_faces"
    assert "2 faces" in error.message


def test_smaller_faces_in_the_background_are_ignored_and_counted(enroller):
    result = enroller.enrol(person("anna"), photo((2, 99, 0), (1, 200, 0), (3, 40, 1)))
    assert result.ignored_faces == 2
    assert result.measures.face_px == 200


def test_a_face_that_misses_a_limit_is_refused_with_measure_and_limit(enroller):
    error = refused(enroller, photo((1, 60, 1)))
    assert error.code == "face_too_small"
    assert "60 px" in error.message
    assert "100 px" in error.message


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "picture_corrupt"), (b"GIF89a....", "picture_is_animation"), (b"text", None)]
)
def test_files_that_are_no_usable_pictures_are_refused(enroller, content, code):
    assert refused(enroller, content).code == (code or "picture_unsupported")


def test_a_face_enrolled_as_somebody_else_is_pointed_out(enroller):
    enroller.enrol(person("bert"), photo((1, 150, 0)))
    assert enroller.enrol(person("anna"), photo((1, 160, 0))).duplicate_of == "bert"


def test_a_face_enrolled_as_somebody_else_is_refused_when_asked(enroller):
    enroller.enrol(person("bert"), photo((1, 150, 0)))
    error = refused(enroller, photo((1, 160, 0)), on_duplicate="refuse")
    assert error.code == "duplicate_of_other_person"
    assert "bert" in error.message


def test_a_duplicate_enrolled_by_another_process_is_noticed(enroller, tmp_path):
    enroller.enrol(person("carl"), photo((3, 150, 0)))
    elsewhere = LibraryStore.open(tmp_path / "data", ManualClock())
    Enroller(elsewhere, Gallery(MODEL), read_faces, embed).enrol(person("bert"), photo((1, 150, 0)))
    elsewhere.close()
    assert enroller.enrol(person("anna"), photo((1, 160, 0))).duplicate_of == "bert"


# -- ids


def test_an_id_of_somebody_with_another_name_is_not_reused(enroller, store):
    enroller.enrol(details_for(store, "Anna Schmidt"), photo((1, 150, 0)))
    assert details_for(store, "Anna Schmidt").person_id == "Anna_Schmidt"
    with pytest.raises(Misconfigured) as caught:
        details_for(store, "Anna_Schmidt")
    assert caught.value.code == "person_id_taken"
    assert "--id" in caught.value.hint


def test_details_carry_validity(store):
    until = datetime(2027, 1, 1, tzinfo=UTC)
    assert details_for(store, "张伟", valid_until=until).valid_until == until


# -- file names


@pytest.mark.parametrize(
    ("stem", "user", "group"),
    [
        ("anna-staff", "anna", "staff"),
        ("anna", "anna", "default"),
        ("anna-staff-2", "anna", "staff"),
        ("anna-2", "anna", "2"),
        ("Anna Schmidt-night shift", "Anna Schmidt", "night shift"),
        ("张伟-员工", "张伟", "员工"),
    ],
)
def test_file_names_say_user_and_group(stem, user, group):
    assert parse_file_name(stem) == FileName(user, group)


@pytest.mark.parametrize(
    "stem", ["", "-", "anna-", "-staff", "a-b-c", "a-b-c-1", "a-b-1234", "a-b-1-2", "a--1"]
)
def test_other_file_names_are_refused(stem):
    with pytest.raises(Misconfigured) as caught:
        parse_file_name(stem)
    assert caught.value.code == "bad_name"


# -- folders


def outcomes(results) -> dict[str, str]:
    return {r.file: r.reason or r.outcome for r in results}


def test_every_file_of_a_folder_gets_a_result_and_bad_ones_stop_nothing(enroller, folder, store, tmp_path):
    (folder / "anna-staff.png").write_bytes(photo((1, 150, 0)))
    (folder / "anna-staff-2.PNG").write_bytes(photo((1, 160, 0)))
    (folder / "bert.jpeg").write_bytes(photo((2, 150, 0)))
    (folder / "carl-staff.jpg").write_bytes(b"\xff\xd8\xff cut off")
    (folder / "dora-staff.png").write_bytes(photo())
    (folder / "emil-staff-x.png").write_bytes(photo((5, 150, 0)))
    (folder / "me-staff.png").write_bytes(photo((6, 150, 0)))
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_bytes(photo((7, 150, 0)))
    (folder / "sub").mkdir()
    (folder / "sub" / "fred-staff.png").write_bytes(photo((8, 150, 0)))
    (tmp_path / "outside.png").write_bytes(photo((9, 150, 0)))
    (folder / "gina-staff.png").symlink_to(tmp_path / "outside.png")
    (folder / "hans-staff.png").symlink_to(folder / "missing.png")
    (folder / "ina-staff.png").symlink_to(folder / "bert.jpeg")
    os.mkfifo(folder / "pipe-staff.png")
    assert outcomes(import_folder(enroller, folder)) == {
        ".hidden.png": "unsupported_file",
        "anna-staff-2.PNG": "added",
        "anna-staff.png": "updated",
        "bert.jpeg": "added",
        "carl-staff.jpg": "picture_corrupt",
        "dora-staff.png": "no_face",
        "emil-staff-x.png": "bad_name",
        "gina-staff.png": "link_outside",
        "hans-staff.png": "picture_missing",
        "ina-staff.png": "added",
        "me-staff.png": "added",
        "notes.txt": "unsupported_file",
        "pipe-staff.png": "unsupported_file",
    }
    assert store.get("bert").groups == ("default",)
    assert store.get("anna").faces == 2


def test_a_second_run_skips_everything(enroller, folder):
    for who in range(1, 6):
        (folder / f"p{who}-staff.png").write_bytes(photo((who, 150, 0)))
    assert set(outcomes(import_folder(enroller, folder)).values()) == {"added"}
    assert set(outcomes(import_folder(enroller, folder)).values()) == {"already_enrolled"}


def test_an_interrupted_import_keeps_what_it_has_done(enroller, folder, store):
    for who in range(1, 6):
        (folder / f"p{who}-staff.png").write_bytes(photo((who, 150, 0)))
    running = import_folder(enroller, folder)
    next(running)
    next(running)
    running.close()
    assert store.count().people == 2
    assert (
        list(outcomes(import_folder(enroller, folder)).values()) == ["already_enrolled"] * 2 + ["added"] * 3
    )


def test_files_without_a_group_get_the_group_asked_for(enroller, folder, store):
    (folder / "anna.png").write_bytes(photo((1, 150, 0)))
    (folder / "bert-day.png").write_bytes(photo((2, 150, 0)))
    list(import_folder(enroller, folder, default_group="night"))
    assert store.get("anna").groups == ("night",)
    assert store.get("bert").groups == ("day",)


def test_duplicates_in_a_folder_are_named_or_refused(enroller, folder):
    (folder / "anna-staff.png").write_bytes(photo((1, 150, 0)))
    (folder / "bert-staff.png").write_bytes(photo((1, 160, 0)))
    results = list(import_folder(enroller, folder, on_duplicate="refuse"))
    assert outcomes(results) == {"anna-staff.png": "added", "bert-staff.png": "duplicate_of_other_person"}
    results = list(import_folder(enroller, folder, on_duplicate="warn"))
    assert (results[1].outcome, results[1].duplicate_of) == ("added", "anna")
    assert "anna" in results[1].message


def test_a_file_named_by_the_id_of_somebody_is_theirs_whatever_their_name(enroller, folder, store):
    enroller.enrol(PersonDetails(person_id="a17", name="Anna Schmidt"), photo((1, 150, 0)))
    (folder / "a17-staff.png").write_bytes(photo((1, 160, 0)))
    assert outcomes(import_folder(enroller, folder)) == {"a17-staff.png": "updated"}
    assert store.get("a17").name == "Anna Schmidt"


def test_people_and_groups_of_other_scripts_are_imported(enroller, folder, store):
    (folder / "张伟-员工.png").write_bytes(photo((1, 150, 0)))
    (result,) = import_folder(enroller, folder)
    kept = store.get(result.person_id)
    assert kept.name == "张伟"
    assert kept.groups[0].startswith("g_")


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(NotFound) as caught:
        list_files(tmp_path / "nowhere")
    assert caught.value.code == "folder_missing"


def _import_in_process(data_dir, folder) -> None:
    store = LibraryStore.open(data_dir, SystemClock())
    list(import_folder(Enroller(store, Gallery(MODEL), read_faces, embed), folder))


@pytest.mark.slow
def test_a_killed_import_leaves_a_whole_library_and_the_next_run_finishes_it(
    enroller, folder, store, tmp_path
):
    for who in range(60):
        (folder / f"p{who:03}-staff.png").write_bytes(photo((who, 150, 0)))
    process = multiprocessing.get_context("spawn").Process(
        target=_import_in_process, args=(tmp_path / "data", folder)
    )
    process.start()
    while store.count().faces < 5:
        assert process.is_alive()
    process.kill()
    process.join(30)
    assert store.count().faces == store.count().people
    again = LibraryStore.open(tmp_path / "data", SystemClock())  # settles what the kill left
    people = again.list_people(page_size=1000).people
    assert all(again.photos.path(again.faces(p.person_id)[0].photo).exists() for p in people)
    again.close()
    results = list(outcomes(import_folder(enroller, folder)).values())
    assert results.count("already_enrolled") == len(people)
    assert results.count("added") == 60 - len(people)
