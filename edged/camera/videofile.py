"""Video files as a frame source: paced by their own frame rate, with an honest end. No live streams here."""

from __future__ import annotations

import math
from pathlib import Path

import cv2

from edged.camera.source import FrameSource, RawFrame, SourceInfo
from edged.errors import Misconfigured, NotFound

_EBML = b"\x1a\x45\xdf\xa3"  # Matroska and WebM
_GIF = b"GIF8"
_ESTIMATE_SLACK_S = 0.5
_HOLE_FRAMES = 5
_EVEN_SHARE = 0.02
"""Largest share of late frames in a file with a hole: files with more late frames have an uneven pace."""


class VideoFile(FrameSource):
    """Plays one file from its first to its last frame.

    Args:
        path: MKV, MP4, AVI, GIF or another file that FFmpeg reads.
        fallback_fps: pace of a file without one of its own.
    """

    has_end = True

    def __init__(self, path: str | Path, fallback_fps: float) -> None:
        self._path = Path(path)
        self._fallback_fps = fallback_fps
        self._capture: cv2.VideoCapture | None = None
        self._fps = fallback_fps
        self._announced = 0
        self._delivered = 0
        self._last_s: float | None = None
        self._late = self._lost = 0
        self.defect = ""

    def open(self) -> SourceInfo:
        """Raises NotFound (`video_missing`: not there, or a pipe) or Misconfigured (`video_unreadable`)."""
        if not self._path.is_file():
            raise NotFound(f"{self._path} is no file.", code="video_missing", hint="Check camera.source.")
        # One decoder thread: the second core belongs to the vision thread.
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        self._capture = capture
        if not capture.isOpened():
            raise Misconfigured(
                f"{self._path} cannot be opened as a video: it is damaged, cut off or of another kind.",
                code="video_unreadable",
                hint="Try it in a video player; convert it to MKV or MP4.",
            )
        fps = capture.get(cv2.CAP_PROP_FPS)
        self._fps = fps if math.isfinite(fps) and 0 < fps <= 240 else self._fallback_fps
        announced = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._announced = int(announced) if math.isfinite(announced) and announced > 0 else 0
        width, height = (capture.get(p) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        return SourceInfo(int(width), int(height), self._fps)

    def read(self) -> RawFrame | None:
        """The next frame, the first one with `cut`; None after the last, `defect` set if some are missing."""
        assert self._capture is not None, "open() comes first"
        try:
            ok, image = self._capture.read()
        except cv2.error as error:
            self.defect = f"{self._path.name} cannot be decoded further: {error.err}"
            return None
        if not ok:
            self.defect = self._shortfall()
            return None
        self._note_time(self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3)
        frame = RawFrame(image, cut=self._delivered == 0, due_s=self._delivered / self._fps)
        self._delivered += 1
        return frame

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _note_time(self, at_s: float) -> None:
        """Count skipped frames: FFmpeg silently goes on behind a damaged part."""
        steps = 1.0 if self._last_s is None else (at_s - self._last_s) * self._fps
        self._last_s = at_s
        self._late += steps > 1.5
        self._lost += round(steps) - 1 if steps > _HOLE_FRAMES else 0

    def _shortfall(self) -> str:
        """The missing part. Matroska and GIF do not count frames: FFmpeg estimates by the duration."""
        with self._path.open("rb") as file:
            magic = file.read(4)
        slack = round(_ESTIMATE_SLACK_S * self._fps) if magic in (_EBML, _GIF) else 0
        if self._delivered == 0 or self._delivered + slack < self._announced:
            return f"{self._path.name} broke off after {self._delivered} of {self._announced} frames"
        if magic == _EBML and self._lost and self._late <= 1 + _EVEN_SHARE * self._delivered:
            return f"{self._path.name} lacks about {self._lost} frames in its middle"
        return ""
