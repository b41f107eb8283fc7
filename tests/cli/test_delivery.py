"""`edged delivery` with a running delivery behind the control socket, and without one."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from command_line import run_edged
from delivery_rig import ListTarget, Receiver, Rig, decision, punch, service

from edged.bus import EventBus
from edged.clock import SystemClock
from edged.delivery.outbox import Outbox, undelivered_from
from edged.delivery.service import TargetWorker
from edged.events import ComponentFailed, DeliveryDegraded, Event
from edged.journal import Journal, journal_path
from edged.ops.control import ControlServer

DEADLINE_S = 30.0


class Box:
    """A data directory with a journal and, after `start()`, its delivery and control socket."""

    def __init__(self, folder):
        self.folder = folder
        self.clock = SystemClock()
        self.bus = EventBus(self.clock)
        self.told = []
        self.bus.subscribe(Event, self.told.append, name="told")
        self.journal = Journal.open(journal_path(folder), self.clock)
        self.journal.attach(self.bus)
        self.service = self.control = None

    def start(self, *targets, **given):
        self.service = service(self.folder, self.bus, {"targets": list(targets), **given})
        started = self.service.start()
        self.control = ControlServer(self.folder, self.service.commands())
        self.control.start()
        return started

    def stop(self):
        if self.service is not None:
            self.control.stop()
            assert self.service.stop(5.0)
            self.service = self.control = None

    def decide(self, *numbers, **fields):
        for number in numbers:
            event = decision(self.clock, number, **fields)
            self.journal.commit_decision(event)
            self.bus.publish(event)

    def close(self):
        self.stop()
        self.bus.close()
        self.journal.close()


@pytest.fixture
def box(tmp_path):
    box = Box(tmp_path)
    yield box
    box.close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def edged(tmp_path):
    return lambda *arguments: run_edged("delivery", *arguments, "--data-dir", tmp_path)


def office(receiver, **given):
    return {
        "name": "office",
        "kind": "http",
        "url": receiver.url,
        "retry_s": 0.05,
        "retry_max_s": 0.2,
        **given,
    }


def test_a_decision_is_delivered_while_the_daemon_runs(box, receiver, edged):
    box.start(office(receiver))
    box.decide(1, 2)
    assert receiver.wait_for(lambda: len(receiver.stored) == 2)
    assert receiver.received == ["box7-1", "box7-2"]
    assert receiver.stored["box7-1"]["historic"] is False


def test_status_tells_how_far_every_target_is(box, receiver, edged):
    box.start(office(receiver), office(receiver, name="second", events=["alarms"]))
    box.decide(1)
    assert receiver.wait_for(lambda: len(receiver.stored) == 1)
    box.stop()
    asleep = edged("status", "--json")
    assert [t["target"] for t in asleep.json["targets"]] == ["office", "second"]
    assert asleep.json["targets"][0]["delivered"] == 1
    assert {t["state"] for t in asleep.json["targets"]} == {"not_running"}
    box.start(office(receiver))
    awake = edged("status")
    assert awake.returncode == 0
    assert "office" in awake.stdout
    assert "second" not in awake.stdout


def test_a_target_that_needs_the_operator_shows_in_status_and_exit_code(box, edged):
    gone = Receiver(lambda _: (302, b"", {"Location": "http://elsewhere.example"}))
    box.start(office(gone))
    box.decide(1)
    assert gone.wait_for(lambda: len(gone.requests) >= 2)
    answer = edged("status")
    assert answer.returncode == 69
    assert "needs operator" in answer.stdout
    assert "Set url to the final address" in answer.stdout
    gone.stop()


def wait_until_paused(edged):
    """A look for records that had begun before the pause may still find one that is written now."""
    until_s = time.monotonic() + DEADLINE_S
    while edged("status", "--json").json["targets"][0]["state"] != "paused":
        assert time.monotonic() < until_s


def test_pause_and_resume_through_the_daemon(box, receiver, edged, monkeypatch):
    monkeypatch.setenv("LOGNAME", "mia")  # who has logged in, also after `su`
    box.start(office(receiver))
    assert edged("pause", "office").stdout == "office is paused.\n"
    assert edged("pause", "office").stdout == "office is paused already.\n"
    wait_until_paused(edged)
    box.decide(1)
    box.stop()
    box.start(office(receiver))
    box.decide(2)
    assert edged("status", "--json").json["targets"][0]["paused_by"] == "mia"
    assert receiver.received == []
    assert edged("resume", "office").stdout == "office goes on.\n"
    assert receiver.wait_for(lambda: receiver.received == ["box7-1", "box7-2"])


def test_pause_and_resume_without_a_daemon_hold_for_the_next_one(box, receiver, edged):
    box.start(office(receiver))
    box.stop()
    assert edged("pause", "office").returncode == 0
    box.start(office(receiver))
    box.decide(1)
    assert edged("status", "--json").json["targets"][0]["behind"] == 1
    box.stop()
    assert receiver.received == []
    assert edged("resume", "office").returncode == 0
    box.start(office(receiver))
    assert receiver.wait_for(lambda: receiver.received == ["box7-1"])


def test_dead_letters_are_listed_and_sent_again(box, edged):
    bad = {"box7-1"}
    receiver = Receiver(lambda body: (422, b"no such door", {}) if body["recordId"] in bad else None)
    box.start(office(receiver))
    box.decide(1, 2)
    assert receiver.wait_for(lambda: receiver.received == ["box7-2"])
    listed = edged("dead", "office", "--json").json
    assert (listed["seq"], listed["event"], listed["code"]) == (1, "access_decided", "delivery_refused")
    assert "no such door" in edged("dead").stdout
    bad.clear()
    assert edged("retry", "office", "--letter", listed["letter_id"]).returncode == 0
    assert receiver.wait_for(lambda: receiver.received == ["box7-2", "box7-1"])
    receiver.stop()


@pytest.mark.parametrize(
    "command", [("pause", "nobody"), ("resume", "nobody"), ("retry", "nobody"), ("dead", "nobody")]
)
def test_an_unknown_target_is_told_with_the_known_ones(box, receiver, edged, command):
    box.start(office(receiver))
    answer = edged(*command)
    assert answer.returncode == 66
    assert "there are: office" in answer.stderr


def test_an_unknown_letter_is_told(box, receiver, edged):
    box.start(office(receiver))
    assert "no dead letter 7" in edged("retry", "office", "--letter", 7).stderr


@pytest.mark.parametrize("command", [("status",), ("pause", "office"), ("dead",)])
def test_a_box_that_never_delivered_says_so(edged, command):
    answer = edged(*command)
    assert answer.returncode == 66
    assert "Nothing was ever delivered" in answer.stderr


def test_a_new_target_gets_everything_or_only_what_is_new(box, receiver, edged):
    box.decide(1, 2)
    late = Receiver()
    box.start(office(receiver), office(late, name="late", start="now"))
    box.decide(3)
    assert receiver.wait_for(lambda: len(receiver.received) == 3)
    assert late.wait_for(lambda: late.received == ["box7-3"])
    box.stop()
    late.stop()


def test_old_records_are_historic_and_new_ones_are_not(box, receiver):
    box.decide(1, at=box.clock.now() - timedelta(hours=2))
    box.start(office(receiver))
    box.decide(2)
    assert receiver.wait_for(lambda: len(receiver.stored) == 2)
    assert [receiver.stored[f"box7-{n}"]["historic"] for n in (1, 2)] == [True, False]


def test_punches_that_are_written_with_their_neighbours_arrive_too(box, receiver):
    box.start(office(receiver, events=["punches"]))
    box.bus.publish(punch(box.clock, 1))
    assert receiver.wait_for(lambda: len(receiver.stored) == 1)


def test_what_has_to_be_kept_is_what_the_slowest_configured_target_lacks(box, receiver):
    away = {"name": "away", "kind": "http", "url": "http://127.0.0.1:1", "retry_s": 60.0}
    box.start(office(receiver), away)
    box.decide(1, 2)
    assert receiver.wait_for(lambda: len(receiver.stored) == 2)
    assert box.service.undelivered_from() == 1
    assert undelivered_from(box.folder, box.clock) == 1
    box.stop()
    box.start(office(receiver))  # the other one was taken out of the configuration
    box.decide(3)
    assert receiver.wait_for(lambda: len(receiver.stored) == 3)
    box.stop()
    assert undelivered_from(box.folder, box.clock) == 4


def test_without_targets_nothing_has_to_be_kept(box):
    assert undelivered_from(box.folder, box.clock) is None
    assert box.start()
    assert box.service.undelivered_from() is None


def test_a_damaged_file_of_places_is_announced_and_stops_nothing_else(box, receiver, edged):
    Outbox.open(box.folder, box.clock).close()
    (box.folder / "delivery.db").write_bytes(b"rubbish" * 1000)
    assert box.start(office(receiver)) is False
    box.bus.drain(5.0)
    (failed,) = [event for event in box.told if isinstance(event, ComponentFailed)]
    assert failed.component == "delivery"
    assert box.service.undelivered_from() == 0
    assert "could not be used" in edged("status").stderr


def test_a_fault_of_edged_itself_is_told_and_the_thread_goes_on(box):
    target = ListTarget(behave=lambda messages: {}[messages[0].id])
    rig = Rig(box.folder / "second", target, clock=box.clock, retry_s=0.05, retry_max_s=0.05)
    worker = TargetWorker("office", rig.pump, rig.reporter, box.clock)
    degraded, delivered = threading.Event(), threading.Event()
    rig.bus.subscribe(DeliveryDegraded, lambda event: degraded.set(), name="test")
    rig.decide(1)
    worker.start()
    assert degraded.wait(DEADLINE_S)
    assert rig.reporter.state.code == "delivery_fault"
    target.behave = lambda messages: delivered.set()
    assert delivered.wait(DEADLINE_S)
    worker.ask_to_stop()
    assert worker.join(DEADLINE_S)
    rig.close()
