"""Following faces from frame to frame. Pure: detections and times in, tracks out; no pictures, no threads."""

from __future__ import annotations

from dataclasses import dataclass, field

from edged.vision.detector import Detection

CONFIRM_HITS = 2
"""Detections before a face counts as a track: one alone may be a flicker of the detector."""

MAX_SIZE_RATIO = 1.8
"""A face does not grow or shrink by more than this between two detections."""

MAX_STEP = 1.0
"""A face does not move further than this many of its own sizes beyond where it was expected."""

_VELOCITY_WEIGHT = 0.5


@dataclass
class Track:
    """One followed face.

    Attributes:
        track_id: unique within the tracker's life, from 1.
        detection: the newest one.
        first_s, seen_s: monotonic time of the first and the newest detection, seconds.
        hits: detections so far.
        velocity: pixels per second of the box centre.
    """

    track_id: int
    detection: Detection
    first_s: float
    seen_s: float
    hits: int = 1
    velocity: tuple[float, float] = (0.0, 0.0)

    @property
    def confirmed(self) -> bool:
        return self.hits >= CONFIRM_HITS

    def expected_centre(self, now_s: float) -> tuple[float, float]:
        """Where the face should be at `now_s` if it kept its way for at most a quarter of a second."""
        x, y = _centre(self.detection)
        ahead = min(now_s - self.seen_s, 0.25)
        return x + self.velocity[0] * ahead, y + self.velocity[1] * ahead

    def update(self, detection: Detection, now_s: float) -> None:
        """Take over a new detection."""
        elapsed = max(now_s - self.seen_s, 1e-3)
        old, new = _centre(self.detection), _centre(detection)
        step = ((new[0] - old[0]) / elapsed, (new[1] - old[1]) / elapsed)
        weight = _VELOCITY_WEIGHT if self.hits > 1 else 1.0
        self.velocity = tuple(v + weight * (s - v) for v, s in zip(self.velocity, step, strict=True))
        self.detection = detection
        self.seen_s = now_s
        self.hits += 1


@dataclass(frozen=True)
class Tracked:
    """What one frame changed.

    Attributes:
        seen: confirmed tracks that have a detection in this frame.
        started: those of `seen` that were confirmed just now.
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

    def update(self, detections: list[Detection], now_s: float) -> Tracked:
        """Take in the detections of one frame captured at `now_s` (monotonic seconds)."""
        ended = self._expire(now_s)
        pairs = _assign(self._tracks, detections, now_s)
        started = []
        for track, detection in pairs:
            was_confirmed = track.confirmed
            track.update(detection, now_s)
            if track.confirmed and not was_confirmed:
                started.append(track)
        taken = {id(detection) for _, detection in pairs}
        for detection in detections:
            if id(detection) not in taken:
                self._tracks.append(Track(self._next_id, detection, now_s, now_s))
                self._next_id += 1
        seen = [track for track, _ in pairs if track.confirmed]
        return Tracked(seen=seen, started=started, ended=ended)

    def end_all(self) -> list[Track]:
        """Forget every track (the picture is cut, or the camera gone). Returns the confirmed ones."""
        ended, self._tracks = [t for t in self._tracks if t.confirmed], []
        return ended

    def _expire(self, now_s: float) -> list[Track]:
        gone = [t for t in self._tracks if now_s - t.seen_s > self._lost_after_s]
        self._tracks = [t for t in self._tracks if now_s - t.seen_s <= self._lost_after_s]
        return [t for t in gone if t.confirmed]


def _assign(tracks: list[Track], detections: list[Detection], now_s: float) -> list[tuple[Track, Detection]]:
    """Pairs of track and detection, cheapest first; each used once, impossible pairs never."""
    costs = [
        (cost, i, j)
        for i, track in enumerate(tracks)
        for j, detection in enumerate(detections)
        if (cost := _cost(track, detection, now_s)) is not None
    ]
    pairs, used_tracks, used_detections = [], set(), set()
    for _, i, j in sorted(costs):
        if i not in used_tracks and j not in used_detections:
            used_tracks.add(i)
            used_detections.add(j)
            pairs.append((tracks[i], detections[j]))
    return pairs


def _cost(track: Track, detection: Detection, now_s: float) -> float | None:
    """Distance from the expected place in face sizes plus change of size; None when it cannot be the same."""
    old, new = _size(track.detection), _size(detection)
    ratio = max(old, new) / min(old, new)
    if ratio > MAX_SIZE_RATIO:
        return None
    expected, seen = track.expected_centre(now_s), _centre(detection)
    distance = ((seen[0] - expected[0]) ** 2 + (seen[1] - expected[1]) ** 2) ** 0.5 / max(old, new)
    if distance > MAX_STEP:
        return None
    return distance + (ratio - 1)


def _centre(detection: Detection) -> tuple[float, float]:
    x, y, width, height = detection.box
    return x + width / 2, y + height / 2


def _size(detection: Detection) -> float:
    return (detection.box[2] * detection.box[3]) ** 0.5
