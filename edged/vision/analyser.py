"""Frames of one camera to events about faces: detects, follows, and shares out the time for a closer look.

Holds all state of the tracks and no thread. What happens to one person in view is in `edged.vision.visitor`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edged.clock import Clock
from edged.config import VisionConfig
from edged.events import Event, ShotChosen, TrackStarted
from edged.frame import Frame
from edged.vision import appearance
from edged.vision.candidates import Candidate, CandidateChooser
from edged.vision.detector import FAINT_SCORE
from edged.vision.faces import FaceReader
from edged.vision.motion import DetectionPacer
from edged.vision.passage_verdicts import PassageVerdicts
from edged.vision.spoofing import SpoofGuard
from edged.vision.track import Track
from edged.vision.tracker import Tracked, Tracker
from edged.vision.visitor import CameraView, Visitor

MEASURED_PER_FRAME = 2
"""Faces measured in one frame; with more faces, those that have waited longest. Five faces at 25 frames a
second are then still seen ten times a second each."""


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
        self._view = CameraView(config, reader, clock, passages, camera_id, door_id)
        self._spoofing = spoofing
        self._tracker = Tracker(config.lost_after_s)
        self._pacer = DetectionPacer(config.idle_recheck_s, config.detect_interval_s)
        left, top, right, bottom = config.region
        self._chooser = CandidateChooser(
            config.serve,
            region=(left, top, right, bottom),
            single_lane=config.single_lane,
            tie_ratio=config.tie_ratio,
        )
        self._visitors: dict[int, Visitor] = {}
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
        tracked, detect_ms = self._follow(frame)
        yield from self._come_and_go(tracked, frame)
        close = self._worth_a_look(self._served(tracked.seen, frame), frame.captured_s)
        for track in tracked.seen:
            visitor = self._visitors[track.track_id]
            if track.track_id in close:
                yield from visitor.look_closer(track.detection, frame, detect_ms)
            else:
                yield from visitor.pass_over(track.detection, frame)
            yield from visitor.guide(frame.captured_s)
        yield from self._shots_out_of_sight(tracked.seen, frame.captured_s)

    def end_all(self) -> list[Event]:
        """End every track: the picture was cut, or the camera is gone."""
        return [event for track in self._tracker.end_all() for event in self._ended(track)]

    # -- tracks

    def _follow(self, frame: Frame) -> tuple[Tracked, float]:
        """What the frame changes about the tracks, and how many milliseconds the detector took."""
        started_s = self._clock.monotonic()
        faces = self._reader.detect(
            frame.image, min_face_px=self._config.quality.min_face_px, min_score=FAINT_SCORE
        )
        detect_ms = (self._clock.monotonic() - started_s) * 1e3
        looks = [appearance.look(frame.image, face.box) for face in faces]
        return self._tracker.update(faces, frame.captured_s, looks), detect_ms

    def _come_and_go(self, tracked: Tracked, frame: Frame) -> Iterator[Event]:
        """Tracks that ended and started, and denied people who stay in view and get another passage."""
        for track in tracked.ended:
            yield from self._ended(track)
        for track in tracked.started:
            yield self._started(track, Visitor(self._view, track, frame.captured_at, self._spoofing()))
        for track in tracked.seen:
            visitor = self._visitors[track.track_id]
            if visitor.may_try_again(frame.captured_s):
                again = visitor.again(track, frame.captured_at)
                yield from [*self._ended(track), self._started(track, again)]

    def _started(self, track: Track, visitor: Visitor) -> TrackStarted:
        self._visitors[track.track_id] = visitor
        return visitor.started()

    def _ended(self, track: Track) -> list[Event]:
        return [*self._visitors.pop(track.track_id).ended(track)]

    # -- who gets a closer look

    def _served(self, seen: list[Track], frame: Frame) -> list[Track]:
        """The tracks the door serves now; every visitor learns whether it is among them."""
        height, width = frame.image.shape[:2]
        # with those not seen in this frame: one missed detection must not settle a tie
        faces = [Candidate(t.track_id, t.detection.box) for t in self._tracker.tracks if t.confirmed]
        choice = self._chooser.choose(faces, width, height)
        for track in seen:
            self._visitors[track.track_id].served(choice.others.get(track.track_id))
        return [track for track in seen if track.track_id in choice.served]

    def _worth_a_look(self, served: list[Track], now_s: float) -> set[int]:
        """The tracks to look at closely in this frame: all that are too small (that costs nothing) and
        `MEASURED_PER_FRAME` of the others."""
        near, small = [], set()
        for track in served:
            visitor = self._visitors[track.track_id]
            if not visitor.wants_a_look(track.detection, now_s):
                continue
            if track.detection.face_px < self._config.quality.min_face_px:
                small.add(track.track_id)
            else:
                near.append((visitor.looked_s, track.track_id))
        return small | {track_id for _, track_id in sorted(near)[:MEASURED_PER_FRAME]}

    def _shots_out_of_sight(self, seen: list[Track], now_s: float) -> list[ShotChosen]:
        """Shots kept for tracks that are not in this frame and whose wait for a better one is over."""
        here = {track.track_id for track in seen}
        kept = [
            visitor.kept_shot_out_of_sight(now_s)
            for track_id, visitor in self._visitors.items()
            if track_id not in here
        ]
        return [shot for shot in kept if shot is not None]
