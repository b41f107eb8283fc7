"""Fixtures: a cloud on a real socket and boxes that keep people in it. For a conftest.py."""

from __future__ import annotations

import pytest
from cloud_box import Box
from cloud_library import TOKEN, CloudLibrary


@pytest.fixture
def cloud():
    cloud = CloudLibrary()
    cloud.start()
    yield cloud
    cloud.stop()


@pytest.fixture
def make_box(tmp_path, cloud, monkeypatch):
    monkeypatch.setenv("EDGED_CLOUD_TOKEN", TOKEN)
    boxes = []

    def make(**config) -> Box:
        boxes.append(Box(tmp_path / f"box{len(boxes)}", cloud, **config))
        return boxes[-1]

    yield make
    for box in boxes:
        box.close()


@pytest.fixture
def box(make_box):
    return make_box()
