"""Worker threads that take shots from the bus, ask an engine, and publish its answers.

One request is in flight per passage, a better shot replaces a waiting one, and the passage that began first
goes first. Whoever publishes a shot never waits: a slow engine only makes waiting shots be replaced.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from edged.bus import EventBus, Subscription
from edged.clock import Clock
from edged.config import RecognitionConfig
from edged.errors import EdgedError
from edged.events import (
    Event,
    FaceIdentified,
    PassageExhausted,
    RecognitionFailed,
    ShotChosen,
    TrackEnded,
)
from edged.recognition.consensus import Consensus, ConsensusRules, Verdict, add_answer, add_failure
from edged.recognition.protocol import Identification, Recognizer

MAX_PASSAGES: Final = 1024  # remembered at once; ended ones are forgotten long before
BEAT_S: Final = 1.0  # an idle worker reports at least this often


@dataclass
class _Passage:
    waiting: ShotChosen | None = None
    busy: bool = False
    end: TrackEnded | None = None
    settled: bool = False
    last: FaceIdentified | RecognitionFailed | None = None
    consensus: Consensus = field(default_factory=Consensus)


class RecognitionService:
    """Recognises the shots on the bus.

    Args:
        config: thresholds and number of workers.
        recognizer_factory: makes one engine for each worker.
        bus: brings `ShotChosen` and `TrackEnded`, takes `FaceIdentified`, `RecognitionFailed` and, for a
            passage that ends without an answer to decide on, `PassageExhausted`.
        clock: wall time of the events published.
        max_shots: attempts one passage has.
        on_beat: called at least every 2 s while every worker is alive and working.
    """

    def __init__(
        self,
        config: RecognitionConfig,
        recognizer_factory: Callable[[], Recognizer],
        bus: EventBus,
        clock: Clock,
        *,
        max_shots: int,
        on_beat: Callable[[], None] | None = None,
    ) -> None:
        self._rules = ConsensusRules(config.threshold, config.margin, config.agreeing_shots, max_shots)
        self._workers = config.workers
        self._factory = recognizer_factory
        self._bus = bus
        self._clock = clock
        self._on_beat = on_beat
        self._changed = threading.Condition()
        self._passages: dict[str, _Passage] = {}  # in the order in which they began
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._subscription: Subscription | None = None
        self._quiet: set[str] = set()  # workers not heard of since the last beat

    def start(self) -> None:
        """Load and warm up one engine per worker, then begin to take shots. Engine errors are raised here."""
        engines = [self._factory() for _ in range(self._workers)]
        for number, engine in enumerate(engines, 1):
            engine.warm_up()
            name = f"recognition-{number}"
            thread = threading.Thread(target=self._run, args=(engine, name), name=name, daemon=True)
            self._threads.append(thread)
        self._quiet = {thread.name for thread in self._threads}
        for thread in self._threads:
            thread.start()
        self._subscription = self._bus.subscribe((ShotChosen, TrackEnded), self._on_event, name="recognition")

    def stop(self, timeout_s: float = 2.0) -> bool:
        """Take no more shots, drop waiting ones, let running ones finish.

        Returns:
            True when every worker ended within `timeout_s`.
        """
        if self._subscription is not None:
            self._subscription.close(timeout_s)
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        deadline_s = self._clock.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - self._clock.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def decided(self, passage_id: str) -> bool:
        """True when no further shot of this (running) passage is of use."""
        with self._changed:
            passage = self._passages.get(passage_id)
            return passage is not None and passage.consensus.final

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until every shot that has arrived is answered. False: `timeout_s` passed first."""
        with self._changed:
            return self._changed.wait_for(
                lambda: not any(p.busy or p.waiting for p in self._passages.values()), timeout_s
            )

    # -- in the subscription's thread

    def _on_event(self, event: Event) -> None:
        exhausted = None
        with self._changed:
            if isinstance(event, ShotChosen):
                self._offer(event)
            elif isinstance(event, TrackEnded):
                exhausted = self._end(event)
            self._changed.notify_all()
        if exhausted is not None:
            self._bus.publish(exhausted)

    def _offer(self, shot: ShotChosen) -> None:
        key = _key(shot)
        if key not in self._passages:
            self._make_room()
            self._passages[key] = _Passage()
        passage = self._passages[key]
        if passage.consensus.final:
            return
        if passage.waiting is None or shot.quality >= passage.waiting.quality:
            passage.waiting = shot

    def _make_room(self) -> None:
        """Only reached when ends of tracks got lost; the oldest passage without work is forgotten."""
        if len(self._passages) >= MAX_PASSAGES:
            idle = (k for k, p in self._passages.items() if not p.busy)
            self._passages.pop(next(idle), None)

    def _end(self, event: TrackEnded) -> PassageExhausted | None:
        passage = self._passages.setdefault(_key(event), _Passage())
        passage.end = event
        return self._forget_if_over(_key(event), passage)

    def _forget_if_over(self, key: str, passage: _Passage) -> PassageExhausted | None:
        """Drop a passage whose track has gone and whose work is done; tells if it never came to an answer."""
        if passage.end is None or passage.busy or passage.waiting is not None:
            return None
        self._passages.pop(key, None)
        if passage.settled:
            return None
        return self._exhausted(passage.end, passage.last)

    def _exhausted(
        self, end: TrackEnded, last: FaceIdentified | RecognitionFailed | None
    ) -> PassageExhausted | None:
        """Why nothing could be decided. None for a face that never came near: nobody asked to be let in."""
        if isinstance(last, FaceIdentified):
            reasons = ("not_confirmed",) if last.agreeing_shots else ("not_recognised",)
        elif last is not None:
            reasons = ("recognition_failed", last.code)
        elif any(code != "face_too_small" for code in end.refusals):
            reasons = ("no_usable_shot", *end.refusals)
        else:
            return None
        return PassageExhausted(
            **self._about(end),
            reasons=reasons,
            score=last.score if isinstance(last, FaceIdentified) else None,
            measures=last.measures if isinstance(last, FaceIdentified) else None,
        )

    # -- in the workers

    def _run(self, engine: Recognizer, name: str) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._next() is not None, BEAT_S)
                if self._stopping:
                    return
                key = self._next()
                if key is not None:
                    passage = self._passages[key]
                    shot, passage.waiting, passage.busy = passage.waiting, None, True
            self._beat(name)
            if key is not None:
                self._recognise(engine, key, passage, shot)

    def _beat(self, worker: str) -> None:
        """Report life once every worker has shown some: one that hangs is not covered by the others."""
        with self._changed:
            self._quiet.discard(worker)
            if self._quiet or self._on_beat is None:
                return
            self._quiet = {thread.name for thread in self._threads}
        self._on_beat()

    def _next(self) -> str | None:
        return next((k for k, p in self._passages.items() if p.waiting is not None and not p.busy), None)

    def _recognise(self, engine: Recognizer, key: str, passage: _Passage, shot: ShotChosen) -> None:
        event = self._answer(engine, passage, shot)
        # published before the next shot of this passage may start, so that its answers stay in order
        self._bus.publish(event)
        with self._changed:
            passage.busy = False
            given_up = self._give_up(shot, passage, event)
            exhausted = self._forget_if_over(key, passage) or given_up
            self._changed.notify_all()
        if exhausted is not None:
            self._bus.publish(exhausted)

    def _give_up(self, shot: ShotChosen, passage: _Passage, event: Event) -> PassageExhausted | None:
        """The last attempt failed in the engine: the person must not be left without an answer."""
        passage.last = event if isinstance(event, FaceIdentified | RecognitionFailed) else None
        if passage.settled or not passage.consensus.final:
            return None
        passage.settled = True
        return PassageExhausted(
            **self._about(shot),
            reasons=("recognition_failed", getattr(event, "code", "engine_error")),
            measures=shot.measures,
        )

    def _answer(self, engine: Recognizer, passage: _Passage, shot: ShotChosen) -> Event:
        try:
            answer = engine.identify(shot, passage.consensus.run)
        except EdgedError as error:
            return self._failure(engine, passage, shot, error.code, str(error))
        except Exception as error:  # noqa: BLE001 - supervises the engine: one bad shot must not end the worker
            return self._failure(engine, passage, shot, "engine_error", f"{type(error).__name__}: {error}")
        with self._changed:
            passage.consensus, verdict = add_answer(passage.consensus, answer, self._rules)
            self._drop_waiting_if_final(passage)
            final = passage.settled = passage.consensus.final
        return self._identified(shot, answer, verdict, final)

    def _failure(
        self, engine: Recognizer, passage: _Passage, shot: ShotChosen, code: str, reason: str
    ) -> RecognitionFailed:
        with self._changed:
            passage.consensus = add_failure(passage.consensus, self._rules)
            self._drop_waiting_if_final(passage)
        return RecognitionFailed(
            **self._about(shot),
            shot_number=shot.shot_number,
            engine=engine.engine,
            code=code,
            reason=reason,
        )

    def _about(self, of: ShotChosen | TrackEnded) -> dict[str, Any]:
        """What every answer repeats of the shot or the end of the track it is about."""
        return {
            "at": self._clock.now(),
            "passage_id": of.passage_id,
            "door_id": of.door_id,
            "camera_id": of.camera_id,
            "track_id": of.track_id,
        }

    def _drop_waiting_if_final(self, passage: _Passage) -> None:
        if passage.consensus.final:
            passage.waiting = None

    def _identified(
        self, shot: ShotChosen, answer: Identification, verdict: Verdict, final: bool
    ) -> FaceIdentified:
        return FaceIdentified(
            **self._about(shot),
            shot_number=shot.shot_number,
            captured_s=shot.captured_s,
            engine=answer.engine,
            model_id=answer.model_id,
            person_id=verdict.person_id,
            score=verdict.score,
            margin=verdict.margin,
            runner_up_id=verdict.runner_up_id,
            agreeing_shots=verdict.agreeing_shots,
            gallery_people=answer.gallery_people,
            final=final,
            measures=shot.measures,
            liveness=shot.liveness,
            timings_ms={**shot.timings_ms, **answer.timings_ms},
        )


def _key(event: ShotChosen | TrackEnded) -> str:
    return event.passage_id or f"{event.camera_id}/{event.track_id}"
