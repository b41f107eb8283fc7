"""People, groups and consents through the functions of admin, without a network."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from edged.admin.actor import local_actor
from edged.admin.box import Box
from edged.admin.consents import list_consents, record_consent
from edged.admin.groups import join_groups, list_groups
from edged.admin.people import change_person, export_people, list_people, remove_person, show_person
from edged.clock import ManualClock
from edged.config import Config
from edged.errors import Misconfigured, NotFound
from edged.events import Measures
from edged.library.people import NewFace, PersonDetails
from edged.library.store import LibraryStore

END = datetime(2030, 1, 1, tzinfo=UTC)
ACTOR = local_actor()


@pytest.fixture
def box(tmp_path):
    """A box that knows Anna of the staff, valid until 2030."""
    box = Box(ManualClock(), Config, tmp_path)
    anna = PersonDetails(person_id="anna", name="Anna", groups=("staff",), valid_until=END, note="desk 4")
    store = LibraryStore.open(tmp_path, box.clock)
    template = np.eye(1, 128, dtype=np.float32)[0]
    measures = Measures(face_px=150, detection=0.9)
    store.enrol(anna, NewFace(b"a photograph", ".jpg", template, "model:1", measures))
    store.close()
    return box


def test_what_a_change_does_not_name_stays(box):
    changed = change_person(ACTOR, box, "anna", name="Anna Schmidt", active=False)
    assert (changed.name, changed.active) == ("Anna Schmidt", False)
    assert (changed.groups, changed.valid_until, changed.note) == (("staff",), END, "desk 4")


def test_none_takes_a_limit_away_and_groups_replace_all_others(box):
    changed = change_person(ACTOR, box, "anna", valid_until=None, groups=["guests"], note="")
    assert (changed.valid_until, changed.groups, changed.note) == (None, ("guests",), "")


def test_a_change_that_cannot_be_stored_changes_nothing(box):
    with pytest.raises(Misconfigured):
        change_person(ACTOR, box, "anna", valid_from=END)
    assert show_person(ACTOR, box, "anna").person.valid_from is None


def test_joining_groups_keeps_those_there_are(box):
    assert join_groups(ACTOR, box, "anna", ["night"]) is True
    assert join_groups(ACTOR, box, "anna", ["night"]) is False
    assert [(group.group_id, group.people) for group in list_groups(ACTOR, box)] == [
        ("night", 1),
        ("staff", 1),
    ]


def test_a_consent_names_the_person_who_records_it(box):
    with pytest.raises(Misconfigured, match="Nobody is named"):
        record_consent(ACTOR, box, "anna", "cloud", given=True, recorded_by="")
    record_consent(ACTOR, box, "anna", "cloud", given=True, recorded_by="Office")
    record_consent(ACTOR, box, "anna", "cloud", given=False, recorded_by="Anna")
    assert [entry.given for entry in list_consents(ACTOR, box, "anna")] == [True, False]


def test_an_export_holds_everybody_with_their_consents(box):
    record_consent(ACTOR, box, "anna", "cloud", given=True, recorded_by="Office")
    (file,) = export_people(ACTOR, box)
    ((face, photo),) = file.faces
    assert (file.person.person_id, len(file.consents), face.person_id) == ("anna", 1, "anna")
    assert photo.read_bytes() == b"a photograph"


def test_a_person_who_was_never_sent_is_queued_for_nothing(box):
    assert remove_person(ACTOR, box, "anna").queued_cloud_id is None
    assert list_people(ACTOR, box).total == 0


@pytest.mark.parametrize("call", [show_person, remove_person, list_consents, change_person])
def test_somebody_unknown_is_not_found(box, call):
    with pytest.raises(NotFound) as missing:
        call(ACTOR, box, "nobody")
    assert missing.value.code == "person_unknown"
