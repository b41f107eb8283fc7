"""The demo's people walking past each other in the demo's hall, and whom each detection shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edged.demo.hall import HORIZON_PX, WIDTH_PX
from edged.demo.render import Stage
from edged.demo.script import Pose
from edged.vision.detector import Detection

PAST_S = 4.0


@dataclass(frozen=True)
class Passer:
    """Somebody who walks through the picture from one side to the other; `stops_s`: a rest in the middle."""

    name: str
    face_px: float
    from_left: bool
    starts_s: float = 0.0
    stops_s: float = 0.0

    def pose(self, time_s: float) -> Pose | None:
        """How they are drawn at `time_s`; None while they are not there."""
        at_s = time_s - self.starts_s
        if not 0 <= at_s < PAST_S + self.stops_s:
            return None
        moving_s = min(at_s, PAST_S / 2) + max(0.0, at_s - PAST_S / 2 - self.stops_s)
        beyond = 1.2 * self.face_px
        way = -beyond + (WIDTH_PX + 2 * beyond) * moving_s / PAST_S
        x = way if self.from_left else WIDTH_PX - way
        return Pose(self.name, self.face_px, x, HORIZON_PX + 0.2 * self.face_px, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Passing:
    """A script of the demo's kind for some people; the light stays as it is."""

    passers: tuple[Passer, ...]

    @property
    def duration_s(self) -> float:
        """Until the last one has gone."""
        return max(p.starts_s + PAST_S + p.stops_s for p in self.passers)

    def poses(self, time_s: float) -> tuple[Pose, ...]:
        """Everybody in the picture at this time, the farthest first."""
        here = [pose for passer in self.passers if (pose := passer.pose(time_s)) is not None]
        return tuple(sorted(here, key=lambda pose: pose.face_px))

    def light(self, time_s: float) -> float:
        """Always the usual light."""
        return 1.0


CROSSINGS: dict[str, tuple[Passer, ...]] = {
    "crossing": (Passer("Jacinda Ardern", 150, True), Passer("Barack Obama", 105, False)),
    "crossing, dark suits": (Passer("Barack Obama", 140, True), Passer("Rishi Sunak", 100, False)),
    "one stops behind": (Passer("Emmanuel Macron", 150, True), Passer("Eileen Collins", 100, False, 0, 1.0)),
    "overtaking": (Passer("Jacinda Ardern", 110, True), Passer("Rishi Sunak", 150, True, 0.6)),
    "three": (
        Passer("Jacinda Ardern", 100, True),
        Passer("Barack Obama", 130, False),
        Passer("Eileen Collins", 165, True, 0.8),
    ),
}


def stages(stage: Stage) -> dict[str, Stage]:
    """Every crossing, ready to be drawn with `edged.demo.render.render`, from a stage of the demo."""
    return {name: dataclasses.replace(stage, script=Passing(who)) for name, who in CROSSINGS.items()}


def shown(detections: Sequence[Detection], poses: Sequence[Pose]) -> list[str | None]:
    """Whom each detection shows: the person whose place and size fit best; None when nobody's do."""
    return [_shown(detection, poses) for detection in detections]


def _shown(detection: Detection, poses: Sequence[Pose]) -> str | None:
    x, y, width, height = detection.box
    fits = []
    for pose in poses:
        away = float(np.hypot(x + width / 2 - pose.x, y + height / 2 - pose.y)) / pose.face_px
        fits.append((away + abs(float(np.log(width / pose.face_px))), away, pose.name))
    best = min(fits, default=None)
    return best[2] if best is not None and best[1] < 0.5 else None
