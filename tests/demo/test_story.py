"""What `edged demo` prints for people: a line for each fact that matters, and the table at the end."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from edged.demo.story import Story, summary_table
from edged.demo.summary import Summary
from edged.events import (
    AccessDecided,
    CameraConnected,
    CameraLost,
    ComponentFailed,
    DaemonStarted,
    DoorLocked,
    DoorUnlocked,
    GateAlarmRaised,
    GateConnected,
    GateLost,
    GrantNotExecuted,
    Measures,
    Outcome,
    ShotRefused,
    SourceEnded,
    SubscriberFailed,
    TrackEnded,
    TrackStarted,
)

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MEASURES = Measures(face_px=62.0, detection=0.9, illumination=20.0)


def decided(outcome: Outcome, *reasons: str, score: float | None = None, name: str | None = None):
    return AccessDecided(
        at=AT,
        passage_id="p_1",
        decision_id="d_1",
        outcome=outcome,
        person_id=name and name.lower(),
        person_name=name,
        score=score,
        reasons=reasons,
    )


def unlocked(latency_ms: float | None):
    return DoorUnlocked(
        at=AT,
        decision_id="d_1",
        person_id="ann",
        mode="pulse",
        frame_to_relay_ms=latency_ms,
        decision_to_relay_ms=1.0,
        acknowledged=None,
    )


def refused(*reasons: str, **limits: float):
    return ShotRefused(at=AT, passage_id="p_1", track_id=1, reasons=reasons, measures=MEASURES, limits=limits)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (DaemonStarted(at=AT, version="1", people=3, faces=5, ready_s=1.24), "ready in 1.2 s; 3 people"),
        (CameraConnected(at=AT, source="demo:[x]", width=1280, height=720, fps=25.0), "demo:[x]: 1280x720"),
        (
            CameraLost(at=AT, source="c", code="k", reason="It is gone.", hint="Plug.", retry_s=1),
            "It is gone.",
        ),
        (GateLost(at=AT, port="p", code="k", reason="It is away.", hint="Look.", retry_s=1), "away. Look."),
        (GateConnected(at=AT, port="sim:lcus", protocol="lcus", relay_was_on=None), "sim:lcus, relay off"),
        (TrackStarted(at=AT, passage_id="p_1", track_id=1), "visitor 1 comes into view"),
        (refused("face_too_small", face_too_small=100), "(62, limit 100)"),
        (refused("face_too_small"), "visitor 1"),
        (refused("too_near", too_near=5), "visitor 1"),
        (decided(Outcome.GRANTED, "granted", score=97.4, name="Ann"), "granted: Ann, score 97"),
        (decided(Outcome.GRANTED, "granted", name="Ann [x]"), "granted: Ann [x]"),
        (decided(Outcome.DENIED, "not_recognised", "too_old", score=41.0), "(too_old), best score 41"),
        (decided(Outcome.DENIED, "too_old"), "denied: "),
        (unlocked(53.6), "door unlocked 54 ms after the frame"),
        (unlocked(None), "door unlocked"),
        (DoorLocked(at=AT, reason="time_over", on_ms=500.0, acknowledged=None), "door locked"),
        (GrantNotExecuted(at=AT, decision_id="d_1", code="late", reason="Too late."), "not moved: Too late."),
        (GateAlarmRaised(at=AT, code="forced", reason="Forced open."), "Forced open."),
        (ComponentFailed(at=AT, component="c", error="It broke.", hint=""), "It broke."),
        (SubscriberFailed(at=AT, subscriber="s", failed_event="e", error="It fell."), "It fell."),
        (SourceEnded(at=AT, source="s", frames=9), "the scene is over"),
        (SourceEnded(at=AT, source="s", frames=9, complete=False, reason="It is cut."), "It is cut."),
    ],
)
def test_a_fact_that_matters_is_one_line_with_its_time(event, words):
    (line,) = Story(10.0).take(event, 12.5)
    printed = plain(line)
    assert printed.startswith("   2.5 s  ")
    assert words in " ".join(printed.split())


def test_other_events_are_left_out():
    ended = TrackEnded(at=AT, track_id=1, frames=1, duration_s=1, nearest_px=90, shots=0)
    assert Story(0.0).take(ended, 1.0) == []


def test_a_visitor_keeps_a_number_and_is_refused_for_a_reason_once():
    story = Story(0.0)
    assert "visitor 1" in plain(story.take(TrackStarted(at=AT, passage_id="p_1", track_id=1), 0.0)[0])
    assert "visitor 2" in plain(story.take(TrackStarted(at=AT, passage_id="p_2", track_id=2), 0.0)[0])
    assert len(story.take(refused("too_dark", too_dark=40), 1.0)) == 1
    assert story.take(refused("too_dark", too_dark=40), 2.0) == []
    assert "visitor 1" in plain(story.take(refused("too_blurred"), 3.0)[0])


def test_the_table_counts_outcomes_reasons_and_frames():
    summary = Summary()
    events = [decided(Outcome.GRANTED, "granted"), decided(Outcome.DENIED, "not_recognised"), unlocked(50.0)]
    late = GrantNotExecuted(at=AT, decision_id="d_2", code="too_late", reason="Too late.")
    for event in (*events, late):
        summary.take(event)
    words = plain(summary_table(summary, 30, 28, 2))
    for row in ("not_recognised 1", "relay not moved: too_late 1", "p50 50.0", "30 / 28 / 2"):
        assert row in " ".join(words.replace("│", " ").split())
    assert "frame to relay" not in plain(summary_table(Summary(), 0, 0, 0))


def plain(printed) -> str:
    console = Console(width=120, file=io.StringIO())
    console.print(printed)
    return console.file.getvalue()
