"""A scene that plays without camera, relay or cloud: photographs of people who walk up to the door.

Other packages use the names exported here; `edged demo` also uses `people` (enrols them), `served` (a
recognition server beside the scene), `story`, `stream` and `summary` (what it prints).
"""

from __future__ import annotations

from edged.demo.photographs import enrolments
from edged.demo.scene import DemoScene
from edged.demo.script import Visit, visits

__all__ = ["DemoScene", "Visit", "enrolments", "visits"]
