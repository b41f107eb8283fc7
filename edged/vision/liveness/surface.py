"""Signs of a screen or sheet in a single picture: its border around the face and its moiré. Pure."""

from __future__ import annotations

import cv2
import numpy as np

from edged.vision.detector import Detection

_FACE_PX = 64
"""Width of the face in the search for straight lines: a phone's border is then 1-4 px wide."""

_WIDE, _HIGH = 4 * _FACE_PX, 366
_CENTRE_Y = 0.42 * _HIGH

_NEAREST, _FARTHEST = 0.55, 1.7
"""Distance of a side border from the middle of the face, in face widths. Nearer is the face's own outline.
A live person's shoulders are 2.5-3.3 face widths broad, so no line behind them can run on beside their chest
nearer than about 1.6."""

_BAND = (-0.15, 1.4)
"""From the eyes to the chest, in face heights from the middle of the face: the extent of the line."""

_CHEST = 0.8
"""From here down a live person's neck and shoulders hide what is behind them, in face heights."""

_MAX_SLANT_DEG = 15.0
_COLLINEAR_PX = 2.0
_SAMPLES = 60

_MOIRE_SIDE = 128
_PEAK_BAND = (0.12, 0.45)
"""Cycles per pixel. Below are the face's own shapes, above are traces of demosaicking and sharpening."""


def device_border(image: np.ndarray, face: Detection) -> float:
    """How far straight lines on both sides of the face run from eye level to the chest, 0..1.

    Both sides must be there, and the part beside neck and chest as well as the whole: the score is the least
    of these shares. The shoulders of a live person hide a door frame or a screen behind them; they do not
    hide the edge of a phone, tablet or sheet that shows the face. 0 when that part lies outside the picture,
    as for a face that fills the frame. Clothes with strong vertical edges, or a person between two boards,
    look alike: a cue, no proof.

    Args:
        image: HxWx3 uint8 BGR.
        face: detection with box and points.
    """
    to_patch = _patch_transform(face)
    patch = _shrunk(image, to_patch)
    rows, columns = image.shape[:2]
    scale = float(np.sqrt(abs(np.linalg.det(to_patch[:, :2]))))
    margin = max(2, round(3 / scale))
    whole = np.zeros((rows, columns), np.uint8)
    whole[margin : rows - margin, margin : columns - margin] = 255
    inside = cv2.warpAffine(whole, to_patch, (_WIDE, _HIGH), flags=cv2.INTER_NEAREST)
    lines = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD)
    found = lines.detect(cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY))[0]
    if found is None:
        return 0.0
    face_px_high = face.box[3] / face.box[2] * _FACE_PX
    top, bottom = (_CENTRE_Y + share * face_px_high for share in _BAND)
    upright = _upright(found.reshape(-1, 4))
    best = {-1: 0.0, 1: 0.0}
    for at, slope in zip(upright, _slopes(upright), strict=True):
        middle = at[0] + ((top + bottom) / 2 - at[1]) * slope
        offset = (middle - _WIDE / 2) / _FACE_PX
        if _NEAREST < abs(offset) < _FARTHEST:
            side = 1 if offset > 0 else -1
            chest = _CENTRE_Y + _CHEST * face_px_high
            parts = [(top, bottom), (chest, bottom)]
            covered = min(_coverage(upright, at, slope, part, inside) for part in parts)
            best[side] = max(best[side], covered)
    return min(best.values())


def moire_peak(image: np.ndarray, face: Detection) -> float:
    """Height of the strongest regular pattern over the face's natural fall of detail, decibels.

    The middle of the face at its own resolution (any scaling would blur or invent a pattern), windowed,
    transformed; each frequency is compared with the median of its ring. Skin stays near 10, a grating
    the eye can see passes 20. Leaves out frequencies along the axes, where JPEG's 8x8 blocks put peaks.
    Needs a face of 64 px or more; 0 when smaller or outside the picture.
    """
    x, y, width, height = face.box
    side = int(min(width, height, 2 * _MOIRE_SIDE)) // 2 * 2
    left, top = round(x + width / 2 - side / 2), round(y + height / 2 - side / 2)
    if side < 64 or left < 0 or top < 0 or left + side > image.shape[1] or top + side > image.shape[0]:
        return 0.0
    grey = cv2.cvtColor(image[top : top + side, left : left + side], cv2.COLOR_BGR2GRAY).astype(np.float32)
    return spectral_peak(grey)


def spectral_peak(grey: np.ndarray) -> float:
    """`moire_peak` of a square float32 patch, decibels."""
    side = len(grey)
    window = np.outer(np.hanning(side), np.hanning(side)).astype(np.float32)
    power = np.abs(np.fft.rfft2((grey - grey.mean()) * window)) ** 2 + 1e-3 * side**2
    across, down = np.fft.rfftfreq(side), np.fft.fftfreq(side)[:, None]
    radius = np.hypot(across, down)
    usable = (np.abs(across) > 0.03) & (np.abs(down) > 0.03)
    rings = (radius * side / 2).astype(int)
    best = 0.0
    for ring in range(int(_PEAK_BAND[0] * side / 2), int(_PEAK_BAND[1] * side / 2)):
        values = power[(rings == ring) & usable]
        if len(values) >= 8:
            best = max(best, 10 * float(np.log10(values.max() / np.median(values))))
    return best


def _patch_transform(face: Detection) -> np.ndarray:
    """2x3: picture -> upright patch in which the face is `_FACE_PX` wide."""
    x, y, width, height = face.box
    dx, dy = face.points[1] - face.points[0]
    centre = (x + width / 2, y + height / 2)
    transform: np.ndarray = cv2.getRotationMatrix2D(
        centre, float(np.degrees(np.arctan2(dy, dx))), _FACE_PX / width
    )
    transform[:, 2] += np.array([_WIDE / 2, _CENTRE_Y]) - centre
    return transform


def _shrunk(image: np.ndarray, to_patch: np.ndarray) -> np.ndarray:
    """The patch, without aliasing: a large face is first halved as often as possible."""
    transform = to_patch.copy()
    while np.sqrt(abs(np.linalg.det(transform[:, :2]))) < 0.5:
        image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        transform[:, :2] *= 2
    return cv2.warpAffine(image, transform, (_WIDE, _HIGH), flags=cv2.INTER_LINEAR)


def _upright(segments: np.ndarray) -> np.ndarray:
    """Those of Nx4 segments (x1 y1 x2 y2) that are 8 px or longer and nearly vertical."""
    across, down = (segments[:, 2:] - segments[:, :2]).T
    slant = np.degrees(np.arctan2(np.abs(across), np.abs(down)))
    chosen: np.ndarray = segments[(np.hypot(across, down) > 8) & (slant < _MAX_SLANT_DEG)]
    return chosen.astype(np.float64)


def _slopes(upright: np.ndarray) -> np.ndarray:
    across, down = (upright[:, 2:] - upright[:, :2]).T
    slopes: np.ndarray = across / down
    return slopes


def _coverage(
    segments: np.ndarray, at: np.ndarray, slope: float, band: tuple[float, float], inside: np.ndarray
) -> float:
    """Share of the band that segments on the line through `at` cover; outside the picture nothing counts."""
    first = np.abs(segments[:, 0] - at[0] - (segments[:, 1] - at[1]) * slope)
    last = np.abs(segments[:, 2] - at[0] - (segments[:, 3] - at[1]) * slope)
    same = segments[np.maximum(first, last) < _COLLINEAR_PX]
    heights = np.linspace(*band, _SAMPLES)
    columns = np.clip(np.round(at[0] + (heights - at[1]) * slope), 0, _WIDE - 1).astype(int)
    lines = np.clip(np.round(heights), 0, _HIGH - 1).astype(int)
    low, high = np.sort(same[:, [1, 3]], axis=1).T
    covered = ((heights >= low[:, None] - 1) & (heights <= high[:, None] + 1)).any(axis=0)
    return float((covered & (inside[lines, columns] > 0)).mean())
