"""Queue that picks the next shot and batches shots for one call. State only: no threads, clock or events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from edged.events import FaceIdentified, RecognitionFailed, ShotChosen, ShotRefused, TrackEnded, TrackStarted
from edged.recognition.consensus import Consensus

MAX_PASSAGES: Final = 1024  # remembered at once; ended ones are forgotten long before

FAR_AWAY: Final = frozenset({"face_too_small", "not_served", "outside_region"})
"""Refusals after which no shot of this face is likely soon."""


@dataclass
class Passage:
    """State of one passage.

    Attributes:
        camera_id: camera that saw the person first.
        waiting: its best shot that no worker has taken; it waits since `waiting_s` (monotonic).
        busy: a request is in flight.
        near: a shot may come at any moment.
        alone: its next shot must not share a call with others.
        end: the end of its track; None: still in view.
        settled: its final event has been published.
        last: the latest answer, published.
        denial: the reason codes for a denial that rests on the latest failure; empty when there is none.
        consensus: its answers so far, combined.
    """

    camera_id: str | None = None
    waiting: ShotChosen | None = None
    waiting_s: float = 0.0
    busy: bool = False
    near: bool = True
    alone: bool = False
    end: TrackEnded | None = None
    settled: bool = False
    last: FaceIdentified | RecognitionFailed | None = None
    denial: tuple[str, ...] = ()
    consensus: Consensus = field(default_factory=Consensus)

    @property
    def ready(self) -> bool:
        """Whether a worker may take a shot of it."""
        return self.waiting is not None and not self.busy

    @property
    def expected(self) -> bool:
        """Whether its first shot is likely soon."""
        idle = self.waiting is None and not self.busy and self.end is None
        return self.near and idle and not self.consensus.attempts


@dataclass(frozen=True)
class Job:
    """One shot that was taken, and its passage."""

    key: str
    passage: Passage
    shot: ShotChosen


class ShotQueue:
    """Shots that wait for an engine. The oldest passage goes first, a better shot replaces a waiting one, and
    one shot of a passage is in work at a time.

    Args:
        max_batch: most shots in one call.
        gather_s: longest wait of a shot for those of other people near the same camera, to share a call.
        per_door: only shots of the same door share a call, so that no door waits for another.
    """

    def __init__(self, *, max_batch: int = 1, gather_s: float = 0.0, per_door: bool = False) -> None:
        self._max_batch = max_batch
        self._per_door = per_door
        self._gather_s = gather_s if max_batch > 1 else 0.0
        self._passages: dict[str, Passage] = {}  # in the order in which they began
        self._unsent = 0

    @property
    def idle(self) -> bool:
        """No shot waits or is in work."""
        return not any(p.busy or p.waiting for p in self._passages.values())

    def take_unsent(self) -> int:
        """Number of shots since the last call that needed no engine: a better one came, or the passage was
        over."""
        unsent, self._unsent = self._unsent, 0
        return unsent

    # -- events of vision

    def began(self, event: TrackStarted) -> None:
        """Somebody has come into view."""
        self._passage(event)

    def refused(self, event: ShotRefused) -> None:
        """Vision refused a face: other shots do not wait for a person who is far away."""
        passage = self._passages.get(key_of(event))
        if passage is not None:
            passage.near = not FAR_AWAY.intersection(event.reasons)

    def offer(self, shot: ShotChosen, now_s: float) -> None:
        """A shot to recognise."""
        passage = self._passage(shot)
        passage.near = True
        if passage.consensus.final:
            self._unsent += 1
            return
        if passage.waiting is None:
            passage.waiting_s = now_s
        else:
            self._unsent += 1
        if passage.waiting is None or shot.quality >= passage.waiting.quality:
            passage.waiting = shot

    def ended(self, event: TrackEnded) -> Passage | None:
        """A track has ended. Returns its passage if no shot of it waits or is in work."""
        key = key_of(event)
        self._passages.setdefault(key, Passage()).end = event
        return self.forget_if_over(key)

    def _passage(self, event: TrackStarted | ShotChosen) -> Passage:
        key = key_of(event)
        if key not in self._passages:
            self._make_room()
            self._passages[key] = Passage(event.camera_id)
        return self._passages[key]

    def _make_room(self) -> None:
        """Forget the oldest passage without work. Needed only after ends of tracks got lost."""
        if len(self._passages) >= MAX_PASSAGES:
            idle = (key for key, p in self._passages.items() if not p.busy)
            self._passages.pop(next(idle), None)

    # -- for the workers

    def take(self, now_s: float) -> list[Job]:
        """The shots to recognise now, of different passages; they are in work from here on."""
        jobs = []
        for key, passage in self._due(now_s):
            assert passage.waiting is not None
            jobs.append(Job(key, passage, passage.waiting))
            passage.waiting, passage.busy = None, True
        return jobs

    def wait_s(self, now_s: float) -> float | None:
        """Time until `take` returns the shots it holds back, seconds; None: it holds none back."""
        ready = [p.waiting_s for p in self._passages.values() if p.ready]
        return max(0.0, min(ready) + self._gather_s - now_s) if ready else None

    def drop_waiting(self, passage: Passage) -> None:
        """The passage is over: drop its waiting shot."""
        self._unsent += passage.waiting is not None
        passage.waiting = None

    def forget_if_over(self, key: str) -> Passage | None:
        """Drop a passage whose track has ended and whose work is done. Returns it if this call dropped it."""
        passage = self._passages.get(key)
        if passage is None or passage.end is None or passage.busy or passage.waiting is not None:
            return None
        return self._passages.pop(key)

    def _due(self, now_s: float) -> list[tuple[str, Passage]]:
        of_door: dict[str | None, list[tuple[str, Passage]]] = {}
        for key, passage in self._ready():
            assert passage.waiting is not None
            door_id = passage.waiting.door_id if self._per_door else None
            of_door.setdefault(door_id, []).append((key, passage))
        due = (self._due_of(ready, now_s) for ready in of_door.values())
        return next(filter(None, due), [])

    def _due_of(self, ready: list[tuple[str, Passage]], now_s: float) -> list[tuple[str, Passage]]:
        together = [(key, p) for key, p in ready if not p.alone][: self._max_batch]
        alone = [(key, p) for key, p in ready if p.alone][:1]
        if not together or self._worth_waiting([p for _, p in together], now_s):
            return alone
        return alone if alone and alone[0] == ready[0] else together

    def _ready(self) -> Iterator[tuple[str, Passage]]:
        return ((key, p) for key, p in self._passages.items() if p.ready)

    def _worth_waiting(self, batch: list[Passage], now_s: float) -> bool:
        if len(batch) == self._max_batch or now_s - min(p.waiting_s for p in batch) >= self._gather_s:
            return False
        here = {p.camera_id for p in batch}  # a person alone at a door does not wait for another door
        return any(p.expected and p.camera_id in here for p in self._passages.values())


def key_of(event: TrackStarted | ShotRefused | ShotChosen | TrackEnded) -> str:
    """Key of the passage of an event."""
    return event.passage_id or f"{event.camera_id}/{event.track_id}"
