"""The shape of edged.yaml: every key, its default, its range and what it does. No reading of files here.

Field descriptions are the documentation: `edged check --schema` exports them for editors, and
config/edged.yaml is checked against them by a test.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

ID_PATTERN = r"^[A-Za-z0-9_-]{1,48}$"
Identifier = Annotated[str, Field(pattern=ID_PATTERN)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Timeout = Annotated[float, Field(gt=0, le=600)]
Degrees = Annotated[float, Field(gt=0, le=90)]
Unit = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(ge=0, le=100)]


def _no_control_characters(text: str) -> str:
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError("contains a control character (tab, newline …)")
    return text


def conflict(message: str, *keys: str) -> PydanticCustomError:
    """An error about several keys of one section together.

    Args:
        message: what does not fit, with the values.
        keys: the keys concerned, dotted from the section on, the one to change first.
    """
    return PydanticCustomError("conflict", "{message}", {"message": message, "keys": keys})


Text = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_no_control_characters)]


def _some_directory(value: object) -> object:
    if isinstance(value, str) and not value.strip():
        raise ValueError("is empty")  # Path("") would be the current directory
    return _no_control_characters(value) if isinstance(value, str) else value


Directory = Annotated[Path, Field(strict=False), BeforeValidator(_some_directory)]


class Section(BaseModel):
    """A group of keys. Unknown keys are errors, text is never taken for a number."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_default=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_sections(cls, data: Any) -> Any:
        """`gate:` with nothing under it means the defaults, as if the line were not there."""
        if not isinstance(data, dict):
            return data
        return {k: v for k, v in data.items() if v is not None or not is_section(cls, k)}


def is_section(model: type[Section], key: str) -> bool:
    """Whether `key` of `model` holds further keys (and not a value)."""
    field = model.model_fields.get(key)
    return field is not None and isinstance(field.annotation, type) and issubclass(field.annotation, Section)


class CameraConfig(Section):
    """Where pictures come from."""

    id: Identifier = Field("cam1", description="Name of this camera in events and records.")
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


OCCLUSION_LIMITS = (
    "max_eye_occlusion",
    "max_nose_occlusion",
    "max_mouth_occlusion",
    "max_cheek_occlusion",
    "max_chin_occlusion",
)

PRESETS: dict[str, dict[str, float]] = {
    "recommended": {},
    "none": {
        "min_face_px": 20,
        "min_detection": 0.0,
        "max_yaw_deg": 90,
        "max_pitch_deg": 90,
        "max_roll_deg": 90,
        "max_blur": 1.0,
        "min_illumination": 0,
        "max_illumination": 255,
        "min_completeness": 0.0,
        **dict.fromkeys(OCCLUSION_LIMITS, 1.0),
    },
    "low": {
        **dict.fromkeys(OCCLUSION_LIMITS, 0.8),
        "max_yaw_deg": 30,
        "max_pitch_deg": 30,
        "max_roll_deg": 30,
        "max_blur": 0.8,
        "min_illumination": 0,
        "max_illumination": 255,
    },
    "normal": {"max_blur": 0.6, "max_illumination": 255, **dict.fromkeys(OCCLUSION_LIMITS, 0.6)},
    "high": {
        **dict.fromkeys(OCCLUSION_LIMITS, 0.3),
        "max_yaw_deg": 15,
        "max_pitch_deg": 15,
        "max_roll_deg": 15,
        "max_blur": 0.3,
        "min_illumination": 60,
        "max_illumination": 120,
    },
}
"""What a preset changes of the recommended limits: the levels of a closed face terminal (edge devices
reference 3.2, rows "Dumu")."""


class QualityLimits(Section):
    """What a face must be like to be worth recognising. A key that is written wins over the preset.
    Figures: face API reference 5.1."""

    preset: Literal["recommended", "none", "low", "normal", "high"] = Field(
        "recommended", description="Where the limits that are not written come from."
    )
    min_face_px: float = Field(100, ge=20, le=2000, description="Smaller side of the face box, pixels.")
    max_face_px: float = Field(2000, ge=50, le=8000, description="The same, when nearer is too near.")
    min_detection: Unit = Field(0.6, description="Confidence of the detector, 0..1.")
    max_yaw_deg: Degrees = Field(20, description="Turned left or right by less than this.")
    max_pitch_deg: Degrees = Field(20, description="Looking up or down by less than this.")
    max_roll_deg: Degrees = Field(20, description="Tilted by less than this.")
    max_blur: Unit = Field(0.7, description="0 sharp .. 1 blurred.")
    min_illumination: float = Field(40, ge=0, le=255, description="Mean grey level of the face, 0..255.")
    max_illumination: float = Field(220, ge=0, le=255, description="Upper limit of the same.")
    max_unevenness: Unit = Field(
        1.0, description="0 both halves equally lit .. 1 one half black; 1 never refuses."
    )
    min_completeness: Unit = Field(0.98, description="Share of the face outline inside the picture.")
    max_eye_occlusion: Unit = Field(0.6, description="Covered share of either eye; 1 never refuses.")
    max_nose_occlusion: Unit = Field(0.7, description="Covered share of the nose.")
    max_mouth_occlusion: Unit = Field(0.7, description="Covered share of the mouth.")
    max_cheek_occlusion: Unit = Field(0.8, description="Covered share of either cheek.")
    max_chin_occlusion: Unit = Field(0.6, description="Covered share of the chin.")

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, data: Any) -> Any:
        preset = data.get("preset") if isinstance(data, dict) else None
        return {**PRESETS[preset], **data} if isinstance(preset, str) and preset in PRESETS else data

    @model_validator(mode="after")
    def _distance_band(self) -> QualityLimits:
        if self.min_face_px >= self.max_face_px:
            raise conflict(
                f"min_face_px ({self.min_face_px:g}) is not below max_face_px ({self.max_face_px:g}), "
                "so every face would be refused",
                "min_face_px",
                "max_face_px",
            )
        return self

    @model_validator(mode="after")
    def _light_band(self) -> QualityLimits:
        if self.min_illumination >= self.max_illumination:
            raise conflict(
                f"min_illumination ({self.min_illumination:g}) is not below "
                f"max_illumination ({self.max_illumination:g}), so every face would be refused",
                "min_illumination",
                "max_illumination",
            )
        return self


class EnrolLimits(QualityLimits):
    """What a photograph must be like to be enrolled. The person is on record, so what is usable counts:
    50 px and 30 degrees (edge devices reference 1.4 and 3.3)."""

    min_face_px: float = Field(50, ge=20, le=2000, description="Smaller side of the face box, pixels.")
    max_yaw_deg: Degrees = Field(30, description="Turned left or right by less than this.")
    max_pitch_deg: Degrees = Field(30, description="Looking up or down by less than this.")
    max_roll_deg: Degrees = Field(30, description="Tilted by less than this.")


class LivenessConfig(Section):
    """Is it a living face or a picture of one. Judged from the colour camera: weak, see docs/liveness.md."""

    mode: Literal["off", "advisory", "required"] = Field(
        "advisory", description="`advisory`: recorded only; `required`: suspicion denies."
    )
    threshold: Unit = Field(0.3, description="Score 0..1 a face must reach; higher refuses more, of both.")
    model: Path | None = Field(
        None,
        strict=False,
        description="Manifest of an operator's own ONNX model; empty: the packaged one.",
        json_schema_extra={"format": "file-path"},
    )
    lockout_after: int = Field(2, ge=1, le=20, description="Suspicions after which a track is locked out.")
    lockout_s: Seconds = Field(60.0, description="For this long it gets no further passage.")


class VisionConfig(Section):
    """Finding and following faces."""

    threads: int = Field(1, ge=1, le=16, description="OpenCV threads (cv2.setNumThreads).")
    max_faces: int = Field(10, ge=1, le=50, description="Largest faces first; the rest are ignored.")
    shot_interval_s: Seconds = Field(0.1, description="Shortest time between two shots of one track.")
    max_shots: int = Field(5, ge=1, le=50, description="Shots of one track that may be recognised.")
    lost_after_s: Seconds = Field(1.0, description="A face not seen for this long has gone.")
    retry_after_s: Seconds = Field(
        3.0,
        description="Someone denied who stays in view is looked at again after this pause; "
        "it doubles each time, up to 30 s.",
    )
    idle_recheck_s: Seconds = Field(
        0.5,
        description="While nothing moves and nobody is followed, look for faces this often; 0: every frame.",
    )
    detect_interval_s: float = Field(
        0.0,
        ge=0,
        le=1,
        description="While somebody is followed, look for faces this often; 0: every frame, the best.",
    )
    serve: Literal["all", "largest", "nearest_centre", "region"] = Field(
        "all", description="Whom the door serves when several people are in view."
    )
    region: list[Unit] = Field(
        [0.0, 0.0, 1.0, 1.0],
        min_length=4,
        max_length=4,
        description="`serve: region`: left, top, right, bottom as shares of the picture.",
    )
    single_lane: bool = Field(
        False, description="Only one may pass at a time: when two stand equally near, nobody is served."
    )
    tie_ratio: float = Field(
        0.8,
        gt=0,
        le=1,
        description="`single_lane`: second largest face divided by the largest: from here on, a tie.",
    )
    liveness: LivenessConfig = Field(default_factory=LivenessConfig, description="Live face or picture.")
    quality: QualityLimits = Field(default_factory=QualityLimits, description="Limits when recognising.")
    enrol_quality: EnrolLimits = Field(default_factory=EnrolLimits, description="Limits when enrolling.")

    @model_validator(mode="after")
    def _region_has_an_inside(self) -> VisionConfig:
        left, top, right, bottom = self.region
        if left >= right or top >= bottom:
            raise conflict(
                f"region {self.region} is empty: left must be below right, and top below bottom", "region"
            )
        return self


class RecognitionConfig(Section):
    """Who is it."""

    engine: Literal["local"] = Field("local", description="`local`: on this box, nothing leaves it.")
    threshold: Score | None = Field(
        None,
        description="Score 0..100 a match must reach. Empty: 90 up to 1,000 people, 92 above "
        "(open-set measurement; 80 is for one-to-one only).",
    )
    margin: Score = Field(5.0, description="Points by which the best person must lead the second.")
    agreeing_shots: int = Field(2, ge=1, le=10, description="Shots in a row with the same person on top.")
    workers: int = Field(1, ge=1, le=8, description="Recognition threads.")


class AccessConfig(Section):
    """May they pass now."""

    allowed_groups: list[str] = Field(
        ["*"], min_length=1, description='Groups let in; `"*"` means every group.'
    )
    cool_down_s: Seconds = Field(5.0, description="The same person is not let in again within this time.")
    max_age_s: float = Field(1.0, gt=0, le=10, description="From the frame to the decision; later is denied.")


class GateConfig(Section):
    """The relay that lets people pass. Energised means unlocked."""

    id: Identifier = Field("door1", description="Name of this door in events and records.")
    port: Text = Field(
        "sim:lcus",
        description="`/dev/serial/by-id/…`, or `sim:lcus` for a simulated board that needs no hardware.",
    )
    protocol: Literal["lcus", "dummy"] = Field(
        "lcus", description="How the board is spoken to; never guessed."
    )
    firmware: Literal["basic", "feedback"] = Field(
        "basic", description="lcus only: which of its two firmwares."
    )
    channel: int = Field(1, ge=1, le=8, description="Relay on the board, counted from 1.")
    baud: Literal[9600, 19200, 38400, 57600, 115200] = Field(9600, description="Serial speed.")
    append_crlf: bool = Field(False, description="lcus only: some boards obey only with CR LF after a frame.")
    mode: Literal["pulse", "hold"] = Field(
        "pulse", description="`pulse`: gates, turnstiles. `hold`: strikes, maglocks."
    )
    pulse_s: float = Field(0.5, ge=0.1, le=10, description="On-time of a pulse.")
    hold_s: float = Field(5.0, ge=0.5, le=60, description="On-time in hold mode.")
    max_on_s: float = Field(30.0, ge=0.5, le=300, description="Never on for longer, whatever happens.")
    min_interval_s: Seconds = Field(0.5, description="Shortest time between two switch-ons.")
    queue: int = Field(
        0, ge=0, le=8, description="Pulse mode: grants that may wait for the lane (turnstile: 1)."
    )
    grant_ttl_s: float = Field(
        2.0, gt=0, le=10, description="A grant not executed within this time is dropped."
    )

    @model_validator(mode="after")
    def _on_times(self) -> GateConfig:
        key = "pulse_s" if self.mode == "pulse" else "hold_s"
        on_s = getattr(self, key)
        if on_s > self.max_on_s:
            raise conflict(
                f"max_on_s ({self.max_on_s:g}) is shorter than the on-time, {key} ({on_s:g})", "max_on_s", key
            )
        return self


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
    camera: CameraConfig = Field(default_factory=CameraConfig, description="Where pictures come from.")
    vision: VisionConfig = Field(default_factory=VisionConfig, description="Finding and following faces.")
    recognition: RecognitionConfig = Field(default_factory=RecognitionConfig, description="Who is it.")
    access: AccessConfig = Field(default_factory=AccessConfig, description="May they pass now.")
    gate: GateConfig = Field(default_factory=GateConfig, description="The relay that lets people pass.")
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
