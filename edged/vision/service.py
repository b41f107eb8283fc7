"""The vision thread of one camera: newest frame in, events about faces out."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from edged.bus import EventBus
from edged.camera.frame import Frame
from edged.clock import Clock
from edged.config import VisionConfig
from edged.events import ComponentFailed, Event, Measures, ShotChosen, ShotRefused, TrackEnded, TrackStarted
from edged.ids import new_id
from edged.vision import quality
from edged.vision.align import surroundings
from edged.vision.best_shot import BestShot
from edged.vision.faces import FaceReader, FaceReading
from edged.vision.passages import PassageBook, PassageState
from edged.vision.tracker import Track, Tracker

REFUSAL_REPEAT_S = 0.5
"""An unchanged refusal of one track is published again after this time, not with every frame."""

MAX_RETRY_PAUSE_S = 30.0
"""Longest pause before someone who stays in view is looked at again."""

_IDLE_S = 0.2


@dataclass
class _Visitor:
    """What the vision thread remembers of one confirmed track."""

    passage_id: str
    shots: BestShot[ShotChosen]
    nearest_px: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    last_reasons: tuple[str, ...] = ()
    last_refusal_s: float = float("-inf")
    denials: int = 0
    retry_s: float | None = None


class Analyser:
    """Frames of one camera to events; all state of the tracks, no thread.

    Args:
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
        passages: PassageBook,
    ) -> None:
        self._config = config
        self._reader = reader
        self._clock = clock
        self._ids = {"camera_id": camera_id, "door_id": door_id}
        self._passages = passages
        self._tracker = Tracker(config.lost_after_s)
        self._visitors: dict[int, _Visitor] = {}

    def analyse(self, frame: Frame) -> list[Event]:
        """Everything one frame tells: tracks that started or ended, shots refused and chosen."""
        events: list[Event] = self.end_all() if frame.cut else []
        started_s = self._clock.monotonic()
        faces = self._reader.detect(frame.image, min_face_px=self._config.quality.min_face_px)
        detect_ms = (self._clock.monotonic() - started_s) * 1e3
        tracked = self._tracker.update(faces, frame.captured_s)
        events += [self._ended(track) for track in tracked.ended]
        events += [self._started(track, frame) for track in tracked.started]
        for track in tracked.seen:
            events += self._reopen_if_due(track, frame)
            event = self._look_at(track, frame, detect_ms)
            if event is not None:
                events.append(event)
        return events + self._waiting_shots(tracked.seen, frame.captured_s)

    def end_all(self) -> list[Event]:
        """End every track: the picture was cut, or the camera is gone."""
        return [self._ended(track) for track in self._tracker.end_all()]

    def _waiting_shots(self, seen: list[Track], now_s: float) -> list[Event]:
        """Shots kept for tracks that are not in this frame and whose wait for a better one is over."""
        here = {track.track_id for track in seen}
        waiting = [v.shots.due(now_s) for track_id, v in self._visitors.items() if track_id not in here]
        return [shot for shot in waiting if shot is not None]

    def _reopen_if_due(self, track: Track, frame: Frame) -> list[Event]:
        """Someone who was denied and stays in view gets another passage, after a pause that doubles."""
        visitor = self._visitors[track.track_id]
        if self._passages.state(visitor.passage_id) is not PassageState.DENIED:
            return []
        if visitor.retry_s is None:
            pause_s = min(self._config.retry_after_s * 2**visitor.denials, MAX_RETRY_PAUSE_S)
            visitor.retry_s = frame.captured_s + pause_s
        if frame.captured_s < visitor.retry_s:
            return []
        ended = self._ended(track)
        started = self._started(track, frame)
        self._visitors[track.track_id].denials = visitor.denials + 1
        return [ended, started]

    def _started(self, track: Track, frame: Frame) -> TrackStarted:
        passage_id = new_id("p", frame.captured_at)
        shots = BestShot[ShotChosen](self._config.shot_interval_s)
        self._visitors[track.track_id] = _Visitor(passage_id, shots)
        return TrackStarted(at=frame.captured_at, passage_id=passage_id, track_id=track.track_id, **self._ids)

    def _ended(self, track: Track) -> TrackEnded:
        visitor = self._visitors.pop(track.track_id)
        return TrackEnded(
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

    def _look_at(self, track: Track, frame: Frame, detect_ms: float) -> Event | None:
        visitor = self._visitors[track.track_id]
        face = track.detection
        visitor.nearest_px = max(visitor.nearest_px, face.face_px)
        open_ = self._passages.state(visitor.passage_id) is PassageState.OPEN
        if not open_ or not visitor.shots.wants(frame.captured_s):
            return None
        measures = Measures(face_px=face.face_px, detection=face.score)
        missed = quality.size_refusals(measures, self._config.quality)
        started_s = self._clock.monotonic()
        reading: FaceReading | None = None
        if not missed:
            reading = self._reader.measure(frame.image, face)
            measures = reading.measures
            missed = quality.refusals(measures, self._config.quality)
        if missed or reading is None:
            waiting = visitor.shots.due(frame.captured_s)
            return waiting or self._refused(visitor, track, frame, measures, missed)
        timings_ms = {
            "wait": (started_s - frame.captured_s) * 1e3 - detect_ms,
            "detect": detect_ms,
            "measure": (self._clock.monotonic() - started_s) * 1e3,
        }
        shot = self._shot(visitor, track, frame, reading, timings_ms)
        promising = self._passages.promising(visitor.passage_id)
        return visitor.shots.offer(shot, shot.quality, frame.captured_s, promising=promising)

    def _shot(
        self,
        visitor: _Visitor,
        track: Track,
        frame: Frame,
        reading: FaceReading,
        timings_ms: dict[str, float],
    ) -> ShotChosen:
        return ShotChosen(
            at=frame.captured_at,
            passage_id=visitor.passage_id,
            track_id=track.track_id,
            shot_number=visitor.shots.sent + 1,
            frame_number=frame.number,
            captured_s=frame.captured_s,
            quality=quality.shot_quality(reading.measures),
            measures=reading.measures,
            aligned=reading.aligned,
            picture=surroundings(frame.image, reading.detection.box),
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


class FrameQueue(Protocol):
    """Where the vision thread gets its frames."""

    @property
    def finished(self) -> bool:
        """No frame will ever come again."""
        ...

    def take(self, timeout_s: float | None = None) -> Frame | None:
        """The newest frame, waited for up to `timeout_s`."""
        ...


class VisionService:
    """Runs an Analyser in a thread of its own.

    Args:
        frames: where frames come from, e.g. a camera's mailbox. The thread ends when it is finished.
        analyser_factory: called in the thread, because networks belong to the thread that uses them.
        on_beat: called at least every 0.2 s while the thread is alive and working.
    """

    def __init__(
        self,
        frames: FrameQueue,
        analyser_factory: Callable[[], Analyser],
        bus: EventBus,
        *,
        on_beat: Callable[[], None],
    ) -> None:
        self._frames = frames
        self._analyser_factory = analyser_factory
        self._bus = bus
        self._on_beat = on_beat
        self._stopping = threading.Event()
        self._analysed = 0
        self._thread = threading.Thread(target=self._run, name="vision", daemon=True)

    @property
    def analysed(self) -> int:
        """Frames looked at so far."""
        return self._analysed

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread to end by itself, because no more frames come. True when it has."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def stop(self, timeout_s: float) -> bool:
        """End after the frame at hand; open tracks are ended. True when that took less than `timeout_s`."""
        self._stopping.set()
        return self.join(timeout_s)

    def _run(self) -> None:
        analyser = self._analyser_factory()
        while not self._stopping.is_set() and not self._frames.finished:
            self._on_beat()
            frame = self._frames.take(_IDLE_S)
            if frame is not None:
                self._analyse(analyser, frame)
        self._publish(analyser.end_all())

    def _analyse(self, analyser: Analyser, frame: Frame) -> None:
        try:
            events = analyser.analyse(frame)
        except Exception as error:  # noqa: BLE001 - one bad frame must not end the thread; it is told instead
            self._publish(
                [
                    ComponentFailed(
                        at=frame.captured_at,
                        component="vision",
                        error=f"{type(error).__name__}: {error}",
                        hint="The frame was dropped. If this repeats, report it with `edged inspect` output.",
                    )
                ]
            )
            return
        self._publish(events)
        self._analysed += 1

    def _publish(self, events: list[Event]) -> None:
        for event in events:
            self._bus.publish(event)
