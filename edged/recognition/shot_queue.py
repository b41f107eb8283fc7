"""Whose shot is recognised next, and together with whose. State only: no threads, no clock, no events out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from edged.events import FaceIdentified, RecognitionFailed, ShotChosen, ShotRefused, TrackEnded, TrackStarted
from edged.recognition.consensus import Consensus

MAX_PASSAGES: Final = 1024  # remembered at once; ended ones are forgotten long before

FAR_AWAY: Final = frozenset({"face_too_small", "not_served", "outside_region"})
"""Refusals that say: no shot of this face is to be expected soon."""


@dataclass
class Passage:
    """What is known of one passage.

    Attributes:
        camera_id: where the person was seen first.
        waiting: its best shot that nobody has taken yet, waiting since `waiting_s` (monotonic).
        busy: a request is in flight.
        near: a shot may come at any moment.
        alone: its next shot is not to share a call with others.
        end: its track has gone.
        settled: what is to be said of it has been said.
        last: the latest answer, published.
        denial: the reason codes for a denial that rests on the latest failure; empty when there is none.
        consensus: how its answers add up.
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
        """A shot of it may be taken."""
        return self.waiting is not None and not self.busy

    @property
    def expected(self) -> bool:
        """It has had no answer and waits for none, but may have a shot soon."""
        idle = self.waiting is None and not self.busy and self.end is None
        return self.near and idle and not self.consensus.attempts


@dataclass(frozen=True)
class Job:
    """One shot that was taken, and its passage."""

    key: str
    passage: Passage
    shot: ShotChosen


class ShotQueue:
    """Shots that wait for an engine: the passage that began first goes first, a better shot replaces a
    waiting one, one of a passage is in work at a time.

    Args:
        max_batch: shots that go together.
        gather_s: how long shots wait for those of other people who are near the same camera, when they could
            go together.
        per_door: only shots of the same door go together, so that none waits for what another door waits for.
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

    def find(self, key: str) -> Passage | None:
        """The passage, if it is remembered."""
        return self._passages.get(key)

    def take_unsent(self) -> int:
        """Shots since the last time that nobody had to be asked about: a better one came, or the passage was
        over."""
        unsent, self._unsent = self._unsent, 0
        return unsent

    # -- what vision says

    def began(self, event: TrackStarted) -> None:
        """Somebody has come into view."""
        self._passage(event)

    def refused(self, event: ShotRefused) -> None:
        """A face was not worth recognising: somebody far away is not waited for."""
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
        """A face has gone. Returns its passage when nothing of it is waiting or in work."""
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
        """Only reached when ends of tracks got lost; the oldest passage without work is forgotten."""
        if len(self._passages) >= MAX_PASSAGES:
            idle = (key for key, p in self._passages.items() if not p.busy)
            self._passages.pop(next(idle), None)

    # -- what the engines take

    def take(self, now_s: float) -> list[Job]:
        """The shots to recognise now, of different passages; they are in work from here on."""
        jobs = []
        for key, passage in self._due(now_s):
            assert passage.waiting is not None
            jobs.append(Job(key, passage, passage.waiting))
            passage.waiting, passage.busy = None, True
        return jobs

    def wait_s(self, now_s: float) -> float | None:
        """How long until `take` gives out what it holds back, seconds; None when nothing is held back."""
        ready = [p.waiting_s for p in self._passages.values() if p.ready]
        return max(0.0, min(ready) + self._gather_s - now_s) if ready else None

    def drop_waiting(self, passage: Passage) -> None:
        """The passage is over: what still waits is not needed."""
        self._unsent += passage.waiting is not None
        passage.waiting = None

    def forget_if_over(self, key: str) -> Passage | None:
        """Drop a passage whose track has gone and whose work is done; returns it if it was dropped now."""
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
        here = {p.camera_id for p in batch}  # whoever stands alone at a door does not wait for another door
        return any(p.expected and p.camera_id in here for p in self._passages.values())


def key_of(event: TrackStarted | ShotRefused | ShotChosen | TrackEnded) -> str:
    """What a passage is remembered by."""
    return event.passage_id or f"{event.camera_id}/{event.track_id}"
