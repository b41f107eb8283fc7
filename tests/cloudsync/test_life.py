"""People of the library in the face cloud, over real sockets: absence, erasure, the worker, keeping alive."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from cloud_box import face_token
from cloud_library import ADD

from edged.bus import EventBus
from edged.cloudsync.alignment import SETTLE_S
from edged.events import LibraryChanged

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
    assert box.queued() == ["Erased_Person"]
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


def test_a_command_that_waits_for_an_erasure_asks_again_only_when_it_is_settled(box, cloud):
    box.enrol("anna", 1)
    assert box.sync.run_once().done == 1
    box.store.remove_person("anna")
    cloud.calls.clear()
    asked = ["v3/faceset/user/delete", "v3/faceset/user/get"]
    assert box.sync.finish(["anna"], timeout_s=SETTLE_S - 1) == ("anna",)
    assert cloud.paths() == asked
    cloud.calls.clear()
    assert box.sync.finish(["anna"], timeout_s=SETTLE_S) == ()
    assert cloud.paths() == asked * 2  # at once, and when it is settled


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
    assert arrived.wait(30)
    assert sync.stop(30)
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
