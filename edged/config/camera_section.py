"""The section `camera`."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from edged.config.base import Identifier, Section, Text, Timeout, conflict

STREAMS = ("rtsp", "rtsps", "http", "https")
"""Schemes of sources on the network."""


class CameraConfig(Section):
    """Where pictures come from."""

    id: Identifier = Field("cam1", description="Name of this camera in events and records.")
    door: Identifier | None = Field(
        None, description="`gate.id` of the door whose people it sees; empty: that of `gate`."
    )
    direction: Literal["both", "in", "out"] = Field(
        "both", description="Which way the people go whom it sees."
    )
    source: Text = Field(
        "demo:",
        description="`/dev/v4l/by-id/…` or a number (V4L2), `rtsp://…`, `http://…` (MJPEG), a video file, "
        "a folder of pictures, one picture, or `demo:` (a scene that needs no hardware).",
    )
    width: int = Field(
        1280, ge=160, le=7680, description="Asked of a V4L2 device; others give what they have."
    )
    height: int = Field(720, ge=120, le=4320, description="Asked of a V4L2 device.")
    fps: float = Field(
        25.0, gt=0, le=240, description="Asked of a V4L2 device; pace of a folder of pictures."
    )
    rotate: Literal[0, 90, 180, 270] = Field(0, description="Degrees clockwise until faces are upright.")
    mirror: bool = Field(False, description="Flip left and right after rotating.")
    open_timeout_s: Timeout = Field(3.0, description="Give up opening after this time, then try again.")
    read_timeout_s: Timeout = Field(2.0, description="A live source silent for this long is lost.")
    retry_min_s: Timeout = Field(0.5, description="First pause before a lost source is opened again.")
    retry_max_s: Timeout = Field(10.0, description="Longest pause; doubled from the first one each time.")

    @field_validator("source", mode="before")
    @classmethod
    def _device_number(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("source")
    @classmethod
    def _stream_has_a_host(cls, source: str) -> str:
        scheme, colon, rest = source.partition(":")
        if colon and scheme.lower() in STREAMS and not re.match(r"//[^/?#]*[^/?#@:]", rest):
            raise ValueError(f"names no host; a stream is written {scheme}://HOST/PATH")
        return source

    @model_validator(mode="after")
    def _pauses(self) -> CameraConfig:
        if self.retry_min_s > self.retry_max_s:
            raise conflict(
                f"the first pause ({self.retry_min_s:g}) is longer than the longest, "
                f"retry_max_s ({self.retry_max_s:g})",
                "retry_min_s",
                "retry_max_s",
            )
        return self
