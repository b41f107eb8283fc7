"""People of the library in the face cloud, over real sockets: consent, faces, groups, erasure, upkeep."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from cloud_box import Box, face_token
from cloud_library import ADD, SCENE_ADD, SCENE_UPDATE, TOKEN, UPDATE, CloudLibrary

from edged.bus import EventBus
from edged.events import LibraryChanged


@pytest.fixture
def cloud():
    cloud = CloudLibrary()
    cloud.start()
    yield cloud
    cloud.stop()


@pytest.fixture
def make_box(tmp_path, cloud, monkeypatch):
    monkeypatch.setenv("EDGED_CLOUD_TOKEN", TOKEN)
    boxes = []

    def make(**config) -> Box:
        boxes.append(Box(tmp_path / f"box{len(boxes)}", cloud, **config))
        return boxes[-1]

    yield make
    for box in boxes:
        box.close()


@pytest.fixture
def box(make_box):
    return make_box()


# -- consent


def test_without_consent_nothing_of_a_person_leaves_the_box(box, cloud):
    box.enrol("anna", 1, consent=False)
    box.settle()
    assert cloud.calls == []


def test_with_consent_the_person_is_enrolled_under_their_id_and_not_their_name(box, cloud):
    box.enrol("A-1042", 1)
    box.settle()
    cloud_id = box.store.cloud_id_of("A-1042")
    assert cloud.faces("default", cloud_id) == [face_token(1)]
    assert cloud.infos == {cloud_id: "A-1042"}
    assert not any("Name of" in str(body) for _, body in cloud.calls)
    assert box.queued() == []


def test_pictures_are_checked_by_the_cloud_as_configured(make_box, cloud):
    box = make_box(quality_control="LOW", liveness_control="HIGH")
    box.enrol("anna", 1)
    box.settle()
    [body] = [body for path, body in cloud.calls if path == ADD]
    assert (body["quality_control"], body["liveness_control"]) == ("LOW", "HIGH")


def test_withdrawn_consent_has_everything_in_the_cloud_deleted(box, cloud):
    box.enrol("anna", 1, 2)
    box.settle()
    box.consent("anna", False)
    box.settle()
    assert cloud.users == {}
    assert box.queued() == []
    assert box.sync.queue.status().people == 0


def test_consent_withdrawn_between_queueing_and_sending_stops_it(box, cloud):
    box.enrol("anna", 1)
    assert box.queued() == ["anna"]
    box.consent("anna", False)
    box.settle()
    assert cloud.calls == []


def test_consent_withdrawn_while_the_work_is_being_prepared_stops_it(box, cloud):
    """The look at what is wanted was before the withdrawal, the sending would be after it."""
    box.enrol("anna", 1)

    def withdraw(path, body):
        if path == "v3/faceset/face/getlist":
            box.consent("anna", False)
            cloud.before = lambda path, body: None

    cloud.before = withdraw
    box.settle()
    assert cloud.enrolments() == []
    box.settle()
    assert cloud.users == {}
    assert box.queued() == []


def test_consent_withdrawn_between_two_pictures_stops_the_second(box, cloud):
    box.enrol("anna", 1, 2)

    def withdraw(path, body):
        if path == ADD:
            cloud.after = lambda path, body: None
            box.consent("anna", False)

    cloud.after = withdraw
    box.settle()
    assert cloud.enrolments() == [ADD]
    box.settle()
    box.settle()
    assert cloud.users == {}
    assert box.queued() == []


def test_consent_withdrawn_while_the_cloud_cannot_be_reached_counts_when_it_can(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    cloud.stop()
    box.consent("anna", False)
    box.clock.advance(10)
    assert box.sync.run_once().trouble is not None
    assert box.queued() == ["anna"]
    cloud.start()
    box.clock.advance(600)
    box.settle()
    assert cloud.users == {}
    assert box.queued() == []


def test_consent_given_again_brings_the_person_back(box, cloud):
    box.enrol("anna", 1)
    for given in (False, True):
        box.settle()
        box.consent("anna", given)
    box.settle()
    assert cloud.faces("default", "anna") == [face_token(1)]


# -- faces


def test_a_further_photograph_is_added_with_one_paid_call(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    cloud.calls.clear()
    box.enrol("anna", 2)
    box.settle()
    assert cloud.enrolments() == [ADD]
    assert cloud.faces("default", "anna") == [face_token(1), face_token(2)]


def test_a_removed_photograph_is_removed_without_a_paid_call(box, cloud):
    box.enrol("anna", 1, 2)
    box.settle()
    cloud.calls.clear()
    box.store.remove_face(box.store.faces("anna")[0].face_id)
    box.settle()
    assert cloud.enrolments() == []
    assert cloud.faces("default", "anna") == [face_token(2)]


def test_a_replaced_photograph_renews_the_set(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    box.enrol("anna", 2)
    box.store.remove_face(box.store.faces("anna")[0].face_id)
    box.settle()
    assert cloud.faces("default", "anna") == [face_token(2)]
    assert cloud.enrolments() == [ADD, UPDATE]


def test_without_a_photograph_nobody_is_in_the_cloud(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    box.store.remove_face(box.store.faces("anna")[0].face_id)
    box.settle()
    assert cloud.users == {}


def test_twenty_faces_are_kept_and_not_more(box, cloud):
    box.enrol("anna", *range(20))
    box.settle()
    assert len(cloud.faces("default", "anna")) == 20
    box.store.remove_face(box.store.faces("anna")[0].face_id)
    box.enrol("anna", 99)
    box.settle()
    assert set(cloud.faces("default", "anna")) == {face_token(seed) for seed in (*range(1, 20), 99)}


def test_an_unusable_photograph_is_reported_and_does_not_keep_the_others_back(box, cloud):
    cloud.unusable = {face_token(1)}
    box.enrol("anna", 1, 2)
    box.settle()
    assert cloud.faces("default", "anna") == [face_token(2)]
    [entry] = box.sync.queue.entries()
    assert entry.set_aside
    assert entry.error_code == "cloud_222202"


def test_when_no_photograph_can_be_used_the_old_faces_go_all_the_same(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    cloud.unusable = {face_token(2)}
    box.enrol("anna", 2)
    box.store.remove_face(box.store.faces("anna")[0].face_id)
    box.settle()
    assert cloud.users == {}


def test_the_same_photograph_of_two_people_is_set_aside_and_blocks_nobody(box, cloud):
    box.enrol("anna", 1)
    box.enrol("berta", 1)
    box.enrol("clara", 2)
    box.settle()
    [entry] = box.sync.queue.entries()
    assert entry.error_code == "cloud_face_exists"
    assert {user for _, user in cloud.users} >= {"clara"}


def test_a_photograph_leaves_the_box_without_what_the_camera_wrote_into_it(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    [picture] = cloud.users["default", "anna"].values()
    assert picture.startswith(b"\xff\xd8")
    assert b"Exif" not in picture


# -- groups


def test_a_person_is_in_the_configured_groups_they_are_in_here_else_in_the_first(make_box, cloud):
    box = make_box(groups=["visitors", "staff", "night"])
    box.enrol("anna", 1, groups=("staff", "night", "private"))
    box.enrol("bert", 2, groups=("private",))
    box.settle()
    assert set(cloud.users) == {("staff", "anna"), ("night", "anna"), ("visitors", "bert")}
    box.change("anna", groups=("night",))
    box.settle()
    assert set(cloud.users) == {("night", "anna"), ("visitors", "bert")}


def test_general_groups_are_made_and_filled_by_the_general_calls(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    assert cloud.groups == {"default": "general"}


def test_scene_groups_are_made_and_filled_by_the_scene_calls(make_box, cloud):
    box = make_box(call="capture_search")
    box.enrol("anna", 1)
    box.settle()
    box.enrol("anna", 2)
    box.store.remove_face(box.store.faces("anna")[0].face_id)
    box.settle()
    assert cloud.groups == {"default": "scene"}
    assert cloud.enrolments() == [SCENE_ADD, SCENE_UPDATE]


def test_a_group_is_never_used_as_the_other_kind(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    other = Box(box.data_dir, cloud, box.clock, call="capture_search")
    other.enrol("bert", 2)
    cloud.calls.clear()
    box.clock.advance(10)
    trouble = other.sync.run_once().trouble
    other.close()
    assert trouble.code == "cloud_group_kind"
    assert "general" in trouble.message
    assert cloud.enrolments() == []


def test_a_deleted_group_may_be_made_anew_as_the_other_kind(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    cloud.groups.clear()
    cloud.users.clear()
    other = Box(box.data_dir, cloud, box.clock, call="capture_search")
    other.settle()
    other.close()
    assert cloud.groups == {"default": "scene"}
    assert cloud.faces("default", "anna") == [face_token(1)]


def test_a_group_somebody_deleted_in_the_cloud_is_made_again(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    cloud.groups.clear()
    cloud.users.clear()
    box.enrol("anna", 2)
    box.settle()  # finds that the group is gone
    box.settle()
    assert set(cloud.faces("default", "anna")) == {face_token(1), face_token(2)}


def test_a_group_that_exists_already_is_used(box, cloud):
    cloud.groups["default"] = "general"
    box.enrol("anna", 1)
    box.settle()
    assert cloud.faces("default", "anna") == [face_token(1)]


def test_other_groups_in_the_configuration_move_everybody(make_box, box, cloud):
    box.enrol("anna", 1)
    box.settle()
    other = Box(box.data_dir, cloud, box.clock, groups=["staff"])
    other.settle()
    other.close()
    assert set(cloud.users) == {("staff", "anna")}


def test_with_recognition_on_the_box_alone_nobody_stays_in_the_cloud(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    box.clock.advance(10)
    assert box.make_sync(enabled=False).run_once().done == 1
    assert cloud.users == {}


# -- switched off, validity, erasure


def test_somebody_switched_off_leaves_the_cloud_and_comes_back(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    box.change("anna", active=False)
    box.settle()
    assert cloud.users == {}
    box.change("anna", active=True)
    box.settle()
    assert cloud.faces("default", "anna") == [face_token(1)]


def test_somebody_whose_validity_ends_leaves_the_cloud_by_themselves(box, cloud):
    box.enrol("anna", 1)
    box.change("anna", valid_until=box.clock.now() + timedelta(days=1))
    box.settle()
    assert cloud.faces("default", "anna")
    box.clock.advance(86_400)
    box.settle()
    assert cloud.users == {}
    calls = len(cloud.calls)
    box.settle()
    assert len(cloud.calls) == calls  # once is enough


def test_an_erased_person_is_erased_in_the_cloud_and_the_cloud_confirms(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    box.store.remove_person("anna")
    assert box.store.person_of_cloud_id("anna") == "anna"
    assert box.sync.queue.status().erasures == 1
    box.settle()
    assert cloud.users == {}
    assert cloud.paths()[-2:] == ["v3/faceset/user/delete", "v3/faceset/user/get"]
    assert box.store.person_of_cloud_id("anna") is None
    assert box.sync.queue.status().erasures == 0


def test_after_the_confirmation_nothing_of_an_erased_person_is_left_in_the_file(box, cloud):
    cloud.unusable = {face_token(2)}
    box.enrol("Erased_Person", 1, 2)
    box.settle()
    assert "Erased_Person" in box.sync.queue.status().last_error or box.queued()
    box.store.remove_person("Erased_Person")
    box.settle()
    box.close()
    assert b"Erased_Person" not in (box.data_dir / "library.db").read_bytes()


def test_an_erasure_is_confirmed_only_when_the_cloud_shows_nobody(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    box.store.remove_person("anna")
    cloud.lingering = 1
    box.settle()
    assert box.sync.queue.status().erasures == 1
    [entry] = box.sync.queue.entries()
    assert (entry.error_code, entry.set_aside) == ("cloud_not_settled", False)
    box.settle()
    assert box.sync.queue.status().erasures == 0


def test_somebody_erased_just_after_being_sent_is_deleted_at_once_and_again_when_settled(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    box.store.remove_person("anna")
    box.sync.run_once()
    assert cloud.users == {}
    assert box.queued() == ["anna"]
    cloud.users["default", "anna"] = {"late": b""}  # the registration takes effect only now
    box.settle()
    assert cloud.users == {}
    assert box.queued() == []


def test_an_erasure_reaches_groups_this_box_does_not_know_of(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    cloud.users["elsewhere", "anna"] = {"copied": b""}
    box.store.remove_person("anna")
    box.settle()
    assert cloud.users == {}


def test_somebody_new_with_the_id_of_an_erased_person_does_not_inherit_their_faces(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    box.store.remove_person("anna")
    box.enrol("anna", 2)
    box.settle()
    assert cloud.faces("default", "anna") == [face_token(2)]


# -- the worker


def test_the_worker_starts_when_the_library_changes(box, cloud):
    bus = EventBus(box.clock)
    arrived = threading.Event()
    cloud.after = lambda path, body: arrived.set() if path == ADD else None
    sync = box.make_sync(bus=bus)
    sync.start()
    box.enrol("anna", 1)
    bus.publish(LibraryChanged(at=box.clock.now(), people=1, faces=1))
    assert arrived.wait(10)
    assert sync.stop(5)
    bus.close(1)


def test_two_workers_never_work_at_the_same_time(box, cloud):
    box.enrol("anna", 1)
    with box.sync.people.exclusive():
        other = box.make_sync().run_once()
    assert other.trouble.code == "cloud_sync_busy"
    assert cloud.calls == []
    box.settle()
    assert cloud.faces("default", "anna")


def test_a_clock_that_was_set_back_makes_nobody_wait_for_ever(box, cloud):
    box.enrol("anna", 1)
    box.clock.step_wall(-86_400 * 365)
    box.settle()
    assert cloud.faces("default", "anna")


# -- keeping alive


def test_a_library_that_was_not_used_for_thirty_days_is_used(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    cloud.calls.clear()
    assert box.sync.keep_alive() is False
    box.clock.advance(30 * 86_400)
    assert box.sync.keep_alive() is True
    assert cloud.paths() == ["v3/search"]
    assert box.sync.keep_alive() is False


def test_without_anybody_in_the_cloud_there_is_nothing_to_keep_alive(box, cloud):
    box.enrol("anna", 1, consent=False)
    assert box.sync.keep_alive() is False
    assert cloud.calls == []


def test_nobody_is_searched_for_whose_consent_was_withdrawn(box, cloud):
    box.enrol("anna", 1)
    box.settle()
    cloud.calls.clear()
    box.consent("anna", False)
    box.clock.advance(31 * 86_400)
    assert box.sync.keep_alive() is False
    assert cloud.calls == []


def test_the_scene_is_kept_alive_by_its_own_search(make_box, cloud):
    box = make_box(call="capture_search")
    box.enrol("anna", 1)
    box.settle()
    cloud.calls.clear()
    box.clock.advance(31 * 86_400)
    assert box.sync.keep_alive() is True
    assert cloud.paths() == ["capture/search"]


def test_the_job_fits_the_scheduler(box):
    from apscheduler.schedulers.background import BackgroundScheduler

    scheduler = BackgroundScheduler(timezone=UTC)
    job = scheduler.add_job(**box.sync.keep_alive_job())
    assert job.id == "cloud-keep-alive"
    assert job.trigger.interval == timedelta(days=1)
    assert job.next_run_time > datetime(2026, 1, 1, tzinfo=UTC)


# -- differences


def test_nothing_differs_after_synchronising(box, cloud):
    box.enrol("anna", 1, 2)
    box.settle()
    [diff] = box.diff.compare()
    assert diff.is_same
    assert (diff.group, diff.exists, diff.same) == ("default", True, 1)


def test_every_kind_of_difference_is_told_and_repaired(box, cloud):
    for number, person_id in enumerate(("same", "lost", "less", "more", "gone")):
        box.enrol(person_id, 10 * number, 10 * number + 1)
    box.settle()
    stay = dict(cloud.users["default", "same"])
    del cloud.users["default", "lost"]
    cloud.users["default", "less"].popitem()
    cloud.users["default", "more"]["unknown"] = b""
    cloud.users["default", "stranger"] = {"x": b""}
    box.change("gone", active=False)
    [diff] = box.diff.compare()
    assert diff.same == 1
    assert diff.missing == ("lost",)
    assert diff.unwanted == ("gone",)
    assert diff.extra == ("stranger",)
    assert [(d.person_id, d.missing, d.surplus) for d in diff.different] == [("less", 1, 0), ("more", 0, 1)]

    box.diff.repair([diff])
    box.settle()
    [left] = box.diff.compare()
    assert (left.same, left.extra) == (4, ("stranger",))
    assert left.missing == left.unwanted == left.different == ()
    assert cloud.users["default", "same"] == stay

    box.diff.repair([left], delete_extra=True)
    assert box.diff.compare()[0].is_same


def test_a_group_the_cloud_does_not_have_is_a_difference(box):
    box.enrol("anna", 1)
    [diff] = box.diff.compare()
    assert (diff.exists, diff.missing) == (False, ("anna",))


def test_somebody_without_consent_is_never_missing(box, cloud):
    cloud.groups["default"] = "general"
    box.enrol("anna", 1, consent=False)
    assert box.diff.compare()[0].is_same


def test_what_another_box_has_sent_is_not_deleted_unless_asked_for(make_box, cloud):
    here, elsewhere = make_box(), make_box()
    elsewhere.enrol("anna", 1)
    elsewhere.settle()
    here.enrol("anna", 1, consent=False)
    [diff] = here.diff.compare()
    assert (diff.unwanted, diff.extra) == ((), ("anna",))
    here.diff.repair([diff])
    here.settle()
    assert cloud.faces("default", "anna")


def test_large_groups_are_read_page_by_page(box, cloud):
    cloud.groups["default"] = "general"
    for number in range(1500):
        cloud.users["default", f"u{number}"] = {str(number): b""}
    assert len(box.diff.compare()[0].extra) == 1500
