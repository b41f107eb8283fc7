"""Chooses the frame source for the text in `camera.source`. Opens nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from edged.camera.live import LiveSource
from edged.camera.source import FrameSource
from edged.camera.stills import Stills
from edged.camera.videofile import VideoFile
from edged.clock import Clock, SystemClock
from edged.config import CameraConfig
from edged.config.camera_section import STREAMS
from edged.config.mask import mask_url
from edged.errors import Misconfigured, NeedsOperator, NotFound
from edged.pictures import PICTURE_SUFFIXES, sniff

SCHEMES: Mapping[str, str] = {"demo": "edged.demo.scene"}
"""Modules of further sources by scheme, for import on first use. Each has a `from_address(address)`."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+-]*):")


def open_source(config: CameraConfig, *, clock: Clock | None = None) -> FrameSource:
    """The frame source that `config.source` names, not yet opened.

    Args:
        config: the camera.
        clock: for live sources; the machine's own when None.

    Raises:
        Misconfigured: `camera_scheme_unknown`.
        NotFound: `camera_missing`: there is no such file or folder. A missing device is not an error here: it
            may be plugged in later, and `open()` says so.
        NeedsOperator: `camera_permission`: this user may not look whether there is one.
    """
    source, clock = config.source, clock or SystemClock()
    if source.isdecimal():
        return LiveSource(config, f"/dev/video{source}", "v4l2", clock)
    if source.startswith("/dev/"):
        return LiveSource(config, source, "v4l2", clock)
    match = _SCHEME.match(source)
    scheme = match[1].lower() if match else ""
    if scheme in SCHEMES:
        made: FrameSource = import_module(SCHEMES[scheme]).from_address(source)
        return made
    if scheme in STREAMS:
        return LiveSource(config, source, "ffmpeg", clock)
    path = Path(source).expanduser()
    try:
        if path.exists():
            return _from_path(path, config)
    except OSError as error:
        raise NeedsOperator(
            f"camera.source {source!r} cannot be looked at: {error.strerror}.",
            code="camera_permission",
            hint="Check the path, and the permissions of the folders in it.",
        ) from error
    if scheme:
        known = ", ".join(f"{name}:" for name in sorted({*STREAMS, *SCHEMES}))
        raise Misconfigured(
            f"camera.source {mask_url(source)!r}: edged does not know {scheme}:.",
            code="camera_scheme_unknown",
            hint=f"Known are {known}, /dev/… and files.",
        )
    raise NotFound(
        f"camera.source {source!r}: there is no such file or folder.",
        code="camera_missing",
        hint=f"Looked in {Path.cwd()}; write the full path."
        if not path.is_absolute()
        else "Check the path; a camera is written as /dev/v4l/by-id/… or rtsp://….",
    )


def _from_path(path: Path, config: CameraConfig) -> FrameSource:
    return Stills(path, config.fps) if path.is_dir() or _is_picture(path) else VideoFile(path, config.fps)


def _is_picture(path: Path) -> bool:
    """By name, or by the first bytes. A GIF plays as a video; opening a pipe would wait for its other end."""
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return True
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return sniff(file.read(16)) not in (None, "gif")
    except OSError:
        return False
