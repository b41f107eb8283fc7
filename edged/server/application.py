"""State of one application while the server runs: library, face tokens, counters."""

from __future__ import annotations

from dataclasses import dataclass

from edged.config.serve import AppConfig
from edged.server.face_libraries import FaceLibrary
from edged.server.face_tokens import FaceTokens
from edged.server.limits import Limits


@dataclass
class Application:
    """One application.

    Attributes:
        config: section of serve.yaml.
        library: registered faces.
        seen: faces of the last hour.
        limits: calls a second and a day; for the event loop only.
        picture_side_px: limit for the longer side of a picture, pixels.
        in_flight: requests in progress; for the event loop only.
    """

    config: AppConfig
    library: FaceLibrary
    seen: FaceTokens
    limits: Limits
    picture_side_px: int
    in_flight: int = 0

    @property
    def appid(self) -> str:
        """Id of the application."""
        return self.config.id
