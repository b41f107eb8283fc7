"""The analyser on rendered frames of the demo hall, and the vision thread around it."""

import threading
from datetime import timedelta

import cv2
import numpy as np
import pytest

from edged.bus import EventBus
from edged.camera.mailbox import Mailbox
from edged.clock import ManualClock
from edged.config import LivenessConfig, VisionConfig
from edged.demo.photographs import PHOTO_DIR
from edged.events import (
    AccessDecided,
    ComponentFailed,
    Event,
    FaceIdentified,
    GuidanceChanged,
    Liveness,
    Measures,
    Outcome,
    ShotChosen,
    ShotRefused,
    TrackEnded,
    TrackStarted,
)
from edged.frame import Frame
from edged.vision.analyser import Analyser
from edged.vision.liveness.modality_drivers import AlsoRequired
from edged.vision.passage_verdicts import PassageState, PassageVerdicts
from edged.vision.service import VisionService
from edged.vision.spoofing import NoSpoofGuard, PassiveSpoofGuard

FRAME_S = 0.1
DEADLINE_S = 30.0


@pytest.fixture(scope="module")
def portrait():
    picture = cv2.imread(str(PHOTO_DIR / "jacinda_ardern_1.jpg"))
    return cv2.resize(picture, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)


class Scene:
    """Feeds an analyser with frames; time is the frame's own."""

    def __init__(self, face_reader, spoofing=NoSpoofGuard, **config):
        self.clock = ManualClock()
        self.passages = PassageVerdicts()
        self.number = 0
        self.hints = []
        self.analyser = Analyser(
            VisionConfig(**config),
            face_reader,
            self.clock,
            camera_id="cam1",
            door_id="door1",
            spoofing=spoofing,
            passages=self.passages,
        )

    def show(self, picture, *, cut=False, at=(300, 60)):
        """One frame with `picture` (None: an empty hall) at x, y."""
        image = np.full((720, 1280, 3), 90, np.uint8)
        if picture is not None:
            x, y = at
            height, width = picture.shape[:2]
            image[y : y + height, x : x + width] = picture
        self.clock.advance(FRAME_S)
        self.number += 1
        frame = Frame(image, self.number, self.clock.monotonic(), self.clock.now(), cut)
        events = list(self.analyser.analyse(frame))
        self.hints += [e.code for e in events if isinstance(e, GuidanceChanged)]
        return [e for e in events if not isinstance(e, GuidanceChanged)]

    def run(self, picture, frames, **options):
        return [event for _ in range(frames) for event in self.show(picture, **options)]

    def decide(self, passage_id, outcome, reason="x"):
        self.passages.take_in(
            AccessDecided(
                at=self.clock.now(),
                passage_id=passage_id,
                decision_id="d",
                outcome=outcome,
                person_id=None,
                person_name=None,
                score=None,
                reasons=(reason,),
            )
        )


def of(kind, events):
    return [e for e in events if isinstance(e, kind)]


def test_a_good_face_becomes_a_track_and_then_a_shot(face_reader, portrait):
    events = Scene(face_reader).run(portrait, 3)
    started, shot = of(TrackStarted, events)[0], of(ShotChosen, events)[0]
    assert started.passage_id == shot.passage_id
    assert shot.aligned.shape == (112, 112, 3)
    assert shot.picture.size
    assert shot.measures.face_px >= 100
    assert set(shot.timings_ms) == {"wait", "detect", "measure"}


def test_a_blurred_face_is_refused_with_the_measure_and_the_limit(face_reader, portrait):
    blurred = cv2.GaussianBlur(portrait, (0, 0), 9)
    events = Scene(face_reader).run(blurred, 6)
    assert of(ShotChosen, events) == []
    refusal = of(ShotRefused, events)[0]
    assert "too_blurred" in refusal.reasons
    assert refusal.measures.blur >= refusal.limits["too_blurred"] == 0.7


def hardly_a_face(portrait):
    """So unsharp that the detector is not sure: a faint detection, about 0.5."""
    return cv2.GaussianBlur(portrait, (0, 0), 28)


def test_a_face_that_turns_faint_keeps_its_track_but_never_becomes_a_shot(face_reader, portrait):
    default = VisionConfig().quality
    only = {"preset": "none", "min_face_px": default.min_face_px, "min_detection": default.min_detection}
    scene = Scene(face_reader, quality=only)
    (started,) = of(TrackStarted, scene.run(portrait, 3))
    events = scene.run(hardly_a_face(portrait), 30)
    assert of(TrackStarted, events) == of(TrackEnded, events) == []
    refused = of(ShotRefused, events)
    assert refused
    assert {e.passage_id for e in refused} == {started.passage_id}
    assert all("face_too_uncertain" in e.reasons for e in refused)
    assert all(0.35 <= e.measures.detection < 0.6 for e in refused)
    assert all(e.measures.detection >= 0.6 for e in of(ShotChosen, events))


def test_a_face_that_is_faint_from_the_start_is_no_track(face_reader, portrait):
    assert Scene(face_reader).run(hardly_a_face(portrait), 30) == []


def test_an_unchanged_refusal_is_not_repeated_with_every_frame(face_reader, portrait):
    dark = (portrait * 0.15).astype(np.uint8)
    refusals = of(ShotRefused, Scene(face_reader).run(dark, 12))
    assert 2 <= len(refusals) <= 4


def test_shots_go_on_until_the_passage_is_settled(face_reader, portrait):
    scene = Scene(face_reader)
    events = scene.run(portrait, 6)
    assert len(of(ShotChosen, events)) >= 2
    scene.decide(events[0].passage_id, Outcome.GRANTED)
    assert of(ShotChosen, scene.run(portrait, 60)) == []


def test_a_final_answer_settles_the_passage_before_the_decision(face_reader, portrait):
    scene = Scene(face_reader)
    passage_id = scene.run(portrait, 2)[0].passage_id
    scene.passages.take_in(
        FaceIdentified(
            at=scene.clock.now(),
            passage_id=passage_id,
            track_id=1,
            shot_number=1,
            captured_s=0,
            engine="local",
            model_id="m",
            person_id="a",
            score=99,
            margin=50,
            runner_up_id=None,
            agreeing_shots=2,
            gallery_people=1,
            final=True,
            measures=Measures(face_px=120, detection=0.9),
        )
    )
    assert scene.passages.state(passage_id) is PassageState.SETTLED
    assert scene.run(portrait, 5) == []


def test_somebody_denied_who_stays_gets_a_new_passage_after_pauses_that_double(face_reader, portrait):
    scene = Scene(face_reader, retry_after_s=1.0)
    passage_id = scene.run(portrait, 2)[0].passage_id
    pauses = []
    for _ in range(3):
        scene.decide(passage_id, Outcome.DENIED)
        denied_s = scene.clock.monotonic()
        while not (started := of(TrackStarted, events := scene.show(portrait))):
            pass
        assert [e.passage_id for e in of(TrackEnded, events)] == [passage_id]
        assert started[0].passage_id != passage_id
        passage_id = started[0].passage_id
        pauses.append(scene.clock.monotonic() - denied_s)
    assert pauses == pytest.approx([1.1, 2.1, 4.1], abs=0.15)


def test_a_cut_ends_every_track(face_reader, portrait):
    scene = Scene(face_reader)
    first = scene.run(portrait, 3)[0].passage_id
    events = scene.show(portrait, cut=True) + scene.show(portrait)
    assert [e.passage_id for e in of(TrackEnded, events)] == [first]
    assert of(TrackStarted, events)[0].passage_id != first


def test_the_end_of_a_track_tells_what_kept_its_shots_from_being_used(face_reader, portrait):
    scene = Scene(face_reader)
    scene.run((portrait * 0.15).astype(np.uint8), 4)
    ended = of(TrackEnded, scene.run(None, 15))[0]
    assert ended.refusals[0] == "too_dark"
    assert ended.shots == 0
    assert ended.nearest_px >= 100


def test_a_shot_kept_for_a_better_one_is_sent_when_its_face_has_gone(face_reader, portrait):
    scene = Scene(face_reader)
    scene.show(portrait)
    poor = cv2.GaussianBlur(portrait, (0, 0), 5.2)
    assert of(ShotChosen, scene.run(poor, 1)) == [], "the picture must be poor enough to wait"
    assert of(ShotRefused, scene.run(None, 1)) == []
    assert len(of(ShotChosen, scene.run(None, 4))) == 1


def test_a_person_is_told_one_thing_at_a_time_and_then_welcomed(face_reader, portrait):
    scene = Scene(face_reader)
    dark = (portrait * 0.15).astype(np.uint8)
    passage_id = scene.run(dark, 12)[0].passage_id
    scene.run(portrait, 20)
    scene.decide(passage_id, Outcome.GRANTED, "granted")
    scene.run(portrait, 2)
    scene.run(None, 15)
    assert scene.hints == ["too_dark", "please_wait", "welcome", None]


def two_of(portrait, second=1.0):
    """Two people side by side, the right one `second` times as large."""
    other = cv2.resize(cv2.flip(portrait, 1), None, fx=second, fy=second, interpolation=cv2.INTER_AREA)
    both = np.full(
        (max(portrait.shape[0], other.shape[0]), portrait.shape[1] + other.shape[1], 3), 90, np.uint8
    )
    both[: portrait.shape[0], : portrait.shape[1]] = portrait
    both[: other.shape[0], portrait.shape[1] :] = other
    return both


def test_a_lane_for_one_serves_nobody_while_two_stand_equally_near(face_reader, portrait):
    scene = Scene(face_reader, serve="largest", single_lane=True)
    events = scene.run(two_of(portrait), 8, at=(100, 60))
    assert of(ShotChosen, events) == []
    assert {e.reasons for e in of(ShotRefused, events)} == {("several_faces",)}
    assert set(scene.hints) == {"one_person_at_a_time"}


def test_a_missed_detection_does_not_settle_a_tie(face_reader, portrait):
    scene = Scene(face_reader, serve="largest", single_lane=True)
    scene.run(two_of(portrait), 4, at=(100, 60))
    assert of(ShotChosen, scene.run(portrait, 3, at=(100, 60))) == []


def test_a_picture_of_another_size_starts_everything_anew(face_reader, portrait):
    scene = Scene(face_reader)
    first = scene.run(portrait, 3)[0].passage_id
    small = Frame(np.full((480, 640, 3), 90, np.uint8), 99, scene.clock.monotonic() + 0.1, scene.clock.now())
    assert [e.passage_id for e in of(TrackEnded, scene.analyser.analyse(small))] == [first]


def test_the_nearest_of_two_is_served_first(face_reader, portrait):
    scene = Scene(face_reader, serve="largest")
    events = scene.run(two_of(portrait, second=0.7), 6, at=(100, 60))
    shots = of(ShotChosen, events)
    assert len({s.passage_id for s in shots}) == 1
    assert {e.reasons for e in of(ShotRefused, events)} == {("not_served",)}
    assert shots[0].measures.face_px > of(ShotRefused, events)[0].measures.face_px


def test_outside_the_region_nobody_is_served(face_reader, portrait):
    scene = Scene(face_reader, serve="region", region=[0.7, 0.0, 1.0, 1.0])
    events = scene.run(portrait, 6, at=(100, 60))
    assert of(ShotChosen, events) == []
    assert {e.reasons for e in of(ShotRefused, events)} == {("outside_region",)}


def test_frames_in_which_nothing_moves_are_not_searched(face_reader, portrait):
    class Counting:
        searched = 0

        def detect(self, image, **options):
            self.searched += 1
            return face_reader.detect(image, **options)

    counting = Counting()
    scene = Scene(counting, idle_recheck_s=1.0)
    scene.run(None, 31)
    assert counting.searched <= 4
    counting.measure = face_reader.measure
    assert of(TrackStarted, scene.run(portrait, 3)), "somebody who steps in is seen at once"


class ScriptedGuard:
    """A guard that is ready after some frames, as one that must see several is."""

    def __init__(self, frames_needed):
        self.frames, self.frames_needed, self.suspicions = 0, frames_needed, 0

    def ready(self, at_s, box):
        return self.frames >= self.frames_needed

    @property
    def locked_out(self):
        return self.suspicions >= 2

    def look(self, image, face, mesh, at_s):
        self.frames += 1

    def verdict(self, at_s, box):
        return Liveness(score=0.9, passed=True, decided=self.ready(at_s, box), frames=self.frames)

    def suspected(self):
        self.suspicions += 1
        return 10.0 if self.locked_out else 0.0


def test_shots_wait_for_the_liveness_judgement_and_carry_it(face_reader, portrait):
    scene = Scene(face_reader, spoofing=lambda: ScriptedGuard(4))
    assert of(ShotChosen, scene.run(portrait, 5)) == []
    (shot,) = of(ShotChosen, scene.run(portrait, 1))
    assert shot.liveness.decided


def test_a_track_suspected_twice_is_locked_out(face_reader, portrait):
    scene = Scene(face_reader, spoofing=lambda: ScriptedGuard(0), retry_after_s=0.5)
    passage_id = scene.run(portrait, 2)[0].passage_id
    pauses = []
    for _ in range(2):
        scene.decide(passage_id, Outcome.DENIED, "spoof_suspected")
        denied_s = scene.clock.monotonic()
        while not (started := of(TrackStarted, scene.show(portrait))):
            pass
        passage_id = started[0].passage_id
        pauses.append(scene.clock.monotonic() - denied_s)
    assert pauses == pytest.approx([0.6, 10.1], abs=0.15)


def test_the_packaged_guard_judges_a_track_after_some_frames(face_reader, liveness_model, portrait):
    config = LivenessConfig(mode="required")
    scene = Scene(face_reader, spoofing=lambda: PassiveSpoofGuard(config, liveness_model, AlsoRequired()))
    shot = of(ShotChosen, scene.run(portrait, 12))[0]
    assert shot.liveness.decided
    assert shot.liveness.frames >= 5
    assert 0 <= shot.liveness.score <= 1


def test_the_thread_ends_when_no_more_frames_come_and_ends_the_tracks(face_reader, portrait):
    clock = ManualClock()
    bus, mailbox, seen = EventBus(clock), Mailbox(), []
    bus.subscribe(Event, seen.append, name="test")
    scene = Scene(face_reader)
    service = VisionService(mailbox, lambda: scene.analyser, bus, on_beat=lambda: None)
    service.start()
    image = np.full((720, 1280, 3), 90, np.uint8)
    image[60 : 60 + portrait.shape[0], 300 : 300 + portrait.shape[1]] = portrait
    for number in range(4):
        assert mailbox.wait_empty(DEADLINE_S)
        at = clock.now() + timedelta(seconds=number)
        mailbox.put(Frame(image, number, clock.monotonic() + number * FRAME_S, at))
    mailbox.close()
    assert service.join(DEADLINE_S)
    assert bus.drain(DEADLINE_S)
    assert service.analysed == 4
    assert len(of(TrackStarted, seen)) == len(of(TrackEnded, seen)) == 1


def test_a_frame_that_cannot_be_analysed_is_told_and_the_thread_goes_on(face_reader):
    clock = ManualClock()
    bus, mailbox, failed = EventBus(clock), Mailbox(), threading.Event()
    bus.subscribe(ComponentFailed, lambda e: failed.set(), name="test")
    service = VisionService(mailbox, lambda: Scene(face_reader).analyser, bus, on_beat=lambda: None)
    service.start()
    mailbox.put(Frame(np.zeros((0, 0, 3), np.uint8), 1, clock.monotonic(), clock.now()))
    assert failed.wait(DEADLINE_S)
    mailbox.put(Frame(np.zeros((90, 160, 3), np.uint8), 2, clock.monotonic(), clock.now()))
    mailbox.close()
    assert service.join(DEADLINE_S)
    assert service.analysed == 1
