"""The format of a delivered record."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from delivery_rig import decision, punch, track

from edged.clock import ManualClock
from edged.delivery.records import RecordMaker, kind_of, wanted_kinds
from edged.events import GateAlarmRaised, GrantNotExecuted, Liveness, PunchCorrected, event_name
from edged.record import Record, storable

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)


@pytest.fixture
def clock():
    return ManualClock(NOW)


def record(event, seq=17):
    """The record the journal would make of `event`."""
    payload = storable(event.to_dict())
    columns = {
        name: payload.get(name)
        for name in ("passage_id", "door_id", "camera_id", "decision_id", "person_id", "outcome")
    }
    return Record(
        seq=seq,
        clock="holdover",
        at=event.at,
        event=event_name(type(event)),
        reason=None,
        score=None,
        payload=payload,
        **columns,
    )


def body(event, clock, **given):
    return RecordMaker("box7", "Head office", clock, **given).make(record(event), pictures=True).body


def test_a_grant_is_a_pass_with_the_names_of_the_proposed_record(clock):
    liveness = Liveness(score=0.98, passed=True, decided=True, frames=9)
    event = decision(
        clock, 3, liveness=liveness, direction="in", margin=70.1, groups=("day", "staff"), track_id=17
    )
    given = body(event, clock)
    assert given == {
        "version": 1,
        "logId": "box7-17",
        "recordId": "box7-17",
        "seq": 17,
        "deviceId": "box7",
        "site": "Head office",
        "kind": "decision",
        "event": "access_decided",
        "time": "2026-11-21T08:30:00.000Z",
        "clock": "holdover",
        "historic": False,
        "doorId": "door1",
        "cameraId": "cam1",
        "passageId": "p_3",
        "mode": "gate",
        "result": "pass",
        "reasons": ["granted"],
        "decisionId": "d_3",
        "userId": "mara",
        "name": "Mara Lind",
        "groupId": "day,staff",
        "trackId": 17,
        "direction": "in",
        "score": 92.4,
        "threshold": 80.0,
        "margin": 70.1,
        "engine": "local",
        "liveness": {"rgb": 0.98, "passed": True},
        "ms": {"detect": 6.4, "embed": 14.4},
    }


def test_somebody_known_who_may_not_pass_is_a_deny(clock):
    given = body(decision(clock, 1, granted=False), clock)
    assert (given["result"], given["userId"], given["reasons"]) == ("deny", "mara", ["outside_schedule"])


@pytest.mark.parametrize("who", ["mara", None])
def test_a_stranger_is_not_called_by_the_name_of_the_person_who_resembles_them_most(clock, who):
    refused = decision(clock, 1, granted=False, person_id=who, reasons=("not_recognised",))
    given = body(refused, clock)
    assert given["result"] == "stranger"
    assert "mara" not in json.dumps(given).lower()


def test_a_grant_that_did_not_move_the_relay_carries_its_reason(clock):
    failed = GrantNotExecuted(at=NOW, decision_id="d_1", code="gate_offline", reason="no board")
    given = body(failed, clock)
    assert (given["kind"], given["result"], given["reasons"]) == (
        "decision",
        "not_executed",
        ["gate_offline"],
    )


def test_a_liveness_that_was_not_decided_did_not_fail(clock):
    liveness = Liveness(score=0.94, passed=False, decided=False, frames=1)
    assert body(decision(clock, 1, liveness=liveness), clock)["liveness"] == {"rgb": 0.94}


def test_a_punch_is_of_the_mode_attendance(clock):
    given = body(punch(clock, 5, direction="out"), clock)
    assert (given["kind"], given["mode"], given["direction"]) == ("punch", "attendance", "out")
    assert (given["punchId"], given["repeated"]) == (5, False)


def test_a_correction_says_what_holds_now(clock):
    at = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
    corrected = PunchCorrected(
        at=NOW, punch_id=9, corrects=5, action="change", person_id="mara", punch_at=at, direction="out",
        reason="forgot", author="hr",
    )  # fmt: skip
    given = body(corrected, clock)
    assert (given["kind"], given["action"], given["corrects"]) == ("punch", "change", 5)
    assert (given["punchTime"], given["author"]) == ("2026-11-20T16:00:00.000Z", "hr")


def test_alarms_and_other_events_carry_what_they_say_as_data(clock):
    alarm = body(GateAlarmRaised(at=NOW, door_id="door1", code="relay_stuck", reason="on"), clock)
    assert (alarm["kind"], alarm["data"]) == ("alarm", {"code": "relay_stuck", "reason": "on"})
    assert body(track(clock, 1), clock)["kind"] == "event"


@pytest.mark.parametrize(("age_s", "historic"), [(0, False), (60, False), (61, True), (-61, True)])
def test_a_record_older_or_newer_than_the_clock_by_the_limit_is_historic(clock, age_s, historic):
    event = decision(clock, 1, at=NOW - timedelta(seconds=age_s))
    assert body(event, clock, historic_after_s=60.0)["historic"] is historic


def test_the_id_never_depends_on_when_it_is_sent(clock):
    event = decision(clock, 1)
    first = body(event, clock)["recordId"]
    clock.advance(1_000_000)
    assert body(event, clock)["recordId"] == first


def test_pictures_are_sent_only_where_the_target_asks_for_them(clock):
    maker = RecordMaker("box7", "x", clock, picture_of=lambda _: b"JPEG")
    event = record(decision(clock, 1))
    assert maker.make(event, pictures=True).body["image"] == "SlBFRw=="
    assert "image" not in maker.make(event).body


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("access_decided", "decision"), ("punch_recorded", "punch"), ("gate_lost", "alarm"),
        ("journal_filling", "alarm"), ("track_started", "event"), ("something_new", "event"),
    ],
)  # fmt: skip
def test_every_event_has_a_kind(event, kind):
    assert kind_of(event) == kind


def test_the_words_of_the_configuration_name_kinds():
    assert wanted_kinds(["decisions", "punches"]) == {"decision", "punch"}
    assert wanted_kinds(["alarms"]) == {"alarm"}
    assert wanted_kinds(["decisions", "all"]) == {"decision", "alarm", "punch", "event"}
