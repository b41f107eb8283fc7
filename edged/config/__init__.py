"""Configuration: the schema, and reading it from YAML with the line of every mistake."""

from edged.config.load import DEFAULT_PATH, Loaded, load, load_config
from edged.config.problems import ConfigProblems, Problem
from edged.config.schema import (
    AccessConfig,
    CameraConfig,
    Config,
    EnrolLimits,
    GateConfig,
    LivenessConfig,
    LogConfig,
    QualityLimits,
    RecognitionConfig,
    VisionConfig,
)

__all__ = [
    "DEFAULT_PATH",
    "AccessConfig",
    "CameraConfig",
    "Config",
    "ConfigProblems",
    "EnrolLimits",
    "GateConfig",
    "LivenessConfig",
    "Loaded",
    "LogConfig",
    "Problem",
    "QualityLimits",
    "RecognitionConfig",
    "VisionConfig",
    "load",
    "load_config",
]
