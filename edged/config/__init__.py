"""Configuration: the schema, and reading it from YAML with the line of every mistake."""

from edged.config.schema import (
    AccessConfig,
    CameraConfig,
    Config,
    GateConfig,
    LogConfig,
    QualityLimits,
    RecognitionConfig,
    VisionConfig,
)

__all__ = [
    "AccessConfig",
    "CameraConfig",
    "Config",
    "GateConfig",
    "LogConfig",
    "QualityLimits",
    "RecognitionConfig",
    "VisionConfig",
]
