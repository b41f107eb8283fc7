"""Configuration: the schema, and reading it from YAML with the line of every mistake.

Other packages use the names exported here, and by module: `advice` and `export` (what `edged check` says, and
the JSON Schema), `serve` (configuration of the recognition server), `load.config_of`, `mask` (addresses
without their secrets), `yaml_lines.parse`, `gate_inputs` (addresses of inputs), and of single sections
`camera_section`, `delivery_section` and `recognition_section`.
"""

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
