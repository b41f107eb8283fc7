"""Visits of the scene: who comes when, how they move, and the right outcome. Numbers only; draws nothing.

The seed changes order, pace, sides and sway. It never changes the enrolled people, the flaws of a visit or
the right outcome.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from edged.demo.hall import HEIGHT_PX, HORIZON_PX, WIDTH_PX
from edged.demo.photographs import scene_photographs

Flaw = Literal["blurred", "dark", "cut_off", "far"]
Outcome = Literal["granted", "denied", "refused"]
Course = Literal["approach", "lean_in", "cross"]

GAP_S = 1.3  # nobody in the picture; longer than the time after which a face counts as gone
_STAND_S = 1.9
_FLAWED_STAND_S = 1.2
_LEAVE_S = 1.1
_FADE_S = 0.25
_LEAN_S, _LEANING_S = 0.7, 2.8
_CROSS_S = 5.0
CLEARS_S = 0.2  # from blurred to sharp, from dark to light
_DARK = 0.2  # share of the light that is left
_BLUR = 0.06  # standard deviation of the blur, in face widths; measured as .8 and more of 1
_FAR_FACE_PX = 40


@dataclass(frozen=True, slots=True)
class Visit:
    """One person's time in the picture, and its right outcome.

    Args:
        person_id: who it is, as enrolled; None for a stranger.
        name: the person shown.
        from_s, to_s: first and last moment in the picture, seconds from the start of the scene.
        outcome: `granted` exactly once; `denied` at least once and never granted; `refused`: no
            picture of the visit is good enough for recognition, so it is never granted.
        flaw: fault of every picture until `flaw_ends_s`; None without one.
        flaw_ends_s: start of the 0.2 s in which the flaw passes off; `to_s` if it never does. None without a
            flaw.
    """

    person_id: str | None
    name: str
    from_s: float
    to_s: float
    outcome: Outcome
    flaw: Flaw | None = None
    flaw_ends_s: float | None = None


@dataclass(frozen=True, slots=True)
class Pose:
    """How to draw one person.

    Args:
        face_px: width of the face box.
        x, y: middle of the face box, pixels of the picture; may be outside.
        roll_deg: tilt, clockwise positive.
        blur: standard deviation in face widths, 0 sharp.
        presence: 0 not there .. 1 there.
    """

    name: str
    face_px: float
    x: float
    y: float
    roll_deg: float
    blur: float
    presence: float


@dataclass(frozen=True, slots=True)
class CastRole:
    """One person's part in an act; `offset`: where they stand, pixels from the middle, mirrored at random."""

    name: str
    outcome: Outcome
    course: Course = "approach"
    face_px: float = 190.0
    offset: float = 110.0
    flaw: Flaw | None = None


# One line per act; two roles in one act are there together.
ACTS: tuple[tuple[CastRole, ...], ...] = (
    (CastRole("Jacinda Ardern", "granted", face_px=195),),
    (CastRole("Rishi Sunak", "denied", flaw="blurred"),),
    (CastRole("Barack Obama", "refused", course="cross", face_px=58, flaw="far"),),
    (
        CastRole("Emmanuel Macron", "granted", face_px=180, offset=260),
        CastRole("Eileen Collins", "denied", face_px=116, offset=-240),
    ),
    (CastRole("Emmanuel Macron", "refused", course="lean_in", face_px=205, flaw="cut_off"),),
    (CastRole("Barack Obama", "granted", face_px=200, flaw="dark"),),
    (CastRole("Jacinda Ardern", "refused", flaw="blurred"),),
)


@dataclass(frozen=True, slots=True)
class Walk:
    """The way of one person through the picture.

    Args:
        walk_s: time for walking up; the other times follow from the course.
        side: -1 leaves to the left, +1 to the right.
        door_x: column where the person comes into view.
        height: face below the horizon, in face widths.
        phase: of the sway, radians.
    """

    role: CastRole
    visit: Visit
    walk_s: float
    side: int
    door_x: float
    height: float
    phase: float

    def pose(self, time_s: float) -> Pose | None:
        """How to draw the person at this time of the scene; None when not in it."""
        if not self.visit.from_s <= time_s < self.visit.to_s:
            return None
        at_s = time_s - self.visit.from_s
        face_px, x, walking = _COURSES[self.role.course](self, at_s)
        sway = math.sin(2 * math.pi * 0.95 * at_s + self.phase) * walking
        drift = math.sin(2 * math.pi * 0.31 * at_s + self.phase)
        bob = math.sin(2 * math.pi * 1.9 * at_s + self.phase) * walking
        return Pose(
            self.role.name,
            face_px,
            x + face_px * (0.05 * sway + 0.006 * drift),
            HORIZON_PX + face_px * (self.height + 0.02 * bob + 0.004 * drift),
            1.6 * sway + 0.5 * drift,
            self._blur(time_s),
            min(1.0, at_s / _FADE_S) if self.role.course == "approach" else 1.0,
        )

    def _blur(self, time_s: float) -> float:
        if self.visit.flaw != "blurred" or self.visit.flaw_ends_s is None:
            return 0.0
        if self.visit.flaw_ends_s >= self.visit.to_s:
            return _BLUR
        return _BLUR * min(1.0, max(0.0, 1 - (time_s - self.visit.flaw_ends_s) / CLEARS_S))

    def _approach(self, at_s: float) -> tuple[float, float, float]:
        near_x = WIDTH_PX / 2 + self.side * self.role.offset
        leave_s = self.visit.to_s - self.visit.from_s - _LEAVE_S
        # distance shrinks evenly and slows down at the end; the size is its inverse
        depth = self.role.face_px / _FAR_FACE_PX
        steps = 1 - (1 - min(1.0, at_s / self.walk_s)) ** 1.5
        nearness = 1 / (depth + (1 - depth) * steps)
        x = self.door_x + (near_x - self.door_x) * (nearness - 1 / depth) / (1 - 1 / depth)
        gone = max(0.0, (at_s - leave_s) / _LEAVE_S)
        x += (self._outside_x() - near_x) * gone**2
        walking = max(1 - min(1.0, max(0.0, at_s / self.walk_s - 0.8) / 0.2), min(1.0, gone * 3))
        return self.role.face_px * nearness, x, walking

    def _lean_in(self, at_s: float) -> tuple[float, float, float]:
        edge = 0.0 if self.exit_side < 0 else float(WIDTH_PX)
        inside_x = edge + self.exit_side * 0.04 * self.role.face_px
        left_s = self.visit.to_s - self.visit.from_s - at_s
        away = max(0.0, 1 - min(at_s, left_s) / _LEAN_S)
        return self.role.face_px, inside_x + (self._outside_x() - inside_x) * away**2, 0.15

    def _cross(self, at_s: float) -> tuple[float, float, float]:
        end_x = self._outside_x()
        done = at_s / (self.visit.to_s - self.visit.from_s)
        return self.role.face_px, (WIDTH_PX - end_x) * (1 - done) + end_x * done, 1.0

    @property
    def exit_side(self) -> int:
        """-1 left, +1 right: where the person stood, so that two people never cross."""
        return self.side if self.role.offset >= 0 else -self.side

    def _outside_x(self) -> float:
        beyond = 1.7 * self.role.face_px
        return -beyond if self.exit_side < 0 else WIDTH_PX + beyond


_COURSES = {"approach": Walk._approach, "lean_in": Walk._lean_in, "cross": Walk._cross}


@dataclass(frozen=True, slots=True)
class Script:
    """The whole scene: who walks how, when it is dark, how long it takes."""

    walks: tuple[Walk, ...]
    dark: tuple[tuple[float, float], ...]
    duration_s: float

    def poses(self, time_s: float) -> tuple[Pose, ...]:
        """Everybody in the picture at this time, the farthest first."""
        present = [pose for walk in self.walks if (pose := walk.pose(time_s)) is not None]
        return tuple(sorted(present, key=lambda pose: pose.face_px))

    def light(self, time_s: float) -> float:
        """Share of the usual light: 1, or less in a dark stretch."""
        for from_s, to_s in self.dark:
            if from_s <= time_s < to_s:
                edge_s = min(time_s - from_s, to_s - time_s)
                return 1 - (1 - _DARK) * min(1.0, edge_s / CLEARS_S)
        return 1.0


def write_script(seed: int = 0) -> Script:
    """The script for a seed: the act without a flaw first, the others in an order that the seed decides."""
    rng = np.random.default_rng([seed, 1])
    order = [0, *range(1, len(ACTS))] if seed == 0 else [0, *(1 + rng.permutation(len(ACTS) - 1))]
    walks: list[Walk] = []
    dark: list[tuple[float, float]] = []
    now_s = GAP_S
    for index in order:
        act = [_walk(role, now_s, side, rng) for side in (_side(rng),) for role in ACTS[index]]
        dark += [(now_s - GAP_S / 2, _light_on(walk)) for walk in act if walk.visit.flaw == "dark"]
        walks += act
        now_s = max(walk.visit.to_s for walk in act) + GAP_S
    return Script(tuple(walks), tuple(dark), now_s)


def visits(seed: int = 0) -> tuple[Visit, ...]:
    """The visits with their right outcomes, in the order of coming."""
    return tuple(walk.visit for walk in write_script(seed).walks)


def _side(rng: np.random.Generator) -> int:
    return 1 if rng.random() < 0.5 else -1


def _light_on(walk: Walk) -> float:
    return (walk.visit.flaw_ends_s or walk.visit.to_s) + CLEARS_S


def _walk(role: CastRole, from_s: float, side: int, rng: np.random.Generator) -> Walk:
    walk_s = 2.6 / float(rng.uniform(0.85, 1.2))
    flaw_s = _FLAWED_STAND_S if role.flaw and role.outcome != "refused" else 0.0
    lasts_s = {
        "approach": walk_s + flaw_s + _STAND_S + _LEAVE_S,
        "lean_in": 2 * _LEAN_S + _LEANING_S,
        "cross": _CROSS_S,
    }[role.course]
    to_s = from_s + lasts_s
    ends_s = None
    if role.flaw:
        ends_s = to_s if role.outcome == "refused" else from_s + walk_s + flaw_s
    person_id = scene_photographs()[role.name].person_id
    return Walk(
        role,
        Visit(person_id, role.name, from_s, to_s, role.outcome, role.flaw, ends_s),
        walk_s,
        side,
        WIDTH_PX / 2 + side * math.copysign(28 + abs(role.offset) / 6, role.offset),
        float(rng.uniform(0.12, 0.32)) * HEIGHT_PX / 720,
        float(rng.uniform(0, 2 * math.pi)),
    )
