"""Consent to the cloud, over real sockets: who has given it is sent, nobody else, not even in part."""

from __future__ import annotations

from cloud_box import face_token
from cloud_library import ADD


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
