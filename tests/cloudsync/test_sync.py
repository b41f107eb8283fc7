"""People of the library in the face cloud, over real sockets: faces and groups."""

from __future__ import annotations

from cloud_box import Box, face_token
from cloud_library import ADD, SCENE_ADD, SCENE_UPDATE, UPDATE

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
