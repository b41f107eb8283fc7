"""A scene that plays without camera, relay or cloud: photographs of people who walk up to the door."""

from __future__ import annotations

from edged.demo.photographs import enrolments
from edged.demo.scene import DemoScene
from edged.demo.script import Visit, visits

__all__ = ["DemoScene", "Visit", "enrolments", "visits"]
