"""Pictures that are played in seconds where the whole scene takes a minute."""

from __future__ import annotations

from pathlib import Path

import pytest

from edged.demo.photographs import PHOTO_DIR
from edged.demo.render import Stage


@pytest.fixture(scope="session")
def photographs(tmp_path_factory) -> Path:
    """A folder of pictures: 1.jpg shows the person of `enrol`, 2.jpg a stranger."""
    folder = tmp_path_factory.mktemp("photographs")
    for name, target in (("barack_obama_2.jpg", "1.jpg"), ("rishi_sunak.jpg", "2.jpg")):
        (folder / target).write_bytes((PHOTO_DIR / name).read_bytes())
    return folder


@pytest.fixture(scope="session")
def stage(demo_stage) -> Stage:
    """The scene of seed 0, ready to be drawn."""
    return demo_stage


@pytest.fixture(scope="session")
def enrol() -> str:
    """The value of `--enrol` for the person on 1.jpg, with another picture."""
    return f"Barack_Obama={PHOTO_DIR / 'barack_obama_1.jpg'}"
