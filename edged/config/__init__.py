"""Configuration: the schema, and reading it from YAML with the line of every mistake."""

from edged.config.access_section import AccessConfig
from edged.config.attendance_section import AttendanceConfig
from edged.config.camera_section import CameraConfig
from edged.config.gate_section import GateConfig
from edged.config.load import DEFAULT_PATH, Loaded, load, load_config
from edged.config.problems import ConfigProblems, Problem
from edged.config.recognition_section import CloudConfig, HybridConfig, RecognitionConfig
from edged.config.schema import Config, LogConfig
from edged.config.vision_section import EnrolLimits, LivenessConfig, QualityLimits, VisionConfig

__all__ = [
    "DEFAULT_PATH",
    "AccessConfig",
    "AttendanceConfig",
    "CameraConfig",
    "CloudConfig",
    "Config",
    "ConfigProblems",
    "EnrolLimits",
    "GateConfig",
    "HybridConfig",
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
