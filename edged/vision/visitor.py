"""One person in view: the passage of a track with its shots, its refusals and its hint.

Which faces are found, followed and looked at in a frame is up to `edged.vision.analyser`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from edged.clock import Clock
from edged.config import VisionConfig
from edged.events import GuidanceChanged, Measures, ShotChosen, ShotRefused, TrackEnded, TrackStarted
from edged.frame import Frame
from edged.ids import new_id
from edged.vision import quality
from edged.vision.align import surroundings
from edged.vision.best_shot import BestShot
from edged.vision.detector import Detection
from edged.vision.faces import FaceReader, FaceReading
from edged.vision.guidance import Guidance, HintChange
from edged.vision.passage_verdicts import PassageState, PassageVerdicts
from edged.vision.spoofing import SpoofGuard
from edged.vision.track import Track

REFUSAL_REPEAT_S = 0.5
"""An unchanged refusal of one track is published again after this time, not with every frame."""

SIDES_OVER_FACE = 3.0
"""Side of the picture that goes with a shot, over the side of the face: what a cloud wants to see
(docs/reference/face-api.md 5.1)."""

MAX_RETRY_PAUSE_S = 30.0
"""Longest pause before a denied person who stays in view gets another passage."""


@dataclass(frozen=True)
class CameraView:
    """What all visitors of one camera share.

    Attributes:
        config: limits, pauses and intervals.
        reader: measures faces.
        passages: tells where each passage stands.
        camera_id, door_id: go into every event.
    """

    config: VisionConfig
    reader: FaceReader
    clock: Clock
    passages: PassageVerdicts
    camera_id: str
    door_id: str


class ShotRefusals:
    """Why pictures of one track were no shots, and which refusal is worth an event."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._last: tuple[str, ...] = ()
        self._last_s = float("-inf")

    def take(self, reasons: tuple[str, ...], now_s: float) -> bool:
        """Count a refusal, the deciding reason first. True when it differs from the last published one, or
        that one is `REFUSAL_REPEAT_S` old."""
        self._counts[reasons[0]] += 1
        if reasons == self._last and now_s - self._last_s < REFUSAL_REPEAT_S:
            return False
        self._last, self._last_s = reasons, now_s
        return True

    def most_common(self) -> tuple[str, ...]:
        """The deciding reasons so far, the most frequent first."""
        return tuple(code for code, _ in self._counts.most_common())


class Visitor:
    """The passage of one confirmed track. Belongs to the vision thread.

    Args:
        at: when the passage starts, aware UTC.
        spoofing: the liveness judgement of the track.
        denials: passages of the same track that were denied before.

    Attributes:
        passage_id: identity of the passage in events and records.
        looked_s: monotonic capture time of the newest frame in which the face was measured; -inf before.
    """

    def __init__(
        self, view: CameraView, track: Track, at: datetime, spoofing: SpoofGuard, *, denials: int = 0
    ) -> None:
        self.passage_id = new_id("p", at)
        self.looked_s = float("-inf")
        self._view = view
        self._track_id = track.track_id
        self._started_at = at
        self._spoofing = spoofing
        self._denials = denials
        self._ids = {
            "passage_id": self.passage_id,
            "camera_id": view.camera_id,
            "door_id": view.door_id,
        }
        self._shots = BestShot[ShotChosen](view.config.shot_interval_s)
        self._refusals = ShotRefusals()
        self._guidance = Guidance()
        self._hinted: tuple[str, ...] = ()
        self._measures: Measures | None = None
        self._nearest_px = 0.0
        self._passed_over: str | None = None
        self._retry_s: float | None = None

    # -- beginning and end

    def started(self) -> TrackStarted:
        """The event of its beginning."""
        return TrackStarted(at=self._started_at, track_id=self._track_id, **self._ids)

    def ended(self, track: Track) -> list[GuidanceChanged | TrackEnded]:
        """Its last events: the hint goes, then the track with what was counted."""
        ended = TrackEnded(
            at=self._view.clock.now(),
            track_id=self._track_id,
            frames=track.hits,
            duration_s=track.seen_s - track.first_s,
            nearest_px=self._nearest_px,
            shots=self._shots.sent,
            refusals=self._refusals.most_common(),
            **self._ids,
        )
        return [*self._hint(self._guidance.end(track.seen_s)), ended]

    def may_try_again(self, now_s: float) -> bool:
        """The passage was denied and its pause is over at monotonic `now_s`. The pause doubles with every
        denial; a suspected spoof may call for a longer one."""
        if self._view.passages.state(self.passage_id) is not PassageState.DENIED:
            return False
        if self._retry_s is None:
            pause_s = min(self._view.config.retry_after_s * 2**self._denials, MAX_RETRY_PAUSE_S)
            if self._view.passages.spoof_suspected(self.passage_id):
                pause_s = max(pause_s, self._spoofing.suspected())
            self._retry_s = now_s + pause_s
        return now_s >= self._retry_s

    def again(self, track: Track, at: datetime) -> Visitor:
        """A new passage of the same person, which remembers denials and suspicions."""
        return Visitor(self._view, track, at, self._spoofing, denials=self._denials + 1)

    # -- is it worth a look

    def served(self, refusal: str | None) -> None:
        """The choice among everybody in this frame: None, or the reason code why the door serves somebody
        else."""
        self._passed_over = refusal
        if refusal is not None:
            self._hinted = (refusal,)

    def wants_a_look(self, face: Detection, now_s: float) -> bool:
        """Whether a shot of `face`, captured at `now_s`, could be of use; notes how near the face came."""
        self._nearest_px = max(self._nearest_px, face.face_px)
        return self._is_open() and self._shots.wants(now_s)

    def _is_open(self) -> bool:
        """No decision is in sight. A decision, once there, is the hint."""
        verdict = self._view.passages.verdict(self.passage_id)
        if verdict is not None:
            self._hinted = ("locked_out",) if self._spoofing.locked_out else verdict
        return self._view.passages.state(self.passage_id) is PassageState.OPEN

    # -- shots and refusals

    def pass_over(self, face: Detection, frame: Frame) -> Iterator[ShotRefused]:
        """Put on record that the door serves somebody else, while this passage waits for a decision."""
        if self._passed_over is not None and self._is_open():
            measures = Measures(face_px=face.face_px, detection=face.score)
            yield from self._refuse(frame, measures, {self._passed_over: 0.0})

    def look_closer(
        self, face: Detection, frame: Frame, detect_ms: float
    ) -> Iterator[ShotChosen | ShotRefused]:
        """Measure the face, cheap measures first; refuse it, or offer it as a shot.

        Args:
            detect_ms: time the detector took for this frame.
        """
        self.looked_s = frame.captured_s
        started_s = self._view.clock.monotonic()
        measures, missed, reading = self._measure(face, frame)
        self._hinted, self._measures = tuple(missed) or ("waiting",), measures
        if missed:
            kept = self.kept_shot(frame.captured_s)
            yield from [kept] if kept is not None else self._refuse(frame, measures, missed)
        elif reading is not None and self._spoofing.ready(frame.captured_s, face.box):
            timings_ms = {
                "wait": (started_s - frame.captured_s) * 1e3 - detect_ms,
                "detect": detect_ms,
                "measure": (self._view.clock.monotonic() - started_s) * 1e3,
            }
            yield from self._offer(self._shot(frame, reading, timings_ms))
        if reading is not None:  # after the shot: it costs more than everything before
            self._spoofing.look(frame.image, face, reading.mesh, frame.captured_s)

    def kept_shot(self, now_s: float) -> ShotChosen | None:
        """A shot that was kept in the hope of a better one, when its wait is over."""
        promising = self._view.passages.promising(self.passage_id)
        return self._shots.due(now_s, promising=promising)

    def kept_shot_out_of_sight(self, now_s: float) -> ShotChosen | None:
        """The same for a face that is not in this frame; None too when the passage is decided."""
        return self.kept_shot(now_s) if self._is_open() else None

    def _measure(
        self, face: Detection, frame: Frame
    ) -> tuple[Measures, dict[str, float], FaceReading | None]:
        """Measures, limits missed, and the whole reading unless the detector alone rules the face out."""
        limits = self._view.config.quality
        measures = Measures(face_px=face.face_px, detection=face.score)
        missed = quality.size_refusals(measures, limits)
        if missed:
            return measures, missed, None
        reading = self._view.reader.measure(frame.image, face)
        return reading.measures, quality.refusals(reading.measures, limits), reading

    def _offer(self, shot: ShotChosen) -> Iterator[ShotChosen]:
        promising = self._view.passages.promising(self.passage_id)
        sent = self._shots.offer(shot, shot.quality, shot.captured_s, promising=promising)
        if sent is not None:
            yield sent

    def _shot(self, frame: Frame, reading: FaceReading, timings_ms: dict[str, float]) -> ShotChosen:
        picture, face_box = surroundings(frame.image, reading.detection.box, enlarge=SIDES_OVER_FACE)
        return ShotChosen(
            at=frame.captured_at,
            track_id=self._track_id,
            shot_number=self._shots.sent + 1,
            frame_number=frame.number,
            captured_s=frame.captured_s,
            quality=quality.shot_quality(reading.measures),
            measures=reading.measures,
            liveness=self._spoofing.verdict(frame.captured_s, reading.detection.box),
            aligned=reading.aligned,
            picture=picture,
            face_box=face_box,
            timings_ms=timings_ms,
            **self._ids,
        )

    def _refuse(self, frame: Frame, measures: Measures, missed: dict[str, float]) -> Iterator[ShotRefused]:
        reasons = tuple(missed)
        if self._refusals.take(reasons, frame.captured_s):
            yield ShotRefused(
                at=frame.captured_at,
                track_id=self._track_id,
                reasons=reasons,
                measures=measures,
                limits=missed,
                **self._ids,
            )

    # -- the hint

    def guide(self, now_s: float) -> list[GuidanceChanged]:
        """What the person is shown from now on, when that changes at monotonic `now_s`."""
        return self._hint(self._guidance.take(self._hinted, now_s, self._measures))

    def _hint(self, change: HintChange | None) -> list[GuidanceChanged]:
        if change is None:
            return []
        at = self._view.clock.now()
        return [GuidanceChanged(at=at, track_id=self._track_id, code=change.code, **self._ids)]
