"""How `edged inspect` shows measures: they are taken as they come, with their limits and units."""

from __future__ import annotations

import dataclasses

import pytest

from edged.cli.inspect_view import limits_of, measured, shown
from edged.config import QualityLimits
from edged.events import Measures


def test_parts_of_a_measure_have_rows_and_limits_of_their_own():
    parts = {"left_eye": 0.7, "chin_contour": 0.1}
    measures = dataclasses.replace(Measures(face_px=120, detection=0.9), occlusion=parts)
    rows = dict(measured(measures))
    assert rows["occlusion.left_eye"] == 0.7
    limits = QualityLimits()
    assert limits_of("occlusion.left_eye", limits) == (None, limits.max_eye_occlusion)
    assert limits_of("occlusion.chin_contour", limits) == (None, limits.max_chin_occlusion)


def test_a_limit_of_one_never_refuses_and_is_not_shown():
    assert limits_of("unevenness", QualityLimits(max_unevenness=1.0)) == (None, None)
    assert limits_of("unevenness", QualityLimits(max_unevenness=0.5)) == (None, 0.5)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("yaw_deg", -0.2, "+0°"),
        ("yaw_deg", None, "?"),
        ("face_px", 99.6, "100 px"),
        ("blur", 0.126, "0.13"),
        ("mask", True, "True"),
    ],
)
def test_values_are_shown_with_their_units(name, value, text):
    assert shown(name, value) == text
