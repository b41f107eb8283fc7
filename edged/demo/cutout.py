"""Cuts people out of their photographs and adds the rest of their body, to be drawn at any size.

No time and no scene here: a cut-out is a pyramid of pictures of one person, the largest first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from edged.demo.photographs import Photograph, read_photograph

LARGEST_FACE_PX = 215  # widest face box the scene ever draws
LARGEST_ENLARGEMENT = 1.3  # beyond this a photograph looks soft, and is measured as blurred
_LEVEL_STEP = 0.8
_SMALLEST_FACE_PX = 30
_MASK_FACE_PX = 56  # resolution at which the person is separated from the background
_FEET = 10.0  # below the eyes, in face widths: 1.55 m for a face of 15.5 cm
# half the width of a person at distances below the middle of the face, all in face widths
_BELOW = (-9.0, 0.9, 1.3, 2.2, 3.6, 4.6, 5.0, 9.6, _FEET)
_HALF_WIDTH = (3.0, 3.0, 1.32, 1.42, 1.36, 1.2, 0.95, 0.62, 0.75)
_TROUSERS = np.array([44, 38, 36], np.float32)  # BGR
_BAND_ROWS = 128
_BELOW_PX = 620  # a picture of 720 rows never shows more than this below the eyes

_Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class PyramidLevel:
    """A person at one size.

    Args:
        pixels: HxWx4 uint8, BGR multiplied by alpha, alpha.
        face_px: width of the face box in it.
        centre: column and row of the middle of the face box.
    """

    pixels: np.ndarray
    face_px: float
    centre: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Cutout:
    """One person at several sizes, largest first."""

    name: str
    levels: tuple[PyramidLevel, ...]

    def level_for(self, face_px: float) -> PyramidLevel:
        """The smallest level that shows a face of this width without enlargement."""
        fitting = [level for level in self.levels if level.face_px >= face_px * 0.999]
        return fitting[-1] if fitting else self.levels[0]


def cut_out(photo: Photograph) -> Cutout:
    """Separate the person from the background of the photograph and build all sizes; takes about 0.2 s."""
    image, face_box = _around(read_photograph(photo.path), photo.face_box)
    face_px = min(LARGEST_FACE_PX, face_box[2] * LARGEST_ENLARGEMENT)
    scale = face_px / face_box[2]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    mask = cv2.resize(_person_mask(image, face_box), (image.shape[1], image.shape[0]))
    alpha = cv2.GaussianBlur(np.clip((mask - 0.35) / 0.5, 0, 1), (0, 0), 1.5 / scale)
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=method)
    alpha = cv2.resize(alpha, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_AREA)
    left, top, width, height = (side * scale for side in face_box)
    figure, shift = _with_body(image, alpha, (left + width / 2, top + height / 2), width)
    return Cutout(photo.name, _levels(figure, width, (left + width / 2 + shift, top + height / 2)))


def _around(image: np.ndarray, face_box: _Box) -> tuple[np.ndarray, _Box]:
    """The part of the photograph that may show the person, and the face box in it."""
    x, y, width, height = face_box
    left = max(0, round(x - 1.3 * width))
    top = max(0, round(y - 0.8 * height))
    part = image[top:, left : round(x + 2.3 * width)]
    return np.ascontiguousarray(part), (x - left, y - top, width, height)


def _person_mask(image: np.ndarray, face_box: _Box) -> np.ndarray:
    """Share of person, 0..1 float32, at a small size: GrabCut, started from the places of head and trunk."""
    scale = _MASK_FACE_PX / face_box[2]
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    x, y, width, height = (side * scale for side in face_box)
    marks = _marks(small.shape[:2], x + width / 2, y, width, height)
    cv2.setRNGSeed(0)  # GrabCut draws starting points; the same photograph has to give the same mask
    whole = (0, 0, small.shape[1], small.shape[0])  # not looked at: the marks say where to begin
    cv2.grabCut(small, marks, whole, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
    person = ((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)).astype(np.uint8)
    person = cv2.morphologyEx(person, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return cv2.GaussianBlur(_largest_part(person).astype(np.float32), (0, 0), 1.0)


def _marks(shape: tuple[int, int], cx: float, top: float, width: float, height: float) -> np.ndarray:
    """GrabCut labels: surely the face and the chest, perhaps hair and shoulders, surely nothing far off."""
    marks = np.full(shape, cv2.GC_BGD, np.uint8)
    middle = round(cx), round(top + height * 0.45)
    shoulders_y = round(top + height * 1.35)

    def box(half_width: float, y0: float, label: int) -> None:
        cv2.rectangle(
            marks, (round(cx - half_width), round(y0)), (round(cx + half_width), shape[0]), label, -1
        )

    cv2.ellipse(marks, middle, (round(width * 0.95), round(height * 0.95)), 0, 0, 360, cv2.GC_PR_BGD, -1)
    box(width * 1.7, top + height * 0.9, cv2.GC_PR_BGD)
    box(width * 1.3, shoulders_y, cv2.GC_PR_FGD)
    cv2.ellipse(marks, middle, (round(width * 0.62), round(height * 0.72)), 0, 0, 360, cv2.GC_PR_FGD, -1)
    cv2.ellipse(marks, middle, (round(width * 0.46), round(height * 0.52)), 0, 0, 360, cv2.GC_FGD, -1)
    box(width * 0.22, top + height * 0.9, cv2.GC_FGD)
    box(width * 0.7, shoulders_y + height * 0.15, cv2.GC_FGD)
    # a white collar before a white wall would be lost
    collar = [(-0.22, 0.9), (0.22, 0.9), (0.36, 1.15), (0.65, 1.5), (-0.65, 1.5), (-0.36, 1.15)]
    points = np.array([(cx + x * width, top + y * height) for x, y in collar])
    cv2.fillPoly(marks, [np.round(points).astype(np.int32)], cv2.GC_FGD)
    return marks


def _largest_part(mask: np.ndarray) -> np.ndarray:
    """Without islands and holes."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros_like(mask), [max(outlines, key=cv2.contourArea)], -1, 1, cv2.FILLED)


def _with_body(
    image: np.ndarray, alpha: np.ndarray, centre: tuple[float, float], face_px: float
) -> tuple[np.ndarray, float]:
    """The figure down to the feet, HxWx4 premultiplied uint8, and how far the face moved right, pixels."""
    height, width = image.shape[:2]
    margin = round(face_px)
    rows = round(centre[1] + _FEET * face_px)
    colours = np.zeros((rows, width + 2 * margin, 3), np.float32)
    colours[:height, margin : margin + width] = image
    share = np.zeros(colours.shape[:2], np.float32)
    share[:height, margin : margin + width] = alpha
    cloth = np.median(image[-height // 6 :][alpha[-height // 6 :] > 0.9], axis=0).astype(np.float32)
    _extend_down(colours, share, height, cloth, centre[0] + margin, face_px)
    share *= _outline(share.shape, centre[0] + margin, centre[1], face_px, (margin, margin + width))
    _round_corners(share[round(centre[1] + face_px * 0.9) :], face_px)
    used = np.flatnonzero(share.max(axis=0) > 0.01)
    part = slice(used[0], used[-1] + 1)
    return _premultiplied(colours[:, part], share[:, part]), float(margin - used[0])


def _premultiplied(colours: np.ndarray, share: np.ndarray) -> np.ndarray:
    """HxWx4 uint8: colours (HxWx3, 0..255) times share (HxW, 0..1), and the share as 0..255."""
    pixels = np.empty((*share.shape, 4), np.uint8)
    for rows in _bands(0, len(pixels)):
        pixels[rows, :, :3] = np.clip(colours[rows] * share[rows][..., None], 0, 255)
        pixels[rows, :, 3] = np.clip(share[rows] * 255, 0, 255)
    return pixels


def _bands(first: int, end: int) -> Iterator[slice]:
    """Rows in portions: a whole figure in floating point, several times over, takes 200 MB."""
    return (slice(top, min(top + _BAND_ROWS, end)) for top in range(first, end, _BAND_ROWS))


def _round_corners(share: np.ndarray, face_px: float) -> None:
    """Round the corners, in place: photographs cut shoulders off straight."""
    side = round(face_px * 0.28)
    smooth = cv2.blur(cv2.blur(share, (side, side)), (side, side))
    np.minimum(share, np.clip((smooth - 0.36) * 5, 0, 1), out=share)


def _extend_down(
    colours: np.ndarray, share: np.ndarray, edge: int, cloth: np.ndarray, centre_x: float, face_px: float
) -> None:
    """Continue the last rows of the photograph into plain clothes: a jacket with its arms, then trousers."""
    strip = colours[edge - 6 : edge - 1].mean(axis=0)
    where = (share[edge - 6 : edge - 1].mean(axis=0) > 0.5)[:, None]
    strip = cv2.blur(np.where(where, strip, cloth)[None], (max(1, round(face_px * 0.04)), 1))
    off = np.abs(np.arange(colours.shape[1], dtype=np.float32) - centre_x)[None, :, None] / face_px
    creases = 0.30 * np.exp(-(((off - 0.95) / 0.05) ** 2)) + 0.22 * np.exp(-((off / 0.03) ** 2))
    trousers = (_TROUSERS + 0.2 * cloth) * (1 - 0.2 * off)
    for rows in _bands(edge, len(colours)):
        below = np.arange(rows.start - edge, rows.stop - edge, dtype=np.float32)[:, None, None] / face_px
        keep = np.exp(-below / 0.3)
        jacket = (strip * keep + cloth * (1 - keep)) * (1 - (1 - keep) * (creases + 0.18 * off**2))
        waist = np.clip((below - 2.2) / 0.08, 0, 1)
        colours[rows] = jacket * (1 - waist) + trousers * waist
    share[edge:] = 1


def _outline(
    shape: tuple[int, int], cx: float, cy: float, face_px: float, sides: tuple[int, int]
) -> np.ndarray:
    """Soft limit of the figure, 0..1: trunk no wider than the photograph, arms, hips, legs, shoes."""
    rows, columns = (side.astype(np.float32) for side in np.ogrid[0 : shape[0], 0 : shape[1]])
    below = (rows - cy) / face_px
    half = np.interp(below[:, 0], _BELOW, _HALF_WIDTH).astype(np.float32)[:, None]
    room = np.where(columns < cx, cx - sides[0], sides[1] - cx) / face_px - 0.04
    off = np.abs(columns - cx) / face_px
    soft = 0.05
    limit = np.clip((np.minimum(half, room) - off) / soft, 0, 1)
    between_legs = np.clip((below - 5.6) / 2, 0, 1) * 0.16
    outline: np.ndarray = limit * np.clip((off - between_legs) / soft + 1, 0, 1)
    return outline


def _levels(figure: np.ndarray, face_px: float, centre: tuple[float, float]) -> tuple[PyramidLevel, ...]:
    levels = []
    size = face_px
    while size > _SMALLEST_FACE_PX:
        scale = size / face_px
        # a level is shown down to the size of the next one, where more of the body comes into the picture
        visible = min(figure.shape[0], round(centre[1] + _BELOW_PX / scale / _LEVEL_STEP))
        pixels = cv2.resize(figure[:visible], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        levels.append(PyramidLevel(pixels, size, (centre[0] * scale, centre[1] * scale)))
        size *= _LEVEL_STEP
    return tuple(levels)
