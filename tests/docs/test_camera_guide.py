"""docs/cameras.md says what is true: its samples are valid, its codes are those of the source code."""

from __future__ import annotations

import re
from math import radians, tan

import pytest
import yaml
from places import PROJECT

from edged.config import CameraConfig

ROOT = PROJECT
GUIDE = (ROOT / "docs" / "cameras.md").read_text()


@pytest.mark.parametrize("sample", re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL))
def test_every_sample_is_a_valid_configuration(sample: str) -> None:
    CameraConfig(**yaml.safe_load(sample)["camera"])


def test_every_code_of_an_outage_is_explained_and_none_is_invented() -> None:
    sources = "".join((ROOT / "edged" / "camera" / f"{m}.py").read_text() for m in ("live", "capture"))
    used = set(re.findall(r'"(camera_[a-z_]+)"', sources))
    explained = set(re.findall(r"`(camera_[a-z_]+)`", GUIDE)) - {"camera_lost", "camera_connected"}
    assert explained == used


@pytest.mark.parametrize("width", [640, 1280, 1920])
def test_the_table_of_face_sizes_follows_its_formula(width: int) -> None:
    column = {640: 0, 1280: 1, 1920: 2}[width]
    rows = re.findall(r"\| ([\d.]+) m \| (\d+) \| (\d+) \| (\d+) \|", GUIDE)
    assert len(rows) > 2
    for distance, *sizes in rows:
        expected = width * 0.15 / (2 * float(distance) * tan(radians(65 / 2)))
        assert int(sizes[column]) == pytest.approx(expected, abs=1)
