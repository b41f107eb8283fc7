"""Still pictures as a frame source: one picture, or a folder in name order. Decoding: `edged.pictures`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edged.camera.source import FrameSource, RawFrame, SourceInfo
from edged.errors import EdgedError, Misconfigured, NeedsOperator, NotFound
from edged.pictures import PICTURE_SUFFIXES, fit_within, read_picture

HOLD_S = 1.0  # long enough for the agreeing shots of one person at the slowest shot interval
# Not usable, but found, so that the summary reports them instead of leaving them out silently.
_REPORTED_SUFFIXES = PICTURE_SUFFIXES | {".gif", ".tif", ".tiff", ".heic", ".heif", ".avif"}
_NAMES_IN_REASON = 5


class Stills(FrameSource):
    """Shows each picture for `hold_s`, as a camera would that looks at a photograph.

    Pictures over 1920x1080 are scaled down to fit; smaller ones keep their size, so the size may change
    from one picture to the next. Leaves out a picture that cannot be used, and names it in `defect`.

    Args:
        path: a picture, or a folder of pictures, which play in the order of their names.
        fps: frames per second while it holds a picture.
        hold_s: time for each picture, seconds; at least one frame.
    """

    has_end = True

    def __init__(self, path: str | Path, fps: float, hold_s: float = HOLD_S) -> None:
        self._path = Path(path)
        self._fps = fps
        self._frames_each = max(1, round(hold_s * fps))
        self._shown = 0
        self._found = 0
        self._refused: list[str] = []
        self._pictures: Iterator[np.ndarray] = iter(())
        self._picture: np.ndarray | None = None
        self.defect = ""

    def open(self) -> SourceInfo:
        """Raises NotFound, Misconfigured, or for a single picture what `read_picture` raises."""
        if self._path.is_dir():
            self._pictures = self._usable(self._list())
            self._picture = next(self._pictures, None)
            if self._picture is None:
                raise Misconfigured(
                    f"{self._path} holds no picture that can be used. {self._summary()}".rstrip(),
                    code="camera_no_pictures",
                    hint="Put JPEG, PNG, BMP or WebP pictures there, or name another folder.",
                )
        else:
            self._found = 1
            self._picture = fit_within(read_picture(self._path))
        height, width = self._picture.shape[:2]
        return SourceInfo(width, height, self._fps)

    def read(self) -> RawFrame | None:
        """The next frame; the first one of each picture has `cut`. None after the last picture."""
        position = self._shown % self._frames_each
        if position == 0 and self._shown > 0:
            self._picture = next(self._pictures, None)
        if self._picture is None:
            self.defect = self._summary()
            return None
        frame = RawFrame(self._picture, cut=position == 0, due_s=self._shown / self._fps)
        self._shown += 1
        return frame

    def close(self) -> None:
        self._pictures = iter(())
        self._picture = None

    def _list(self) -> list[Path]:
        try:
            entries = sorted(self._path.iterdir(), key=lambda entry: entry.name)
        except FileNotFoundError:
            raise NotFound(f"{self._path} is not there.", code="camera_missing", hint="Check it.") from None
        except OSError as error:
            raise NeedsOperator(
                f"{self._path} cannot be read: {error.strerror}.",
                code="camera_permission",
                hint="Check its owner and permissions.",
            ) from error
        return [e for e in entries if e.suffix.lower() in _REPORTED_SUFFIXES and not e.name.startswith(".")]

    def _usable(self, paths: list[Path]) -> Iterator[np.ndarray]:
        self._found = len(paths)
        for path in paths:
            try:
                yield fit_within(read_picture(path))
            except EdgedError as error:
                self._refused.append(f"{path.name} ({error.code})")

    def _summary(self) -> str:
        if not self._refused:
            return ""
        named = ", ".join(self._refused[:_NAMES_IN_REASON])
        more = len(self._refused) - _NAMES_IN_REASON
        tail = f" and {more} more" if more > 0 else ""
        return f"{len(self._refused)} of {self._found} pictures could not be used: {named}{tail}"
