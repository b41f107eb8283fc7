"""Following faces from frame to frame. Pure: detections and times in, tracks out; no pictures, no threads.

A track that goes on with another person lets a stranger inherit somebody's shots. Therefore doubt always ends
a track: the same person under two ids costs half a second, two people under one id may open a door.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from edged.vision.association import pair, pair_costs
from edged.vision.detector import Detection
from edged.vision.track import Track

TENTATIVE_MISSES = 3
"""Frames in a row without a face that was seen only once, after which it counts as a flicker."""


@dataclass(frozen=True)
class Tracked:
    """Changes by one frame.

    Attributes:
        seen: confirmed tracks that have a detection in this frame.
        started: those of `seen` that this frame confirmed.
        ended: confirmed tracks that are over.
    """

    seen: list[Track] = field(default_factory=list)
    started: list[Track] = field(default_factory=list)
    ended: list[Track] = field(default_factory=list)


class Tracker:
    """Gives every face in view a stable id.

    Args:
        lost_after_s: a face without a detection for longer than this has gone.
    """

    def __init__(self, lost_after_s: float) -> None:
        self._lost_after_s = lost_after_s
        self._tracks: list[Track] = []
        self._next_id = 1

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Every open track, tentative and lost ones too, the oldest first."""
        return tuple(self._tracks)

    def update(
        self,
        detections: Sequence[Detection],
        now_s: float,
        appearance: Sequence[np.ndarray | None] | None = None,
    ) -> Tracked:
        """Take in the detections of one frame captured at `now_s` (monotonic seconds).

        Faint detections never begin a track; they only continue one.

        Args:
            appearance: one look for each detection (see appearance.py), None where unknown.
        """
        looks: list[np.ndarray | None] = [None] * len(detections) if appearance is None else list(appearance)
        if len(looks) != len(detections):
            raise ValueError(f"{len(looks)} appearances for {len(detections)} detections")
        ended = self._expire(now_s)
        paired, doubtful = self._associate(detections, looks, now_s)
        ended += self._end(doubtful)
        seen, started = [], []
        for j, track in sorted(paired.items()):
            was_confirmed = track.confirmed
            track.update(detections[j], now_s, looks[j])
            if track.confirmed:
                seen.append(track)
                started += [] if was_confirmed else [track]
        ended += self._miss(paired)
        self._begin(detections, looks, paired, now_s)
        return Tracked(seen=seen, started=started, ended=ended)

    def end_all(self) -> list[Track]:
        """End every track (the picture is cut, or the camera gone). Returns the confirmed ones."""
        return self._end(self._tracks)

    def _expire(self, now_s: float) -> list[Track]:
        return self._end([t for t in self._tracks if now_s - t.seen_s > self._lost_after_s])

    def _end(self, tracks: Sequence[Track]) -> list[Track]:
        gone = {id(track) for track in tracks}
        ended = [t for t in self._tracks if id(t) in gone and t.confirmed]
        self._tracks = [t for t in self._tracks if id(t) not in gone]
        return ended

    def _associate(
        self, detections: Sequence[Detection], looks: list[np.ndarray | None], now_s: float
    ) -> tuple[dict[int, Track], list[Track]]:
        """The track that each detection (by number) continues; and the tracks in doubt."""
        certain = [j for j, d in enumerate(detections) if not d.faint]
        faint = [j for j, d in enumerate(detections) if d.faint]
        costs = pair_costs(self._tracks, detections, looks, now_s)
        rows = range(len(self._tracks))
        pairs, doubt = pair(costs.any_gap, rows, certain)
        taken = doubt | {i for i, _ in pairs}
        left = [i for i in rows if i not in taken and self._tracks[i].confirmed]
        pairs += pair(costs.steady, left, faint)[0]
        return {j: self._tracks[i] for i, j in pairs}, [self._tracks[i] for i in sorted(doubt)]

    def _miss(self, paired: dict[int, Track]) -> list[Track]:
        here = {id(track) for track in paired.values()}
        for track in self._tracks:
            track.misses += id(track) not in here
        return self._end([t for t in self._tracks if not t.confirmed and t.misses >= TENTATIVE_MISSES])

    def _begin(
        self,
        detections: Sequence[Detection],
        looks: list[np.ndarray | None],
        paired: dict[int, Track],
        now_s: float,
    ) -> None:
        for j, detection in enumerate(detections):
            if j not in paired and not detection.faint:
                self._tracks.append(Track(self._next_id, detection, now_s, now_s, appearance=looks[j]))
                self._next_id += 1
