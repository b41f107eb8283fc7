"""The ledger of consents, the ids people have in the cloud, and who is queued for it."""

from __future__ import annotations

import re
import sqlite3
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.database.migrate import migrations
from edged.errors import Misconfigured, NotFound
from edged.events import Measures
from edged.library.cloud_ledger import cloud_id_candidates
from edged.library.people import RESERVED_IDS, NewFace, PersonDetails
from edged.library.store import LibraryStore

TEMPLATE = np.eye(1, 128, dtype=np.float32)[0]


def person(person_id: str, *groups: str, **more) -> PersonDetails:
    return PersonDetails(person_id=person_id, name=person_id, groups=groups, **more)


def face(content: bytes = b"photo") -> NewFace:
    return NewFace(content, ".jpg", TEMPLATE, "model", Measures(face_px=120, detection=0.9))


def agree(store: LibraryStore, person_id: str, given: bool = True) -> None:
    store.record_consent(person_id, "cloud", given=given, recorded_by="Office")


def queued(tmp_path) -> list[str]:
    with sqlite3.connect(tmp_path / "library.db") as database:
        return [row[0] for row in database.execute("SELECT cloud_id FROM cloud_queue ORDER BY cloud_id")]


def pretend_in_cloud(tmp_path, cloud_id: str) -> None:
    with sqlite3.connect(tmp_path / "library.db") as database:
        database.execute("INSERT INTO cloud_users VALUES (?, 'default', '2026-01-01')", [cloud_id])


# -- the ledger


def test_without_an_entry_there_is_no_consent(store):
    store.enrol(person("anna"), face())
    assert not store.has_cloud_consent("anna")
    assert not store.has_cloud_consent("nobody")


def test_the_newest_entry_counts_and_all_are_kept(store, clock):
    store.enrol(person("anna"), face())
    agree(store, "anna")
    clock.step_wall(-3600)  # the order of recording counts, whatever the clock says
    store.record_consent("anna", "cloud", given=False, recorded_by="Anna", note="by letter")
    assert not store.has_cloud_consent("anna")
    assert [(c.given, c.recorded_by, c.note) for c in store.consents("anna")] == [
        (True, "Office", ""),
        (False, "Anna", "by letter"),
    ]


def test_consent_to_another_purpose_is_no_consent_to_the_cloud(store):
    store.enrol(person("anna"), face())
    store.record_consent("anna", "attendance", given=True, recorded_by="Office")
    assert not store.has_cloud_consent("anna")


@pytest.mark.parametrize("statement", ["UPDATE consents SET given = 1", "DELETE FROM consents"])
def test_the_ledger_cannot_be_rewritten(store, tmp_path, statement):
    store.enrol(person("anna"), face())
    agree(store, "anna", given=False)
    with (
        sqlite3.connect(tmp_path / "library.db") as database,
        pytest.raises(sqlite3.IntegrityError, match="only added to"),
    ):
        database.execute(statement)


def test_the_ledger_goes_with_the_person(store):
    store.enrol(person("anna"), face())
    agree(store, "anna")
    store.remove_person("anna")
    store.enrol(person("anna"), face())
    assert store.consents("anna") == ()


@pytest.mark.parametrize(
    ("purpose", "by", "note", "code"),
    [
        ("The Cloud", "x", "", "bad_purpose"),
        ("cloud", " ", "", "bad_name"),
        ("cloud", "x", "n" * 513, "bad_note"),
    ],
)
def test_a_consent_that_cannot_be_kept_is_refused(store, purpose, by, note, code):
    store.enrol(person("anna"), face())
    with pytest.raises(Misconfigured) as refused:
        store.record_consent("anna", purpose, given=True, recorded_by=by, note=note)
    assert refused.value.code == code


def test_nobody_consents_for_somebody_unknown(store):
    with pytest.raises(NotFound):
        agree(store, "nobody")


# -- ids


def test_a_fit_id_is_the_same_in_the_cloud(store):
    store.enrol(person("Anna_Schmidt"), face())
    assert store.cloud_id_of("Anna_Schmidt") == "Anna_Schmidt"
    assert store.person_of_cloud_id("Anna_Schmidt") == "Anna_Schmidt"
    assert store.cloud_id_of("nobody") is None
    assert store.person_of_cloud_id("nobody") is None


def test_an_id_the_cloud_refuses_gets_another_that_leads_back(store):
    for person_id in ("A-1042", "A_1042", "x" * 48, "x" * 47):
        store.enrol(person(person_id), face())
    ids = [store.cloud_id_of(person_id) for person_id in ("A-1042", "A_1042", "x" * 48, "x" * 47)]
    assert len(set(ids)) == 4
    assert [store.person_of_cloud_id(i) for i in ids] == ["A-1042", "A_1042", "x" * 48, "x" * 47]
    assert ids[0] == "A_1042_" + ids[0][-8:]


def test_ids_that_differ_only_in_case_are_kept_apart_for_the_cloud(store):
    store.enrol(person("anna"), face())
    store.enrol(person("Anna"), face())
    assert store.cloud_id_of("anna") == "anna"
    assert store.cloud_id_of("Anna").lower() != "anna"


def test_a_taken_id_is_passed_over(store):
    first, second, *_ = cloud_id_candidates("A-1042")
    store.enrol(person(first), face())
    store.enrol(person("A-1042"), face())
    assert store.cloud_id_of("A-1042") == second


@given(st.from_regex(r"[A-Za-z0-9_-]{1,48}", fullmatch=True))
def test_every_person_id_has_ids_the_cloud_accepts(person_id):
    candidates = list(cloud_id_candidates(person_id))
    assert candidates
    for cloud_id in candidates:
        assert re.fullmatch(r"[A-Za-z0-9_]{1,32}", cloud_id)
        assert cloud_id.lower() not in RESERVED_IDS


def test_an_id_is_kept_when_everything_else_changes(store):
    store.enrol(person("A-1042"), face())
    before = store.cloud_id_of("A-1042")
    store.update_person(PersonDetails(person_id="A-1042", name="Another Name", groups=("night",)))
    assert store.cloud_id_of("A-1042") == before


# -- the queue


def test_without_consent_no_change_is_queued(store, tmp_path):
    store.enrol(person("anna", "staff"), face())
    store.update_person(person("anna", active=False))
    store.remove_face(store.faces("anna")[0].face_id)
    store.remove_person("anna")
    assert queued(tmp_path) == []
    assert store.cloud_id_of("anna") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda store: store.enrol(person("anna"), face(b"another")),
        lambda store: store.remove_face(store.faces("anna")[0].face_id),
        lambda store: store.add_to_groups("anna", ["night"]),
        lambda store: store.update_person(person("anna", active=False)),
        lambda store: agree(store, "anna", given=False),
        lambda store: store.remove_person("anna"),
    ],
    ids=["face added", "face removed", "group", "switched off", "withdrawn", "erased"],
)
def test_every_change_of_somebody_in_the_cloud_is_queued(store, tmp_path, change):
    store.enrol(person("anna", "staff"), face())
    agree(store, "anna")
    pretend_in_cloud(tmp_path, "anna")
    with sqlite3.connect(tmp_path / "library.db") as database:
        database.execute("DELETE FROM cloud_queue")
    change(store)
    assert queued(tmp_path) == ["anna"]


def test_many_changes_of_one_person_are_one_entry(store, tmp_path):
    store.enrol(person("anna"), face())
    agree(store, "anna")
    store.enrol(person("anna"), face(b"another"))
    store.add_to_groups("anna", ["night"])
    assert queued(tmp_path) == ["anna"]


def test_consent_withdrawn_before_anything_was_sent_leaves_nothing_to_do(store, tmp_path):
    store.enrol(person("anna"), face())
    agree(store, "anna")
    agree(store, "anna", given=False)
    assert queued(tmp_path) == []


def test_of_an_erased_person_only_ids_stay_until_the_cloud_has_erased_them(store, tmp_path):
    store.enrol(PersonDetails(person_id="A-1042", name="Anna Geheim"), face(b"her picture"))
    agree(store, "A-1042")
    cloud_id = store.cloud_id_of("A-1042")
    pretend_in_cloud(tmp_path, cloud_id)
    store.remove_person("A-1042")
    assert store.person_of_cloud_id(cloud_id) == "A-1042"
    assert store.find("A-1042") is None
    assert queued(tmp_path) == [cloud_id]
    store.close()
    assert b"Geheim" not in (tmp_path / "library.db").read_bytes()
    assert b"Office" not in (tmp_path / "library.db").read_bytes()


def test_somebody_added_again_keeps_their_id_and_the_pending_deletion(store, tmp_path):
    store.enrol(person("anna"), face())
    agree(store, "anna")
    pretend_in_cloud(tmp_path, "anna")
    store.remove_person("anna")
    store.enrol(person("anna"), face())
    assert queued(tmp_path) == ["anna"]
    assert not store.has_cloud_consent("anna")


# -- older libraries


def old_library(tmp_path) -> None:
    """A library as the first release made it."""
    (number, script), *_ = migrations("edged.library")
    assert number == 1
    with sqlite3.connect(tmp_path / "library.db") as database:
        database.executescript(script)
        database.execute("PRAGMA user_version = 1")
        for person_id in ("anna", "A-1042"):
            database.execute(
                "INSERT INTO people VALUES (?, ?, ?, NULL, NULL, 1, '', '2026-01-01', '2026-01-01')",
                [person_id, person_id, person_id],
            )


def test_a_library_of_the_first_release_is_brought_up_to_date(tmp_path, clock):
    old_library(tmp_path)
    store = LibraryStore.open(tmp_path, clock)
    assert [p.person_id for p in store.list_people().people] == ["A-1042", "anna"]
    assert store.cloud_id_of("anna") == "anna"
    assert store.person_of_cloud_id(store.cloud_id_of("A-1042")) == "A-1042"
    assert not store.has_cloud_consent("anna")  # nobody was asked yet
    store.close()


def test_the_scripts_are_part_of_the_package():
    assert resources.files("edged.library").joinpath("migrations/0002_cloud.sql").is_file()
