"""Worker threads that take shots from the bus, ask an engine, and publish its answers.

`shot_queue.py` decides which shots go next, and together; `consensus.py` interprets the answers. The
publisher of a shot never waits: while an engine is slow, better shots replace waiting ones.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

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
    ShotRefused,
    TrackEnded,
    TrackStarted,
)
from edged.recognition import reports
from edged.recognition.consensus import add_answer, add_failure, rules_by_engine
from edged.recognition.protocol import (
    HYBRID,
    LOCAL,
    FaceNotAnswered,
    Identification,
    Question,
    Recognizer,
    SpoofSuspected,
)
from edged.recognition.shot_queue import Job, ShotQueue

BEAT_S: Final = 1.0  # an idle worker reports at least this often


class RecognitionService:
    """Recognises the shots on the bus.

    Args:
        config: thresholds, number of workers, and how long shots wait for those of other people in view.
        recognizer_factory: makes one engine for each worker.
        bus: brings `ShotChosen` and `TrackEnded`, takes `FaceIdentified`, `RecognitionFailed` and, for a
            passage that ends without an answer to decide on, `PassageExhausted`.
        clock: wall time of the events published.
        max_shots: attempts one passage has.
        doors: number of doors; with `hybrid` no door waits for the cloud calls of another, so each adds
            workers.
        on_beat: called at least every 2 s while every worker is alive and working.
        on_saved: gets the number of shots that needed no engine.
    """

    def __init__(
        self,
        config: RecognitionConfig,
        recognizer_factory: Callable[[], Recognizer],
        bus: EventBus,
        clock: Clock,
        *,
        max_shots: int,
        doors: int = 1,
        on_beat: Callable[[], None] | None = None,
        on_saved: Callable[[int], None] = lambda shots: None,
    ) -> None:
        self._rules = rules_by_engine(config, max_shots)
        self._per_door = config.engine == HYBRID
        self._workers = config.workers if config.engine == LOCAL else config.cloud.workers
        if self._per_door:
            self._workers *= doors
        self._gather_s = config.cloud.gather_s
        self._factory = recognizer_factory
        self._bus = bus
        self._clock = clock
        self._on_beat = on_beat
        self._on_saved = on_saved
        self._changed = threading.Condition()
        self._queue = ShotQueue()
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self._subscription: Subscription | None = None
        self._quiet: set[str] = set()  # workers not heard of since the last beat

    def start(self) -> None:
        """Load and warm up one engine per worker, then begin to take shots. Engine errors are raised here."""
        engines = [self._factory() for _ in range(self._workers)]
        self._queue = ShotQueue(
            max_batch=engines[0].max_batch, gather_s=self._gather_s, per_door=self._per_door
        )
        for number, engine in enumerate(engines, 1):
            engine.warm_up()
            name = f"recognition-{number}"
            thread = threading.Thread(target=self._run, args=(engine, name), name=name, daemon=True)
            self._threads.append(thread)
        self._quiet = {thread.name for thread in self._threads}
        for thread in self._threads:
            thread.start()
        kinds: tuple[type[Event], ...] = (ShotChosen, TrackEnded)
        if engines[0].max_batch > 1:
            kinds += (TrackStarted, ShotRefused)
        self._subscription = self._bus.subscribe(kinds, self._on_event, name="recognition")

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

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until every shot that has arrived is answered. False: `timeout_s` passed first."""
        with self._changed:
            return self._changed.wait_for(lambda: self._queue.idle, timeout_s)

    # -- in the subscription's thread

    def _on_event(self, event: Event) -> None:
        given_up: PassageExhausted | None = None
        with self._changed:
            if isinstance(event, ShotChosen):
                self._queue.offer(event, self._clock.monotonic())
                self._count_unsent()
            elif isinstance(event, TrackStarted):
                self._queue.began(event)
            elif isinstance(event, ShotRefused):
                self._queue.refused(event)
            elif isinstance(event, TrackEnded):
                over = self._queue.ended(event)
                given_up = reports.exhausted(self._clock.now(), over) if over else None
            self._changed.notify_all()
        if given_up is not None:
            self._bus.publish(given_up)

    # -- in the workers

    def _run(self, engine: Recognizer, name: str) -> None:
        while True:
            with self._changed:
                jobs = self._wait_for_jobs()
                if self._stopping:
                    return
            self._beat(name)
            if jobs:
                self._recognise(engine, jobs)

    def _wait_for_jobs(self) -> list[Job]:
        """The next shots to recognise; empty after a second, or after a change that frees no shot."""
        now_s = self._clock.monotonic()
        jobs = [] if self._stopping else self._queue.take(now_s)
        if not jobs and not self._stopping:
            held_s = self._queue.wait_s(now_s)
            self._changed.wait(BEAT_S if held_s is None else min(held_s, BEAT_S))
            jobs = [] if self._stopping else self._queue.take(self._clock.monotonic())
        return jobs

    def _beat(self, worker: str) -> None:
        """Report life once every worker has shown it, so that the others do not cover for one that hangs."""
        with self._changed:
            self._quiet.discard(worker)
            if self._quiet or self._on_beat is None:
                return
            self._quiet = {thread.name for thread in self._threads}
        self._on_beat()

    def _recognise(self, engine: Recognizer, jobs: list[Job]) -> None:
        for job, answer in zip(jobs, self._answers(engine, jobs), strict=True):
            event = self._take_in(job, answer, engine.engine)
            # publish before the next shot of this passage may start, so that its answers stay in order
            self._bus.publish(event)
            given_up = self._finish(job, event)
            if given_up is not None:
                self._bus.publish(given_up)

    def _answers(self, engine: Recognizer, jobs: list[Job]) -> Sequence[Identification | Exception]:
        questions = [Question(job.shot, job.passage.consensus.run) for job in jobs]
        try:
            answers = engine.identify_batch(questions)
            if len(answers) != len(questions):
                raise RuntimeError(f"{len(answers)} answers to {len(questions)} questions")
        except EdgedError as error:
            return [error] * len(jobs)
        except Exception as error:  # noqa: BLE001 - supervises the engine: one bad shot must not end it
            return [error] * len(jobs)
        return answers

    def _take_in(self, job: Job, answer: Identification | Exception, engine: str) -> Event:
        passage, now = job.passage, self._clock.now()
        with self._changed:
            if isinstance(answer, Identification):
                rules = self._rules.get(answer.engine, self._rules[LOCAL])
                passage.consensus, verdict = add_answer(passage.consensus, answer, rules)
                passage.settled = passage.consensus.final
                passage.denial, passage.alone = (), False
                event: FaceIdentified | RecognitionFailed = reports.identified(now, job.shot, answer, verdict)
            else:
                passage.consensus = add_failure(passage.consensus, self._rules[LOCAL])
                if isinstance(answer, SpoofSuspected):
                    passage.consensus = replace(passage.consensus, final=True)
                passage.alone = isinstance(answer, FaceNotAnswered)
                passage.denial = reports.denial_of(answer)
                event = reports.failed(now, job.shot, engine, answer)
            if passage.consensus.final:
                self._queue.drop_waiting(passage)
                self._count_unsent()
            passage.last = event
        return event

    def _count_unsent(self) -> None:
        if unsent := self._queue.take_unsent():
            self._on_saved(unsent)

    def _finish(self, job: Job, event: Event) -> PassageExhausted | None:
        """End the request. Returns the event for a passage that is given up, if any."""
        passage, now = job.passage, self._clock.now()
        given_up: PassageExhausted | None = None
        with self._changed:
            passage.busy = False
            if passage.consensus.final and not passage.settled:
                passage.settled = True
                given_up = reports.given_up(now, job.shot, passage)
            over = self._queue.forget_if_over(job.key)
            self._changed.notify_all()
        if given_up is None and over is not None:
            given_up = reports.exhausted(now, over)
        return given_up
