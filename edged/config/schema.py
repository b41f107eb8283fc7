"""The shape of edged.yaml: every key, its default, its range and what it does. No reading of files here.

Field descriptions are the documentation: `edged check --schema` exports them for editors, and
config/edged.yaml is checked against them by a test.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from edged.config.attendance import AttendanceConfig
from edged.config.base import Directory, Seconds, Section, Text, conflict
from edged.config.camera import CameraConfig
from edged.config.gate import GateConfig
from edged.config.recognition import RecognitionConfig
from edged.config.vision import VisionConfig


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError("is not a time zone such as Europe/Berlin or Asia/Shanghai") from error
    return name


ZoneName = Annotated[str, Field(max_length=64), AfterValidator(_known_zone)]


class AccessConfig(Section):
    """May they pass now."""

    allowed_groups: list[str] = Field(
        ["*"], min_length=1, description='Groups let in; `"*"` means every group.'
    )
    cool_down_s: Seconds = Field(5.0, description="The same person is not let in again within this time.")
    max_age_s: float = Field(1.0, gt=0, le=10, description="From the frame to the decision; later is denied.")


class LogConfig(Section):
    """What the daemon says on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severity shown.")
    format: Literal["text", "json"] = Field("text", description="`json`: one object a line.")


class Config(Section):
    """One box: camera, vision, recognition, access, gate, log."""

    data_dir: Directory = Field(
        Path("/var/lib/edged"),
        description="Library, journal and photographs. EDGED_DATA_DIR overrides it.",
    )
    site: Text = Field("edged", description="Name of this place in records.")
    timezone: ZoneName = Field("UTC", description="IANA name of the site's time zone, e.g. Europe/Berlin.")
    camera: CameraConfig = Field(default_factory=CameraConfig, description="Where pictures come from.")
    vision: VisionConfig = Field(default_factory=VisionConfig, description="Finding and following faces.")
    recognition: RecognitionConfig = Field(default_factory=RecognitionConfig, description="Who is it.")
    access: AccessConfig = Field(default_factory=AccessConfig, description="May they pass now.")
    gate: GateConfig = Field(default_factory=GateConfig, description="The relay that lets people pass.")
    attendance: AttendanceConfig = Field(
        default_factory=AttendanceConfig, description="Punches and working time."
    )
    log: LogConfig = Field(default_factory=LogConfig, description="What the daemon says on standard error.")

    @model_validator(mode="after")
    def _enough_shots(self) -> Config:
        wanted, taken = self.recognition.agreeing_shots, self.vision.max_shots
        if wanted > taken:
            raise conflict(
                f"agreeing_shots ({wanted}) is more than vision.max_shots ({taken}), "
                "so nobody could ever be recognised",
                "recognition.agreeing_shots",
                "vision.max_shots",
            )
        return self
