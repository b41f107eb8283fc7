"""What `edged inspect` looks at: pictures, some frames of videos, the files in folders. No measuring."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edged.camera.videofile import VideoFile
from edged.cli.common import printable
from edged.errors import EdgedError, Misconfigured, NeedsOperator, NotFound, TryAnotherShot
from edged.pictures import PICTURE_SUFFIXES, read_picture

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".ts", ".mpg", ".mpeg", ".mjpg", ".mjpeg"}
)
_REPORTED_SUFFIXES = PICTURE_SUFFIXES | VIDEO_SUFFIXES | {".tif", ".tiff", ".heic", ".heif", ".avif"}
"""Suffixes of a folder's files that the command measures or names as unusable; it passes over the others."""

_FALLBACK_FPS = 25.0
_LOG_LEVEL, _SILENT = "OPENCV_FFMPEG_LOGLEVEL", "-8"


@dataclass(frozen=True, eq=False)
class InputPicture:
    """One picture to look at.

    Attributes:
        path: the file it is from.
        image: HxWx3 uint8 BGR.
        frame: its number in a video, from 1; None for a still picture.
        time_s: its time in a video, seconds from the start.
    """

    path: Path
    image: np.ndarray
    frame: int | None = None
    time_s: float | None = None

    @property
    def name(self) -> str:
        """The path, and the time for a frame of a video; fit for a terminal and for a drawing."""
        return self._named(str(self.path))

    @property
    def caption(self) -> str:
        """The same with the file's name alone."""
        return self._named(self.path.name)

    def _named(self, name: str) -> str:
        return printable(name if self.time_s is None else f"{name} {self.time_s:.2f} s")


@dataclass(frozen=True)
class Unusable:
    """A file that could not be looked at, or a video that broke off."""

    path: Path
    error: EdgedError


def is_many(path: Path) -> bool:
    """Whether this path may give more than one picture."""
    return os.path.isdir(path) or path.suffix.lower() in VIDEO_SUFFIXES


def read_all(paths: list[Path], every_s: float) -> Iterator[InputPicture | Unusable]:
    """Every picture of these files and folders, in the order given; folders by name, not what is below them.

    Args:
        every_s: pause between two frames of a video, seconds of its own time; 0 gives every frame.
    """
    for path in paths:
        try:
            # Path.is_dir raises where it may not look
            files = _files_in(path) if os.path.isdir(path) else [path]
        except EdgedError as error:
            yield Unusable(path, error)
            continue
        for file in files:
            try:
                yield from _read(file, every_s)
            except EdgedError as error:
                yield Unusable(file, error)


def _files_in(folder: Path) -> list[Path]:
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise NeedsOperator(
            f"{folder} cannot be read: {error.strerror}.",
            code="folder_unreadable",
            hint="Check its owner and permissions.",
        ) from error
    files = [e for e in entries if e.suffix.lower() in _REPORTED_SUFFIXES and not e.name.startswith(".")]
    if not files:
        raise NotFound(
            f"{folder} holds no picture and no video.",
            code="picture_missing",
            hint="Name a folder with pictures; folders inside it are not looked into.",
        )
    return files


def _read(path: Path, every_s: float) -> Iterator[InputPicture]:
    if path.suffix.lower() in VIDEO_SUFFIXES and os.path.exists(path):
        yield from _read_video(path, every_s)
    else:
        yield InputPicture(path, read_picture(path))


def _read_video(path: Path, every_s: float) -> Iterator[InputPicture]:
    video = VideoFile(path, _FALLBACK_FPS)
    number, due_s = 0, 0.0
    try:
        _open(video)
        while (raw := video.read()) is not None:
            number += 1
            time_s = raw.due_s or 0.0
            if time_s >= due_s - 1e-9:
                yield InputPicture(path, raw.image, number, round(time_s, 3))
                due_s += every_s
    finally:
        video.close()
    if video.defect:
        raise TryAnotherShot(f"{video.defect}.", code="video_broken_off", hint="Copy it again.")


def _open(video: VideoFile) -> None:
    """The error of a file to inspect: one that does not open is no mistake in a configuration."""
    try:
        with _silent_decoder():
            video.open()
    except Misconfigured as error:
        raise TryAnotherShot(error.message, code=error.code, hint=error.hint) from error


@contextmanager
def _silent_decoder() -> Iterator[None]:
    """Keeps FFmpeg quiet: it writes a line on standard error for every damaged block, ten thousands of them,
    unless the environment forbids it before the first video of a process."""
    if _LOG_LEVEL in os.environ:
        yield
        return
    os.environ[_LOG_LEVEL] = _SILENT
    try:
        yield
    finally:
        del os.environ[_LOG_LEVEL]
