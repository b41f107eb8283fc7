"""Chooses whom the door serves when several people are in view. Pure: boxes in, choice with reasons out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Policy = Literal["all", "largest", "nearest_centre", "region"]
Box = tuple[float, float, float, float]

SEVERAL_FACES = "several_faces"
"""Two faces are equally near at a door for one: the door serves nobody until one steps back."""

NOT_SERVED = "not_served"
"""Somebody else is nearer to the door."""

OUTSIDE_REGION = "outside_region"
"""The middle of the face is outside the region the door looks at."""

KEEP_LEAD = 1.25
"""Ratio by which another face must lead before the choice changes."""

_DISTANCE_FLOOR = 0.1  # share of the picture's width: nearer to the centre than this, all are equally near


@dataclass(frozen=True)
class Candidate:
    """One face in view.

    Attributes:
        track_id: its track.
        box: x, y, width, height, pixels of the picture.
    """

    track_id: int
    box: Box


@dataclass(frozen=True)
class Choice:
    """Who is served now.

    Attributes:
        served: track ids, the best first; empty when nobody is, or when it is a tie.
        others: everybody else with the reason code why not.
        tie: two faces were too alike to choose, see `SEVERAL_FACES`.
    """

    served: tuple[int, ...] = ()
    others: dict[int, str] = field(default_factory=dict)
    tie: bool = False


class CandidateChooser:
    """Chooses for one camera; remembers whom it chose so that it does not waver.

    Args:
        policy: `all`: everybody. `largest`: the largest face, which is the nearest. `nearest_centre`: the
            face nearest to the middle of the picture. `region`: everybody in `region`, or with `single_lane`
            the largest there.
        region: x0, y0, x1, y1 as shares of width and height of the picture; with another policy than `region`
            it has no effect.
        single_lane: only one person may pass at a time: while the two best are alike within `tie_ratio`,
            the door serves nobody.
        tie_ratio: second best divided by best (0..1) from which they are alike. 0.8 in face size is 25 % in
            distance: at 60 cm, the other stands less than 15 cm behind.
    """

    def __init__(
        self,
        policy: Policy = "all",
        *,
        region: Box = (0.0, 0.0, 1.0, 1.0),
        single_lane: bool = False,
        tie_ratio: float = 0.8,
    ) -> None:
        if not (0 <= region[0] < region[2] <= 1 and 0 <= region[1] < region[3] <= 1):
            raise ValueError(
                f"region {region} is not x0, y0, x1, y1 with 0 <= x0 < x1 <= 1, 0 <= y0 < y1 <= 1"
            )
        self._policy = policy
        self._region = region
        self._single_lane = single_lane
        self._tie_ratio = tie_ratio
        self._kept: int | None = None

    def choose(self, faces: Iterable[Candidate], width: int, height: int) -> Choice:
        """Whom to serve of `faces` in a picture of `width` x `height` pixels.

        Call it once per frame with every confirmed face, those served already included.
        """
        here = sorted(faces, key=lambda face: (-self._merit(face, width), face.track_id))
        inside = [face for face in here if self._policy != "region" or self._in_region(face, width, height)]
        others = {face.track_id: OUTSIDE_REGION for face in here if face not in inside}
        if self._single_lane and self._is_tie(inside, width):
            self._kept = None
            return Choice((), others | {face.track_id: SEVERAL_FACES for face in inside}, tie=True)
        if not self._single_lane and self._policy in ("all", "region"):
            return Choice(tuple(face.track_id for face in inside), others)
        return self._one(inside, others, width)

    def _one(self, inside: Sequence[Candidate], others: dict[int, str], width: int) -> Choice:
        """The best, or the one chosen before as long as nobody leads clearly."""
        if not inside:
            self._kept = None
            return Choice((), others)
        best = inside[0]
        kept = next((face for face in inside if face.track_id == self._kept), best)
        if self._merit(best, width) < KEEP_LEAD * self._merit(kept, width):
            best = kept
        self._kept = best.track_id
        rest = {face.track_id: NOT_SERVED for face in inside if face is not best}
        return Choice((best.track_id,), others | rest)

    def _is_tie(self, inside: Sequence[Candidate], width: int) -> bool:
        if len(inside) < 2:
            return False
        best, second = (self._merit(face, width) for face in inside[:2])
        return second >= self._tie_ratio * best

    def _merit(self, face: Candidate, width: int) -> float:
        """Rank of a face: its size in pixels, or the inverse of its distance from the middle."""
        x, _, face_width, face_height = face.box
        if self._policy != "nearest_centre":
            return min(face_width, face_height)
        return 1 / max(_DISTANCE_FLOOR, abs(x + face_width / 2 - width / 2) / width)

    def _in_region(self, face: Candidate, width: int, height: int) -> bool:
        x, y, face_width, face_height = face.box
        x0, y0, x1, y1 = self._region
        return x0 <= (x + face_width / 2) / width <= x1 and y0 <= (y + face_height / 2) / height <= y1
