"""Draws measures onto a picture, for people who aim a camera. Measures nothing, reads and writes no files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edged.vision.faces import FaceReading

ACCEPTED = (90, 205, 60)
REFUSED = (70, 70, 235)
_AXES = ((60, 60, 235), (80, 220, 60), (255, 150, 40))
"""BGR of the axes: to the right of the face, down it, and forwards out of it."""

_DARK = (20, 20, 20)
_WHITE = (255, 255, 255)
_OUTLINE = (235, 215, 150)

SIDES = (640, 1920)
"""Range of the longer side of a drawn picture, pixels; within it the words are legible."""

TILE_SIDE = 480
"""Longer side of the pictures on a contact sheet; large enough for three lines of words beside a face."""

_TILES_IN_A_ROW = 4
_BACKGROUND = 40
_SMALL_FACE_PX = 90
"""Smaller faces on the canvas get no points and no outline, which would hide them."""

_DETAILED_FACES, _NAMED_FACES = 4, 12
"""With more faces than these, labels show only the verdict, then only the number."""

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class _Pen:
    """Canvas and sizes (its pixels) for one picture; `zoom` from picture to canvas."""

    canvas: np.ndarray
    zoom: float
    width: int
    text_px: int
    font: cv2.FontFace

    def at(self, points: np.ndarray) -> np.ndarray:
        """Nx2 positions of the picture as whole pixels of the canvas."""
        return np.round(np.asarray(points, np.float64)[:, :2] * self.zoom).astype(np.int32)


def draw_faces(
    image: np.ndarray,
    readings: Sequence[FaceReading],
    caption: str = "",
    *,
    notes: Sequence[str] = (),
    sides: tuple[int, int] = SIDES,
) -> np.ndarray:
    """A drawn copy of a picture: boxes (green accepted, red refused), points, outlines, axes, verdicts.

    Args:
        image: HxWx3 uint8 BGR.
        readings: faces of that picture, numbered from 1 in this order.
        caption: a line at the foot of the picture, e.g. the file's name.
        notes: one further line for each face, or none at all.
        sides: range of the longer side of the result, pixels.

    Returns:
        uint8 BGR.
    """
    pen = _pen(image, sides)
    for reading in reversed(readings):  # the largest last, over the others
        _draw_marks(pen, reading)
    boxes = [_box(pen, reading) for reading in readings]
    labels: list[Box] = []
    for number, reading in enumerate(readings, 1):
        note = notes[number - 1] if notes else ""
        _draw_label(pen, number, reading, note, boxes, labels)
    if caption:
        _draw_caption(pen, caption)
    return pen.canvas


def contact_sheet(tiles: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures side by side, row by row, uint8 BGR; those larger than `TILE_SIDE` are reduced to it.

    Raises:
        ValueError: no pictures.
    """
    if not tiles:
        raise ValueError("a contact sheet needs at least one picture")
    columns = min(len(tiles), _TILES_IN_A_ROW)
    small = [_reduced(tile) for tile in tiles]
    rows = [small[i : i + columns] for i in range(0, len(small), columns)]
    return np.vstack([_row(row, columns) for row in rows])


def _row(tiles: Sequence[np.ndarray], columns: int) -> np.ndarray:
    height = max(tile.shape[0] for tile in tiles)
    row = np.full((height, columns * TILE_SIDE, 3), _BACKGROUND, np.uint8)
    for column, tile in enumerate(tiles):
        row[:, column * TILE_SIDE : (column + 1) * TILE_SIDE] = letterbox(tile, TILE_SIDE, height)
    return row


def _reduced(tile: np.ndarray) -> np.ndarray:
    zoom = min(1.0, TILE_SIDE / max(tile.shape[:2]))
    size = tuple(max(1, round(side * zoom)) for side in tile.shape[1::-1])
    return tile if zoom == 1 else cv2.resize(tile, size, interpolation=cv2.INTER_AREA)


def letterbox(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """The picture in the middle of `width` x `height`, reduced if larger, with bars around; uint8 BGR."""
    zoom = min(1.0, width / image.shape[1], height / image.shape[0])
    across, down = (max(1, round(side * zoom)) for side in image.shape[1::-1])
    fitted = image if zoom == 1 else cv2.resize(image, (across, down), interpolation=cv2.INTER_AREA)
    out = np.full((height, width, 3), _BACKGROUND, np.uint8)
    top, left = (height - down) // 2, (width - across) // 2
    out[top : top + down, left : left + across] = fitted
    return out


def _pen(image: np.ndarray, sides: tuple[int, int]) -> _Pen:
    longest = max(image.shape[:2])
    zoom = float(np.clip(longest, *sides)) / longest
    size = tuple(max(1, round(side * zoom)) for side in image.shape[1::-1])
    how = cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC
    canvas = image.copy() if zoom == 1 else cv2.resize(image, size, interpolation=how)
    longest = max(canvas.shape[:2])
    return _Pen(
        canvas=canvas,
        zoom=zoom,
        width=max(1, round(longest / 640)),
        text_px=max(15, round(longest / 52)),
        font=cv2.FontFace("sans"),
    )


def _draw_marks(pen: _Pen, reading: FaceReading) -> None:
    x, y, width, height = reading.detection.box
    corners = pen.at(np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]]))
    if reading.detection.face_px * pen.zoom < _SMALL_FACE_PX:
        _line(pen, corners, _colour(reading), closed=True)
        return
    if reading.mesh is not None:
        _line(pen, pen.at(reading.mesh.outline()), _OUTLINE, closed=True)
    _line(pen, corners, _colour(reading), closed=True, thicker=1)
    points = reading.detection.points if reading.mesh is None else reading.mesh.five_points()
    for centre in pen.at(points).tolist():
        cv2.circle(pen.canvas, centre, 2 * pen.width + 1, _DARK, -1, cv2.LINE_AA)
        cv2.circle(pen.canvas, centre, 2 * pen.width, _WHITE, -1, cv2.LINE_AA)
    _draw_axes(pen, reading)


def _draw_axes(pen: _Pen, reading: FaceReading) -> None:
    """From the tip of the nose; the third one points out of the face and is short when it looks at us."""
    measures = reading.measures
    if reading.mesh is None or measures.yaw_deg is None:
        return
    axes = face_axes(measures.yaw_deg, measures.pitch_deg or 0.0, measures.roll_deg or 0.0)
    nose = reading.mesh.five_points()[2].astype(np.float64)
    ends = nose + axes[:, :2] * 0.45 * measures.face_px
    for end, colour in zip(ends, _AXES, strict=True):
        _line(pen, pen.at(np.array([nose, end])), colour, thicker=1)


def face_axes(yaw_deg: float, pitch_deg: float, roll_deg: float) -> np.ndarray:
    """Unit vectors (3x3, one a row) to the right of the face, down it and forwards out of it.

    Picture axes: x right, y down, z away from the viewer. The inverse of `edged.vision.pose.euler_deg`.
    """
    yaw, pitch, roll = np.radians((yaw_deg, pitch_deg, roll_deg))
    forward = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), -np.cos(yaw) * np.cos(pitch)])
    level = np.array([np.cos(yaw), 0.0, np.sin(yaw)])
    right = np.cos(roll) * level + np.sin(roll) * np.cross(-forward, level)
    return np.array([right, np.cross(-forward, right), forward])


def _line(
    pen: _Pen, points: np.ndarray, colour: tuple[int, int, int], *, closed: bool = False, thicker: int = 0
) -> None:
    """With a dark edge, so that it shows on any background."""
    width = pen.width + thicker
    cv2.polylines(pen.canvas, [points], closed, _DARK, width + 2, cv2.LINE_AA)
    cv2.polylines(pen.canvas, [points], closed, colour, width, cv2.LINE_AA)


def _draw_label(
    pen: _Pen, number: int, reading: FaceReading, note: str, boxes: Sequence[Box], labels: list[Box]
) -> None:
    """The verdict beside the box, shortened until it covers no other face and no other label.

    In a crowd the number alone, within the box: between two faces nobody could tell whose it is.
    """
    lines = [*label_lines(number, reading), *([note] if note else [])]
    choices = [lines, lines[:1], [str(number)]]
    choices = choices[(len(boxes) > _DETAILED_FACES) + (len(boxes) > _NAMED_FACES) :]
    others = [box for other, box in enumerate(boxes, 1) if other != number]
    for lines in choices:
        size = _size_of(pen, lines)
        crowd = len(boxes) > _NAMED_FACES
        place = _free_place(pen, size, boxes[number - 1], [*labels, *others], within=crowd)
        if place is not None:
            break
    else:
        place = boxes[number - 1][:2]
    labels.append((*place, *size))
    _write(pen, lines, place, size, _colour(reading))


def _box(pen: _Pen, reading: FaceReading) -> Box:
    x, y, width, height = (round(v * pen.zoom) for v in reading.detection.box)
    return x, y, width, height


def label_lines(number: int, reading: FaceReading) -> list[str]:
    """The label of a face: number, verdict, and the measures that an installer can change."""
    measures = reading.measures
    verdict = ", ".join(code.replace("_", " ") for code in reading.missed) or "accepted"
    sizes = f"{measures.face_px:.0f} px"
    if measures.illumination is not None:
        sizes += f"  light {measures.illumination:.0f}"
    if measures.blur is not None:
        sizes += f"  blur {measures.blur:.2f}"
    lines = [f"{number} {verdict}", sizes]
    if measures.yaw_deg is not None and measures.pitch_deg is not None and measures.roll_deg is not None:
        angles = (("yaw", measures.yaw_deg), ("pitch", measures.pitch_deg), ("roll", measures.roll_deg))
        lines.append("  ".join(f"{name} {round(angle):+d}°" for name, angle in angles))
    return lines


def _size_of(pen: _Pen, lines: Sequence[str]) -> tuple[int, int]:
    widths = [_text_width(pen, line) for line in lines]
    return max(widths) + pen.text_px, round(len(lines) * pen.text_px * 1.3 + pen.text_px * 0.4)


def _text_width(pen: _Pen, line: str) -> int:
    return cv2.getTextSize((0, 0), line, (0, 0), pen.font, pen.text_px, 500)[2]


def _free_place(
    pen: _Pen, size: tuple[int, int], box: Box, taken: Sequence[Box], *, within: bool
) -> tuple[int, int] | None:
    """Above, below, right, left of the box or at the foot of it (`within`: only there); shifted sideways to
    stay in the picture."""
    (x, y, width, height), (across, down) = box, size
    rows, columns = pen.canvas.shape[:2]
    gap = pen.width + 2
    shifted = max(0, min(x - gap, columns - across))
    wanted = (
        (shifted, y - down - gap),
        (shifted, y + height + gap),
        (x + width + gap, max(0, y)),
        (x - across - gap, max(0, y)),
        (max(0, min(x + gap, columns - across)), min(y + height, rows) - down - gap),
    )
    for place in wanted[-1:] if within else wanted:
        inside = 0 <= place[0] <= columns - across and 0 <= place[1] <= rows - down
        if inside and not any(_overlap((*place, *size), other) for other in taken):
            return place
    return None


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def _write(
    pen: _Pen, lines: Sequence[str], place: tuple[int, int], size: tuple[int, int], colour: tuple[int, ...]
) -> None:
    """White on a dark plate with the colour of the verdict at its edge: legible on any background."""
    across, down = size
    rows, columns = pen.canvas.shape[:2]
    left, top = max(0, min(place[0], columns - across)), max(0, min(place[1], rows - down))
    area = pen.canvas[top : top + down, left : left + across]
    area[:] = cv2.addWeighted(area, 0.2, np.full_like(area, _DARK[0]), 0.8, 0)
    area[:, : max(3, pen.text_px // 4)] = colour
    for row, line in enumerate(lines):
        baseline = round(top + pen.text_px * (1.2 + 1.3 * row))
        origin = (left + pen.text_px // 2, baseline)
        cv2.putText(pen.canvas, line, origin, _WHITE, pen.font, pen.text_px, 500)


def _draw_caption(pen: _Pen, caption: str) -> None:
    rows, columns = pen.canvas.shape[:2]
    size = _size_of(pen, [caption])
    size = (min(size[0], columns), min(size[1], rows))
    _write(pen, [caption], (0, rows - size[1]), size, (160, 160, 160))


def _colour(reading: FaceReading) -> tuple[int, int, int]:
    return REFUSED if reading.missed else ACCEPTED
