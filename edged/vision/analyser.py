"""Frames of one camera to events about faces: all state of the tracks, no thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from edged.clock import Clock
from edged.config import VisionConfig
from edged.events import (
    Event,
    GuidanceChanged,
    Measures,
    ShotChosen,
    ShotRefused,
    TrackEnded,
    TrackStarted,
)
from edged.frame import Frame
from edged.ids import new_id
from edged.vision import appearance, quality
from edged.vision.align import surroundings
from edged.vision.best_shot import BestShot
from edged.vision.candidates import Candidate, CandidateChooser
from edged.vision.detector import FAINT_SCORE
from edged.vision.faces import FaceReader, FaceReading
from edged.vision.guidance import Guidance, HintChange
from edged.vision.motion import DetectionPacer
from edged.vision.passage_verdicts import PassageState, PassageVerdicts
from edged.vision.spoofing import SpoofGuard
from edged.vision.track import Track
from edged.vision.tracker import Tracker

REFUSAL_REPEAT_S = 0.5
"""An unchanged refusal of one track is published again after this time, not with every frame."""

MEASURED_PER_FRAME = 2
"""Faces looked at closely in one frame; of more, those that have waited longest. Five faces at 25 frames a
second are then still seen ten times a second each."""

SIDES_OVER_FACE = 3.0
"""Side of the picture that goes with a shot, over that of the face: what a cloud wants to see
(docs/reference/face-api.md 5.1)."""

MAX_RETRY_PAUSE_S = 30.0
"""Longest pause before someone who stays in view is looked at again."""


@dataclass
class _Visitor:
    """What is remembered of one confirmed track."""

    passage_id: str
    shots: BestShot[ShotChosen]
    spoofing: SpoofGuard
    guidance: Guidance = field(default_factory=Guidance)
    nearest_px: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    last_reasons: tuple[str, ...] = ()
    last_refusal_s: float = float("-inf")
    looked_s: float = float("-inf")
    passed_over: str | None = None
    hinted: tuple[str, ...] = ()
    measures: Measures | None = None
    denials: int = 0
    retry_s: float | None = None


class Analyser:
    """Turns frames into events. Belongs to one thread, like the networks it uses.

    Args:
        reader: finds and measures faces.
        spoofing: makes the liveness judgement of one new track.
        passages: tells where each passage stands.
    """

    def __init__(
        self,
        config: VisionConfig,
        reader: FaceReader,
        clock: Clock,
        *,
        camera_id: str,
        door_id: str,
        spoofing: Callable[[], SpoofGuard],
        passages: PassageVerdicts,
    ) -> None:
        self._config = config
        self._reader = reader
        self._clock = clock
        self._ids = {"camera_id": camera_id, "door_id": door_id}
        self._spoofing = spoofing
        self._passages = passages
        self._tracker = Tracker(config.lost_after_s)
        self._pacer = DetectionPacer(config.idle_recheck_s, config.detect_interval_s)
        left, top, right, bottom = config.region
        self._chooser = CandidateChooser(
            config.serve,
            region=(left, top, right, bottom),
            single_lane=config.single_lane,
            tie_ratio=config.tie_ratio,
        )
        self._visitors: dict[int, _Visitor] = {}
        self._shape: tuple[int, ...] = ()

    def analyse(self, frame: Frame) -> Iterator[Event]:
        """Everything one frame tells: tracks that started or ended, shots refused and chosen, hints.

        A shot is given out before the next face is looked at, so publish while iterating.
        """
        if frame.cut or frame.image.shape != self._shape:
            yield from self.end_all()
            self._pacer.restart()
            self._shape = frame.image.shape
        if not self._pacer.due(frame.image, frame.captured_s, followed=bool(self._tracker.tracks)):
            return
        started_s = self._clock.monotonic()
        faces = self._reader.detect(
            frame.image, min_face_px=self._config.quality.min_face_px, min_score=FAINT_SCORE
        )
        detect_ms = (self._clock.monotonic() - started_s) * 1e3
        looks = [appearance.look(frame.image, face.box) for face in faces]
        tracked = self._tracker.update(faces, frame.captured_s, looks)
        for track in tracked.ended:
            yield from self._ended(track)
        for track in tracked.started:
            yield self._started(track, frame)
        for track in tracked.seen:
            yield from self._reopen_if_due(track, frame)
        served = self._serve(tracked.seen, frame)
        close = self._worth_a_look(served, frame)
        for track in tracked.seen:
            if track.track_id in close:
                yield from self._look_closer(track, frame, detect_ms)
            else:
                yield from self._pass_over(track, frame)
            yield from self._guide(track, frame)
        yield from self._waiting_shots(tracked.seen, frame.captured_s)

    def _serve(self, seen: list[Track], frame: Frame) -> list[Track]:
        """Those the door serves now; the others are told why not."""
        height, width = frame.image.shape[:2]
        # with those not seen in this frame: one missed detection must not settle a tie
        faces = [Candidate(t.track_id, t.detection.box) for t in self._tracker.tracks if t.confirmed]
        choice = self._chooser.choose(faces, width, height)
        for track in seen:
            visitor = self._visitors[track.track_id]
            visitor.passed_over = choice.others.get(track.track_id)
            if visitor.passed_over is not None:
                visitor.hinted = (visitor.passed_over,)
        return [track for track in seen if track.track_id in choice.served]

    def end_all(self) -> list[Event]:
        """End every track: the picture was cut, or the camera is gone."""
        return [event for track in self._tracker.end_all() for event in self._ended(track)]

    # -- beginnings and ends

    def _started(self, track: Track, frame: Frame) -> TrackStarted:
        passage_id = new_id("p", frame.captured_at)
        shots = BestShot[ShotChosen](self._config.shot_interval_s)
        self._visitors[track.track_id] = _Visitor(passage_id, shots, self._spoofing())
        return TrackStarted(at=frame.captured_at, passage_id=passage_id, track_id=track.track_id, **self._ids)

    def _ended(self, track: Track) -> list[Event]:
        visitor = self._visitors.pop(track.track_id)
        ended = TrackEnded(
            at=self._clock.now(),
            passage_id=visitor.passage_id,
            track_id=track.track_id,
            frames=track.hits,
            duration_s=track.seen_s - track.first_s,
            nearest_px=visitor.nearest_px,
            shots=visitor.shots.sent,
            refusals=tuple(code for code, _ in visitor.refused.most_common()),
            **self._ids,
        )
        return [*self._hint(visitor, track, visitor.guidance.end(track.seen_s)), ended]

    def _reopen_if_due(self, track: Track, frame: Frame) -> list[Event]:
        """Someone who was denied and stays in view gets another passage, after a pause that doubles."""
        visitor = self._visitors[track.track_id]
        if self._passages.state(visitor.passage_id) is not PassageState.DENIED:
            return []
        if visitor.retry_s is None:
            pause_s = min(self._config.retry_after_s * 2**visitor.denials, MAX_RETRY_PAUSE_S)
            if self._passages.spoof_suspected(visitor.passage_id):
                pause_s = max(pause_s, visitor.spoofing.suspected())
            visitor.retry_s = frame.captured_s + pause_s
        if frame.captured_s < visitor.retry_s:
            return []
        ended = self._ended(track)
        started = self._started(track, frame)
        again = self._visitors[track.track_id]
        again.denials, again.spoofing = visitor.denials + 1, visitor.spoofing
        return [*ended, started]

    # -- looking at one face

    def _worth_a_look(self, seen: list[Track], frame: Frame) -> set[int]:
        """The tracks to look at closely in this frame: all that are too small (that costs nothing) and some
        of the others."""
        near, small = [], set()
        for track in seen:
            visitor, face_px = self._visitors[track.track_id], track.detection.face_px
            visitor.nearest_px = max(visitor.nearest_px, face_px)
            if not self._is_open(visitor) or not visitor.shots.wants(frame.captured_s):
                continue
            if face_px < self._config.quality.min_face_px:
                small.add(track.track_id)
            else:
                near.append((visitor.looked_s, track.track_id))
        return small | {track_id for _, track_id in sorted(near)[:MEASURED_PER_FRAME]}

    def _is_open(self, visitor: _Visitor) -> bool:
        verdict = self._passages.verdict(visitor.passage_id)
        if verdict is not None:
            visitor.hinted = ("locked_out",) if visitor.spoofing.locked_out else verdict
        return self._passages.state(visitor.passage_id) is PassageState.OPEN

    def _pass_over(self, track: Track, frame: Frame) -> Iterator[Event]:
        """On record: somebody who is not served although they have not been decided on."""
        visitor = self._visitors[track.track_id]
        if visitor.passed_over is not None and self._is_open(visitor):
            measures = Measures(face_px=track.detection.face_px, detection=track.detection.score)
            refused = self._refused(visitor, track, frame, measures, {visitor.passed_over: 0.0})
            yield from () if refused is None else (refused,)

    def _look_closer(self, track: Track, frame: Frame, detect_ms: float) -> Iterator[Event]:
        """Measure the face, cheap measures first; refuse it, or offer it as a shot."""
        visitor = self._visitors[track.track_id]
        visitor.looked_s = frame.captured_s
        limits, face = self._config.quality, track.detection
        measures = Measures(face_px=face.face_px, detection=face.score)
        started_s = self._clock.monotonic()
        missed, reading = quality.size_refusals(measures, limits), None
        if not missed:
            reading = self._reader.measure(frame.image, face)
            measures = reading.measures
            missed = quality.refusals(measures, limits)
        visitor.hinted, visitor.measures = tuple(missed) or ("waiting",), measures
        if missed:
            promising = self._passages.promising(visitor.passage_id)
            waiting = visitor.shots.due(frame.captured_s, promising=promising)
            refused = None if waiting else self._refused(visitor, track, frame, measures, missed)
            yield from (event for event in (waiting, refused) if event is not None)
        elif reading is not None and visitor.spoofing.ready(frame.captured_s, face.box):
            timings_ms = {
                "wait": (started_s - frame.captured_s) * 1e3 - detect_ms,
                "detect": detect_ms,
                "measure": (self._clock.monotonic() - started_s) * 1e3,
            }
            yield from self._offer(visitor, self._shot(visitor, track, frame, reading, timings_ms))
        if reading is not None:  # after the shot: it costs more than everything before
            visitor.spoofing.look(frame.image, face, reading.mesh, frame.captured_s)

    def _offer(self, visitor: _Visitor, shot: ShotChosen) -> Iterator[Event]:
        promising = self._passages.promising(visitor.passage_id)
        sent = visitor.shots.offer(shot, shot.quality, shot.captured_s, promising=promising)
        if sent is not None:
            yield sent

    def _waiting_shots(self, seen: list[Track], now_s: float) -> list[Event]:
        """Shots kept for tracks that are not in this frame and whose wait for a better one is over."""
        here = {track.track_id for track in seen}
        waiting = [
            visitor.shots.due(now_s, promising=self._passages.promising(visitor.passage_id))
            for track_id, visitor in self._visitors.items()
            if track_id not in here and self._is_open(visitor)
        ]
        return [shot for shot in waiting if shot is not None]

    # -- telling

    def _shot(
        self,
        visitor: _Visitor,
        track: Track,
        frame: Frame,
        reading: FaceReading,
        timings_ms: dict[str, float],
    ) -> ShotChosen:
        picture, face_box = surroundings(frame.image, reading.detection.box, enlarge=SIDES_OVER_FACE)
        return ShotChosen(
            at=frame.captured_at,
            passage_id=visitor.passage_id,
            track_id=track.track_id,
            shot_number=visitor.shots.sent + 1,
            frame_number=frame.number,
            captured_s=frame.captured_s,
            quality=quality.shot_quality(reading.measures),
            measures=reading.measures,
            liveness=visitor.spoofing.verdict(frame.captured_s, reading.detection.box),
            aligned=reading.aligned,
            picture=picture,
            face_box=face_box,
            timings_ms=timings_ms,
            **self._ids,
        )

    def _refused(
        self, visitor: _Visitor, track: Track, frame: Frame, measures: Measures, missed: dict[str, float]
    ) -> ShotRefused | None:
        reasons = tuple(missed)
        visitor.refused[reasons[0]] += 1
        unchanged = reasons == visitor.last_reasons
        if unchanged and frame.captured_s - visitor.last_refusal_s < REFUSAL_REPEAT_S:
            return None
        visitor.last_reasons, visitor.last_refusal_s = reasons, frame.captured_s
        return ShotRefused(
            at=frame.captured_at,
            passage_id=visitor.passage_id,
            track_id=track.track_id,
            reasons=reasons,
            measures=measures,
            limits=missed,
            **self._ids,
        )

    def _guide(self, track: Track, frame: Frame) -> list[Event]:
        visitor = self._visitors[track.track_id]
        change = visitor.guidance.take(visitor.hinted, frame.captured_s, visitor.measures)
        return self._hint(visitor, track, change)

    def _hint(self, visitor: _Visitor, track: Track, change: HintChange | None) -> list[Event]:
        if change is None:
            return []
        return [
            GuidanceChanged(
                at=self._clock.now(),
                passage_id=visitor.passage_id,
                track_id=track.track_id,
                code=change.code,
                **self._ids,
            )
        ]
