"""What one application owns while the server runs: its library, its tokens of faces, its counters."""

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
        config: its section of serve.yaml.
        library: registered faces.
        seen: faces of the last hour.
        limits: calls a second and a day; for the event loop only.
        picture_side_px: longer side of the largest picture it may send.
        in_flight: requests under way; for the event loop only.
    """

    config: AppConfig
    library: FaceLibrary
    seen: FaceTokens
    limits: Limits
    picture_side_px: int
    in_flight: int = 0

    @property
    def appid(self) -> str:
        """Its name."""
        return self.config.id
