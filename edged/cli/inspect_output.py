"""Canvases of `edged inspect --draw`: one picture, a contact sheet, a film. No drawing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from edged.errors import Misconfigured, NeedsOperator
from edged.vision.drawing import TILE_SIDE, contact_sheet, letterbox

MOST_TILES = 48
"""Pictures on a contact sheet; more would be too small to look at and too large to open."""

_FILM_FPS = (1.0, 60.0)


class Canvas(Protocol):
    """Takes drawn pictures."""

    @property
    def sides(self) -> tuple[int, int] | None:
        """Range of the longer side that pictures should be drawn with; None for that of `draw_faces`."""
        ...

    def add(self, drawn: np.ndarray) -> None:
        """One more picture, uint8 BGR."""
        ...

    def finish(self) -> str:
        """Write the rest; a sentence that names the file. Raises `NeedsOperator` (`drawing_not_written`)."""
        ...


def open_canvas(path: Path, *, many: bool, fps: float) -> Canvas:
    """Choose by the name: `.mp4` is a film, `.png` and `.jpg` a picture, or a contact sheet of `many`.

    Raises:
        Misconfigured: another kind of file (`drawing_unsupported`).
        NeedsOperator: its folder is not there (`drawing_not_written`).
    """
    suffix = path.suffix.lower()
    if suffix not in (".png", ".jpg", ".jpeg", ".mp4"):
        raise Misconfigured(
            f"--draw {path}: cannot draw a {suffix or 'file without an ending'}.",
            code="drawing_unsupported",
            hint="Use a name that ends in .png, .jpg or .mp4.",
        )
    if not os.path.isdir(path.absolute().parent):
        raise _not_written(path, "its folder is not there")
    if suffix == ".mp4":
        return Film(path, min(max(fps, _FILM_FPS[0]), _FILM_FPS[1]))
    return Sheet(path) if many else Single(path)


class Single:
    """One picture, at full size."""

    sides = None

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = False

    def add(self, drawn: np.ndarray) -> None:
        _write_picture(self._path, drawn)
        self._written = True

    def finish(self) -> str:
        return f"drawn: {self._path}" if self._written else f"nothing to draw; {self._path} was not written"


class Sheet:
    """A contact sheet of the first `MOST_TILES` pictures."""

    sides = (TILE_SIDE, TILE_SIDE)

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tiles: list[np.ndarray] = []
        self._seen = 0

    def add(self, drawn: np.ndarray) -> None:
        self._seen += 1
        if len(self._tiles) < MOST_TILES:
            self._tiles.append(drawn)

    def finish(self) -> str:
        if not self._tiles:
            return f"nothing to draw; {self._path} was not written"
        _write_picture(self._path, contact_sheet(self._tiles))
        shown = len(self._tiles)
        limit = f", the first {shown} of {self._seen} pictures" if self._seen > shown else ""
        return f"drawn: {self._path}{limit}"


class Film:
    """A film of all pictures, each fitted into the size of the first."""

    sides = None

    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)

    def add(self, drawn: np.ndarray) -> None:
        if self._writer is None:
            height, width = (side - side % 2 for side in drawn.shape[:2])  # the codec wants even sides
            self._size = max(2, width), max(2, height)
            self._writer = self._open()
        fitted = letterbox(drawn, *self._size)
        self._writer.write(fitted)

    def finish(self) -> str:
        if self._writer is None:
            return f"nothing to draw; {self._path} was not written"
        self._writer.release()
        return f"drawn: {self._path}"

    def _open(self) -> cv2.VideoWriter:
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(self._path), cv2.CAP_FFMPEG, codec, self._fps, self._size)
        if not writer.isOpened():
            raise _not_written(self._path, "the film could not be started")
        return writer


def _write_picture(path: Path, picture: np.ndarray) -> None:
    _, data = cv2.imencode(path.suffix.lower(), picture)
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise _not_written(path, error.strerror or str(error)) from error


def _not_written(path: Path, why: str) -> NeedsOperator:
    return NeedsOperator(
        f"{path} cannot be written: {why}.",
        code="drawing_not_written",
        hint="Choose a folder that exists, that you may write to, and with free space.",
    )
