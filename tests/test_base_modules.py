"""Clock, identifiers, errors and the JSON form of events."""

import json
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged import errors
from edged.clock import ManualClock, SystemClock, iso
from edged.events import AccessDecided, Measures, Outcome, RuleCheck, ShotChosen, event_name
from edged.ids import new_id

AT = datetime(2026, 11, 21, 8, 30, 0, 125_000, tzinfo=UTC)


def test_iso_is_utc_with_milliseconds_and_z():
    east = AT.astimezone(timezone(timedelta(hours=8)))
    assert iso(AT) == iso(east) == "2026-11-21T08:30:00.125Z"


def test_setting_the_wall_clock_back_leaves_durations_alone():
    clock = ManualClock(now=AT, monotonic=5.0)
    clock.step_wall(-3600)
    assert clock.now() == AT - timedelta(hours=1)
    assert clock.monotonic() == 5.0


def test_a_manual_clock_refuses_negative_durations():
    with pytest.raises(ValueError, match="forwards"):
        ManualClock().advance(-1)


def test_the_system_clock_gives_aware_utc():
    assert SystemClock().now().tzinfo is UTC


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(1, 10**9))
def test_ids_sort_by_time(at, milliseconds):
    at = at.replace(tzinfo=UTC)
    later = at + timedelta(milliseconds=milliseconds)
    assert new_id("p", at)[:11] < new_id("p", later)[:11]


def test_ids_of_one_moment_differ():
    assert len({new_id("p", AT) for _ in range(1000)}) == 1000


def test_every_error_names_reaction_code_and_hint():
    error = errors.RetryLater("The board is silent.", code="relay_no_answer", hint="Check its cable.")
    assert str(error) == "The board is silent. Check its cable."
    assert (error.code, error.exit_code) == ("relay_no_answer", 75)


def test_event_names_are_snake_case():
    assert event_name(AccessDecided) == "access_decided"


def test_an_event_becomes_one_json_object_without_pictures():
    shot = ShotChosen(
        at=AT,
        passage_id="p_1",
        camera_id="cam1",
        track_id=1,
        shot_number=1,
        frame_number=7,
        captured_s=1.0,
        quality=np.float32(0.5),
        measures=Measures(face_px=120.123456, detection=0.9),
        aligned=np.zeros((112, 112, 3), np.uint8),
        picture=np.zeros((10, 10, 3), np.uint8),
    )
    out = json.loads(json.dumps(shot.to_dict()))
    assert list(out)[:2] == ["event", "at"]
    assert out["measures"]["face_px"] == 120.1235
    assert "aligned" not in out
    assert "picture" not in out
    assert "door_id" not in out


def test_a_null_person_is_said_and_not_left_out():
    event = AccessDecided(
        at=AT,
        decision_id="d_1",
        outcome=Outcome.DENIED,
        person_id=None,
        person_name=None,
        score=12.0,
        reasons=("not_recognised",),
        rules=(RuleCheck(code="not_recognised", passed=False, detail="best score 12.0, needed 90"),),
    )
    out = json.loads(json.dumps(event.to_dict()))
    assert out["person_id"] is None
    assert out["outcome"] == "denied"
    assert out["rules"][0]["passed"] is False
