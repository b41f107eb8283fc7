"""What to change about a camera's place, lens and light, from the faces it has seen lately. Pure.

The rules follow docs/reference/terminals.md 7. The quality limits decide which face passes.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np

from edged.config import QualityLimits
from edged.events import Measures

FACE_WIDTH_M = 0.15
"""Width of a face that the distance formula assumes (docs/reference/terminals.md 7.3)."""

NEAR_SHARE = 0.7
"""Faces of at least this share of the required size count as having arrived; angles and light of people who
are still far away tell nothing about the place where they stop."""

FEWEST_FACES = 10
"""Advice on fewer faces than this would be about one person's glance to the side."""

_TILT_DEG, _ROLL_DEG = 8.0, 5.0
_BACKLIGHT_RATIO, _BACKLIT_FACE = 2.0, 90.0
_DARK_MARGIN, _BRIGHT_MARGIN = 15.0, 15.0
_UNEVEN = 0.4
_SOFT = 0.5
_EDGE_SHARE = 0.2
_SLOW_FPS = 10.0


@dataclass(frozen=True)
class Sample:
    """The nearest face of one picture.

    Attributes:
        at_s: monotonic time, seconds.
        measures: those of its face.
        centre: middle of its box as shares of the picture's width and height, 0..1.
        around: mean grey level around the face, 0..255.
    """

    at_s: float
    measures: Measures
    centre: tuple[float, float]
    around: float


@dataclass(frozen=True)
class AimingAdvice:
    """One thing to change.

    Attributes:
        code: stable identifier.
        text: observation and remedy, one or two sentences.
    """

    code: str
    text: str


class Advisor:
    """Keeps the samples of the last seconds and derives advice from them.

    Args:
        limits: the quality limits in force.
        mirror: the picture is flipped left to right, so its right is the camera's left.
        hfov_deg: horizontal angle of view of the lens, if known; the advice then names distances too.
        window_s: how long samples count, seconds.
    """

    def __init__(
        self,
        limits: QualityLimits,
        *,
        mirror: bool = False,
        hfov_deg: float | None = None,
        window_s: float = 10.0,
    ) -> None:
        self._limits = limits
        self._mirror = mirror
        self._hfov_deg = hfov_deg
        self._window_s = window_s
        self._samples: deque[Sample] = deque()

    def add(self, sample: Sample) -> None:
        """Take in the nearest face of a picture."""
        self._samples.append(sample)

    def advice(self, now_s: float, *, width: int, fps: float | None = None) -> list[AimingAdvice]:
        """What to change, the most important first; empty when everything is fine.

        Args:
            now_s: monotonic time, seconds.
            width: the picture's, pixels.
            fps: pictures analysed in a second; None while unknown.
        """
        while self._samples and now_s - self._samples[0].at_s > self._window_s:
            self._samples.popleft()
        found = self._of_faces(width) if len(self._samples) >= FEWEST_FACES else [_few_faces()]
        return found + ([_slow(fps)] if fps is not None and fps < _SLOW_FPS else [])

    def _of_faces(self, width: int) -> list[AimingAdvice]:
        wanted = self._limits.min_face_px
        near = [s for s in self._samples if s.measures.face_px >= NEAR_SHARE * wanted]
        size = self._size(width)
        if len(near) < FEWEST_FACES:
            return [size] if size else [_few_faces()]
        rules: tuple[Callable[[list[Sample]], AimingAdvice | None], ...] = (
            self._light,
            self._edge,
            lambda samples: self._pitch(samples, width),
            self._yaw,
            self._roll,
            _uneven,
            _soft,
        )
        found = [size, *(rule(near) for rule in rules)]
        return [advice for advice in found if advice is not None]

    def _size(self, width: int) -> AimingAdvice | None:
        """Whether faces get large enough where people stop: the largest tenth counts as having arrived."""
        sizes = sorted(s.measures.face_px for s in self._samples)
        reached, wanted = sizes[int(0.9 * (len(sizes) - 1))], self._limits.min_face_px
        if reached >= wanted:
            return None
        text = (
            f"Faces reach {reached:.0f} px, {wanted:.0f} are needed: mount the camera nearer, "
            f"use a lens of {wanted / reached:.1f} times the focal length, or a larger picture"
        )
        distance_m = self._distance_m(wanted, width)
        return AimingAdvice(
            "faces_too_small", f"{text}." if distance_m is None else f"{text} (enough at {distance_m:.1f} m)."
        )

    def _distance_m(self, face_px: float, width: int) -> float | None:
        return None if self._hfov_deg is None else distance_m(face_px, width, self._hfov_deg)

    def _light(self, near: list[Sample]) -> AimingAdvice | None:
        face, around = _middle(s.measures.illumination for s in near), _middle(s.around for s in near)
        if face is None or around is None:
            return None
        if face < _BACKLIT_FACE and around >= _BACKLIGHT_RATIO * max(face, 1.0):
            return AimingAdvice(
                "backlight",
                f"Light comes from behind: faces {face:.0f}, around them {around:.0f}. Turn the camera away "
                "from windows and lamps, shade it, or put a lamp beside it.",
            )
        if face < self._limits.min_illumination + _DARK_MARGIN:
            return AimingAdvice(
                "faces_dark", f"Faces are dark ({face:.0f} of 255): put a lamp beside the camera."
            )
        if face > self._limits.max_illumination - _BRIGHT_MARGIN:
            return AimingAdvice(
                "faces_bright",
                f"Faces are glaring ({face:.0f} of 255): keep sun and lamps off, or lower the exposure.",
            )
        return None

    def _edge(self, near: list[Sample]) -> AimingAdvice | None:
        x, y = median(s.centre[0] for s in near), median(s.centre[1] for s in near)
        if y < _EDGE_SHARE:
            return AimingAdvice(
                "faces_high", "Faces are at the upper edge of the picture: tilt the camera up."
            )
        if y > 1 - _EDGE_SHARE:
            return AimingAdvice(
                "faces_low", "Faces are at the lower edge of the picture: tilt the camera down."
            )
        if x < _EDGE_SHARE or x > 1 - _EDGE_SHARE:
            side = self._side(x > 0.5)
            return AimingAdvice(
                "faces_aside", f"Faces are at the edge of the picture: turn the camera to its {side}."
            )
        return None

    def _pitch(self, near: list[Sample], width: int) -> AimingAdvice | None:
        pitch = _middle(s.measures.pitch_deg for s in near)
        if pitch is None or abs(pitch) < _TILT_DEG:
            return None
        high = pitch > 0
        away_m = self._distance_m(median(s.measures.face_px for s in near), width)
        by = "" if away_m is None else f" by {100 * away_m * math.tan(math.radians(abs(pitch))):.0f} cm"
        return AimingAdvice(
            "camera_high" if high else "camera_low",
            f"Faces look {abs(pitch):.0f}° {'below' if high else 'above'} the camera: it is too "
            f"{'high' if high else 'low'}. {'Lower' if high else 'Raise'} it{by}, or put what people look at "
            "next to the lens.",
        )

    def _yaw(self, near: list[Sample]) -> AimingAdvice | None:
        yaw = _middle(s.measures.yaw_deg for s in near)
        if yaw is None or abs(yaw) < _TILT_DEG:
            return None
        return AimingAdvice(
            "camera_aside",
            f"Faces look {abs(yaw):.0f}° past the camera: move it to its {self._side(yaw > 0)}, to the side "
            "they look at, and turn it back towards them.",
        )

    def _roll(self, near: list[Sample]) -> AimingAdvice | None:
        roll = _middle(s.measures.roll_deg for s in near)
        if roll is None or abs(roll) < _ROLL_DEG:
            return None
        clockwise = (roll > 0) != self._mirror
        return AimingAdvice(
            "camera_tilted",
            f"Faces are tilted by {abs(roll):.0f}°: turn the camera {'' if clockwise else 'anti'}clockwise, "
            "as seen from behind it.",
        )

    def _side(self, right_of_picture: bool) -> str:
        return "right" if right_of_picture != self._mirror else "left"


def distance_m(face_px: float, width: int, hfov_deg: float) -> float:
    """Distance of a face in metres, by its width in pixels (docs/reference/terminals.md 7.3).

    Args:
        face_px: width of the face, above 0.
        width: the whole picture's, pixels.
        hfov_deg: horizontal angle of view, above 0 and below 180.
    """
    return width * FACE_WIDTH_M / (2 * face_px * math.tan(math.radians(hfov_deg) / 2))


def light_around(image: np.ndarray, box: tuple[float, float, float, float]) -> float:
    """Mean grey level (0..255) of what is beside and above a face, in a picture HxWx3 uint8 BGR.

    Leaves out the face itself, and clothing below it, which tells nothing about the light.
    """
    x, y, width, height = box
    rows, columns = image.shape[:2]
    left, right = (int(np.clip(v, 0, columns)) for v in (x - width, x + 2 * width))
    top, bottom = (int(np.clip(v, 0, rows)) for v in (y - height, y + height))
    area = image[top:bottom, left:right]
    if area.size == 0:
        return 0.0
    grey = cv2.cvtColor(area, cv2.COLOR_BGR2GRAY)
    outside = np.ones(grey.shape, bool)
    margin = 0.2 * width  # hair and ears
    inner_left, inner_right = (
        int(np.clip(v - left, 0, grey.shape[1])) for v in (x - margin, x + width + margin)
    )
    inner_top = int(np.clip(y - 0.3 * height - top, 0, grey.shape[0]))
    outside[inner_top:, inner_left:inner_right] = False
    return float(grey[outside].mean()) if outside.any() else float(grey.mean())


def _middle(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return median(known) if len(known) >= FEWEST_FACES else None


def _uneven(near: list[Sample]) -> AimingAdvice | None:
    uneven = _middle(s.measures.unevenness for s in near)
    if uneven is None or uneven < _UNEVEN:
        return None
    return AimingAdvice(
        "light_uneven",
        f"One half of the faces is {100 * uneven:.0f} % darker than the other: add a lamp on the dark side, "
        "or shade the bright one.",
    )


def _soft(near: list[Sample]) -> AimingAdvice | None:
    blur = _middle(s.measures.blur for s in near)
    if blur is None or blur < _SOFT:
        return None
    return AimingAdvice(
        "faces_soft",
        f"Faces are soft (blur {blur:.2f}): clean the lens, focus it where people stop, and add light.",
    )


def _few_faces() -> AimingAdvice:
    return AimingAdvice(
        "few_faces",
        "Too few faces yet to judge. Stand where people stop and look at the camera; if you do, "
        "look for light from behind and for a picture that is not upright (camera.rotate).",
    )


def _slow(fps: float) -> AimingAdvice:
    return AimingAdvice(
        "slow",
        f"Only {fps:.0f} pictures a second: add light (many cameras slow down in the dark), or make the "
        "picture smaller.",
    )
