"""The driver in docs/liveness.md is complete: installed as it says, edged finds it and gets answers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from places import PROJECT

from edged.config import Config

PAGE = (PROJECT / "docs" / "liveness.md").read_text("utf-8")

_ASK = """
from edged.clock import SystemClock
from edged.vision.liveness.modality_drivers import load
clock = SystemClock()
also = load(["nir"], clock)
deadline_s = clock.monotonic() + 20
box = (100.0, 100.0, 200.0, 200.0)
while also.missing(clock.monotonic(), box) and clock.monotonic() < deadline_s:
    pass
print(also.missing(clock.monotonic(), box), also.missing(clock.monotonic() - 60, box))
"""


def block(language: str, holding: str) -> str:
    """The code block of the page in that language which holds that text."""
    found = [code for code in re.findall(rf"```{language}\n(.+?)```", PAGE, re.DOTALL) if holding in code]
    assert len(found) == 1
    return found[0]


def install(folder: Path, device: Path) -> None:
    """What pip would do with the two files, with a film in place of the camera."""
    project = tomllib.loads(block("toml", "[project]"))["project"]
    code = block("python", "class NearInfrared")
    assert code.count("DEVICE = ") == 1
    code = re.sub(r"DEVICE = .+", f"DEVICE = {str(device)!r}", code)
    (folder / "edged_nir_example.py").write_text(code, "utf-8")
    info = folder / "edged_nir_example-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n", "utf-8")
    ((group, points),) = project["entry-points"].items()
    lines = [f"[{group}]", *(f"{name} = {where}" for name, where in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines), "utf-8")


@pytest.mark.slow
def test_the_driver_of_the_page_is_found_and_answers_for_the_instant_it_saw(tmp_path):
    film = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (640, 480))
    for _ in range(2000):
        writer.write(np.full((480, 640, 3), 200, np.uint8))
    writer.release()
    install(tmp_path, film)
    ran = subprocess.run(
        [sys.executable, "-c", _ASK],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert ran.stdout.strip() == "() ('nir',)", ran.stderr


def test_the_configuration_of_the_page_is_a_valid_one():
    config = Config.model_validate(yaml.safe_load(block("yaml", "also_required")))
    assert config.vision.liveness.also_required == ["nir"]
