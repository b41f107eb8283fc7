"""The library of one application: the rules of the faceset calls, search, and what a restart keeps."""

import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edged.clock import ManualClock
from edged.server.face_libraries import GENERAL, SCENE, FaceLibrary
from edged.server.face_tokens import LIFE_S, FaceTokens, SeenFace
from edged.server.replies import ApiError
from edged.server.storage import FaceStorage

MODEL = "face_embedding:test"


def template(number):
    vector = np.random.default_rng(number).normal(size=128).astype(np.float32)
    return vector / np.linalg.norm(vector)


def face(number):
    return SeenFace(f"{number:032x}", {}, measures=None, template=template(number))


def open_library(folder, **options):
    storage = FaceStorage.open(folder / "a.db", MODEL, ManualClock())
    return FaceLibrary(storage, **options)


@pytest.fixture
def library(tmp_path):
    opened = open_library(tmp_path)
    yield opened
    opened.close()


def add(library, group, user, number, **options):
    library.add_face(group, user, face(number), **({"user_info": None, "scene": GENERAL} | options))


def code(call, *arguments, **options):
    with pytest.raises(ApiError) as caught:
        call(*arguments, **options)
    return caught.value.code


def users(library, number, groups, top=50, least=0.0, **options):
    return [one.user_id for one in library.search(template(number), groups, top, least, **options)]


def test_a_registered_face_is_found_at_once_with_what_is_stored_of_its_user(library):
    add(library, "g", "ann", 1, user_info="Ann")
    add(library, "g", "ben", 2)
    best = library.search(template(1), ["g"], 1, 80.0)
    assert [(one.group_id, one.user_id, one.user_info, one.score) for one in best] == [
        ("g", "ann", "Ann", 100.0)
    ]


def test_a_user_with_several_faces_is_found_once_by_the_best(library):
    for number in range(5):
        add(library, "g", "ann", number)
    add(library, "g", "ben", 9)
    assert users(library, 3, ["g"]) == ["ann", "ben"]


def test_somebody_in_two_groups_is_found_in_each_and_only_in_those_asked(library):
    add(library, "g", "ann", 1)
    library.add_group("h", GENERAL)
    library.copy_user("ann", "g", "h")
    found = library.search(template(1), ["h", "g"], 10, 80.0)
    assert sorted(one.group_id for one in found) == ["g", "h"]
    assert [one.group_id for one in library.search(template(1), ["h"], 10, 80.0)] == ["h"]


def test_scores_below_the_threshold_are_left_out(library):
    add(library, "g", "ann", 1)
    (score,) = (one.score for one in library.search(template(2), ["g"], 1, 0.0))
    assert users(library, 2, ["g"], least=score) == ["ann"]
    assert users(library, 2, ["g"], least=score + 0.01) == []


def test_one_user_can_be_compared_alone(library):
    add(library, "g", "ann", 1)
    add(library, "g", "ben", 2)
    assert [one.user_id for one in library.compare(template(1), ["g"], "ben", 5, 0.0, GENERAL)] == ["ben"]
    assert library.compare(template(1), ["g"], "ben", 5, 80.0, GENERAL) == []
    assert library.compare(template(1), ["g"], "nobody", 5, 0.0, GENERAL) == []


def test_an_unknown_group_is_told_also_beside_known_ones(library):
    library.add_group("g", GENERAL)
    assert code(library.search, template(1), ["g", "x"], 1, 0.0) == 223100
    assert users(library, 1, ["g"]) == []


def test_twenty_faces_fit_and_one_more_does_not(library):
    for number in range(20):
        add(library, "g", "ann", number)
    assert code(add, library, "g", "ann", 20) == 222210
    assert code(add, library, "g", "ann", 0) == 223105  # the picture is known: that is said first
    add(library, "g", "ben", 20)


def test_a_picture_is_in_a_group_once_whoever_it_is_of(library):
    add(library, "g", "ann", 1)
    assert code(add, library, "g", "ann", 1) == 223105
    assert code(add, library, "g", "ben", 1) == 223105
    assert code(add, library, "g", "ben", 1, replace=True) == 223105
    assert library.user_ids("g", 0, 10) == ["ann"]
    add(library, "h", "ann", 1)


def test_replacing_keeps_only_the_new_face_even_when_it_is_an_old_one(library):
    for number in (1, 2, 3):
        add(library, "g", "ann", number, user_info="Ann")
    add(library, "g", "ann", 2, replace=True)
    assert list(library.faces_of("g", "ann")) == [face(2).token]
    assert library.user("g", "ann") == {"g": "Ann"}
    assert library.search(template(1), ["g"], 1, 80.0) == []


def test_updating_needs_group_and_user(library):
    assert code(add, library, "g", "ann", 1, must_exist=True) == 223100
    library.add_group("g", GENERAL)
    assert code(add, library, "g", "ann", 1, must_exist=True) == 223103
    assert library.user_ids("g", 0, 10) == []


def test_the_last_face_takes_its_user_along(library):
    add(library, "g", "ann", 1)
    add(library, "g", "ann", 2)
    library.delete_face("g", "ann", face(1).token)
    assert users(library, 2, ["g"], least=80.0) == ["ann"]
    assert code(library.delete_face, "g", "ann", face(1).token) == 223106
    library.delete_face("g", "ann", face(2).token)
    assert code(library.user, "g", "ann") == 223103
    assert library.faces == 0


def test_a_deleted_user_is_found_no_more(library):
    add(library, "g", "ann", 1)
    add(library, "h", "ann", 2)
    add(library, "h", "ben", 3)
    library.delete_user("@ALL", "ann")
    assert users(library, 1, ["g", "h"]) == ["ben"]
    assert code(library.delete_user, "@ALL", "ann") == 223103
    assert code(library.delete_user, "x", "ann") == 223100


def test_a_deleted_group_can_be_made_again_and_is_empty(library):
    add(library, "g", "ann", 1)
    library.delete_group("g")
    assert code(library.search, template(1), ["g"], 1, 0.0) == 223100
    library.add_group("g", SCENE)
    assert users(library, 1, ["g"], scene=SCENE) == []


def test_a_copy_that_cannot_be_made_leaves_nothing_behind(library):
    add(library, "g", "ann", 1)
    add(library, "g", "ann", 2)
    add(library, "h", "ben", 2)
    assert code(library.copy_user, "ann", "g", "h") == 223105
    assert library.user_ids("h", 0, 10) == ["ben"]
    assert users(library, 1, ["h"]) == ["ben"]


def test_scenes_are_kept_apart_unless_that_is_switched_off(library, tmp_path):
    add(library, "s", "ann", 1, scene=SCENE)
    assert code(add, library, "s", "ben", 2) == 223202
    assert code(library.search, template(1), ["s"], 1, 0.0) == 223202
    library.close()
    loose = open_library(tmp_path, check_scene=False)
    assert users(loose, 1, ["s"]) == ["ann"]
    loose.close()


def test_a_full_group_takes_nobody_else(tmp_path):
    library = open_library(tmp_path, capacity=2)
    add(library, "g", "ann", 1)
    add(library, "g", "ben", 2)
    assert code(add, library, "g", "eve", 3) == 222300
    assert library.user_ids("g", 0, 10) == ["ann", "ben"]
    library.close()


def test_faces_of_another_model_are_kept_and_not_searched(library, tmp_path):
    add(library, "g", "ann", 1)
    library.close()
    other = FaceLibrary(FaceStorage.open(tmp_path / "a.db", "face_embedding:newer", ManualClock()))
    assert (other.faces, other.storage.faces_of_other_models()) == (0, 1)
    assert other.face(face(1).token) is None
    other.close()


def test_pages_hold_every_id_once(library):
    names = [f"u{number:03}" for number in range(25)]
    for number, name in enumerate(names):
        add(library, "g", name, number)
    pages = [library.user_ids("g", start, 10) for start in (0, 10, 20, 30)]
    assert [one for page in pages for one in page] == names
    assert pages[-1] == []


def test_use_is_counted_by_day_and_never_goes_back(library):
    library.storage.note_use("search", "2026-01-01", 5)
    library.storage.note_use("search", "2026-01-01", 4)  # two workers finished in the other order
    assert library.storage.used("2026-01-01") == {"search": 5}
    library.storage.note_use("search", "2026-01-02", 1)
    assert library.storage.used("2026-01-02") == {"search": 1}
    assert library.storage.used("2026-01-01") == {}


def test_erased_templates_do_not_stay_in_the_file(tmp_path):
    library = open_library(tmp_path)
    add(library, "g", "ann", 1, user_info="a very secret remark")
    library.delete_user("g", "ann")
    library.close()
    content = (tmp_path / "a.db").read_bytes()
    assert template(1).tobytes()[:64] not in content
    assert b"a very secret remark" not in content


def test_a_seen_face_is_known_for_an_hour_and_what_was_learnt_of_it_adds_up():
    clock = ManualClock()
    seen = FaceTokens(clock)
    seen.remember(SeenFace("t", {}, measures=None, template=template(1)))
    clock.advance(LIFE_S)
    seen.remember(SeenFace("t", {}, measures=None, template=None, liveness=0.5))
    clock.advance(LIFE_S)
    assert seen.get("t").liveness == 0.5
    assert (seen.get("t").template == template(1)).all()
    clock.advance(1)
    assert seen.get("t") is None


def test_no_more_faces_are_remembered_than_there_is_room_for():
    seen = FaceTokens(ManualClock(), capacity=3)
    for number in range(10):
        seen.remember(face(number))
    assert len(seen) == 3
    assert seen.get(face(9).token) is not None
    assert seen.get(face(0).token) is None


GROUPS, USERS, NUMBERS = st.sampled_from("gh"), st.sampled_from(["ann", "ben"]), st.integers(0, 5)


class AnyHistory(RuleBasedStateMachine):
    """Whatever is done, what is searched equals what is stored, also after a restart."""

    @initialize()
    def start(self):
        self.place = tempfile.TemporaryDirectory()
        self.folder = Path(self.place.name)
        self.library = open_library(self.folder)

    @rule(group=GROUPS, user=USERS, number=NUMBERS, replace=st.booleans())
    def add(self, group, user, number, replace):
        self.do(lambda: add(self.library, group, user, number, replace=replace))

    @rule(group=GROUPS, user=USERS, number=NUMBERS)
    def delete_face(self, group, user, number):
        self.do(lambda: self.library.delete_face(group, user, face(number).token))

    @rule(group=st.sampled_from(["g", "h", "@ALL"]), user=USERS)
    def delete_user(self, group, user):
        self.do(lambda: self.library.delete_user(group, user))

    @rule(source=GROUPS, into=GROUPS, user=USERS)
    def copy(self, source, into, user):
        self.do(lambda: self.library.copy_user(user, source, into))

    @rule(group=GROUPS)
    def delete_group(self, group):
        self.do(lambda: self.library.delete_group(group))

    @rule()
    def restart(self):
        before = self.found()
        self.library.close()
        self.library = open_library(self.folder)
        assert self.found() == before

    def do(self, change):
        with suppress(ApiError):  # a refusal changes nothing either: the invariant looks
            change()

    def found(self):
        groups = self.library.group_ids(0, 10)
        return [self.library.search(template(number), groups, 50, 0.0) for number in range(6)]

    @invariant()
    def searched_is_stored(self):
        if not hasattr(self, "library"):
            return
        for group in self.library.group_ids(0, 10):
            for user in self.library.user_ids(group, 0, 10):
                for token in self.library.faces_of(group, user):
                    number = int(token, 16)
                    best = self.library.search(template(number), [group], 1, 99.0)
                    assert [one.user_id for one in best] == [user]
        stored = sum(
            len(self.library.faces_of(group, user))
            for group in self.library.group_ids(0, 10)
            for user in self.library.user_ids(group, 0, 10)
        )
        assert self.library.faces == stored

    def teardown(self):
        if hasattr(self, "library"):
            self.library.close()
            self.place.cleanup()


AnyHistory.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestAnyHistory = AnyHistory.TestCase
