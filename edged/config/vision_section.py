"""The section `vision`, with the limits for faces and their presets."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from edged.config.base import Degrees, File, Identifier, Seconds, Section, Unit, conflict

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
    "normal": {
        **dict.fromkeys(OCCLUSION_LIMITS, 0.6),
        "max_yaw_deg": 20,
        "max_pitch_deg": 20,
        "max_roll_deg": 20,
        "max_blur": 0.6,
        "min_illumination": 40,
        "max_illumination": 255,
    },
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
"""What a preset changes of the recommended limits: the levels of a closed face terminal
(docs/reference/terminals.md 3.2)."""


class QualityLimits(Section):
    """Limits for a face to be worth recognising. A written key wins over the preset.
    Figures: docs/reference/face-api.md 5.1."""

    preset: Literal["recommended", "none", "low", "normal", "high"] = Field(
        "recommended", description="Where the limits that are not written come from."
    )
    min_face_px: float = Field(100, ge=20, le=2000, description="Smaller side of the face box, pixels.")
    max_face_px: float = Field(2000, ge=50, le=8000, description="The same, when nearer is too near.")
    min_detection: Unit = Field(0.6, description="Confidence of the detector, 0..1.")
    max_yaw_deg: Degrees = Field(20, description="Turned left or right by less than this; 90 never refuses.")
    max_pitch_deg: Degrees = Field(20, description="Looking up or down by less than this; 90 never refuses.")
    max_roll_deg: Degrees = Field(20, description="Tilted by less than this; 90 never refuses.")
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
    """Limits for a photograph to be enrolled. The person is on record, so a usable picture is enough:
    50 px and 30 degrees (docs/reference/terminals.md 1.4, 3.3)."""

    min_face_px: float = Field(50, ge=20, le=2000, description="Smaller side of the face box, pixels.")
    max_yaw_deg: Degrees = Field(30, description="Turned left or right by less than this; 90 never refuses.")
    max_pitch_deg: Degrees = Field(30, description="Looking up or down by less than this; 90 never refuses.")
    max_roll_deg: Degrees = Field(30, description="Tilted by less than this; 90 never refuses.")


class LivenessConfig(Section):
    """Is it a living face or a picture of one. Judged from the colour camera: weak, see docs/liveness.md."""

    mode: Literal["off", "advisory", "required"] = Field(
        "advisory", description="`advisory`: recorded only; `required`: suspicion denies."
    )
    threshold: Unit = Field(0.3, description="Score 0..1 a face must reach; higher refuses more, of both.")
    model: File | None = Field(
        None, description="Manifest of an operator's own ONNX model; empty: the packaged one."
    )
    lockout_after: int = Field(2, ge=1, le=20, description="Suspicions after which a track is locked out.")
    lockout_s: Seconds = Field(60.0, description="For this long it gets no further passage.")
    also_required: list[Identifier] = Field(
        [],
        max_length=8,
        description="Drivers of further cameras (near infrared, depth) that must pass at the same instant.",
    )

    @model_validator(mode="after")
    def _also_required_is_looked_at(self) -> LivenessConfig:
        if self.also_required and self.mode == "off":
            raise conflict("also_required names drivers, but with mode off nobody asks them", "mode")
        if len(set(self.also_required)) != len(self.also_required):
            raise conflict("also_required names the same driver twice", "also_required")
        return self


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
