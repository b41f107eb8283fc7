"""The demo's photographs are the originals, and the credits name their authors and licences."""

from __future__ import annotations

import hashlib
import json

import pytest

from edged.demo.photographs import (
    PHOTO_DIR,
    enrolments,
    photographs,
    read_photograph,
    scene_photographs,
)
from edged.demo.script import ACTS
from edged.errors import NotFound

ROWS = json.loads((PHOTO_DIR / "manifest.json").read_text(encoding="utf-8"))
CREDITS = (PHOTO_DIR / "CREDITS.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_the_file_is_the_unmodified_original(row):
    assert hashlib.sha256((PHOTO_DIR / row["file"]).read_bytes()).hexdigest() == row["sha256"]


@pytest.mark.parametrize("row", ROWS, ids=[row["file"] for row in ROWS])
def test_the_credits_name_person_author_licence_source_package_and_hash(row):
    keys = ("file", "name", "author", "licence", "licence_url", "source", "package", "sha256")
    assert [key for key in keys if row[key] not in CREDITS] == []


def test_every_picture_in_the_folder_is_credited():
    files = {path.name for path in PHOTO_DIR.iterdir()} - {"manifest.json", "CREDITS.md"}
    assert files == {row["file"] for row in ROWS}


def test_the_photographs_stay_below_three_megabytes():
    assert sum(path.stat().st_size for path in PHOTO_DIR.iterdir()) < 3_000_000


def test_nobody_is_enrolled_with_the_photograph_of_the_scene():
    enrolled = {path for _, path in enrolments().values()}
    assert set(enrolments()) == {"barack_obama", "jacinda_ardern", "emmanuel_macron"}
    assert enrolled.isdisjoint(photo.path for photo in scene_photographs().values())


def test_everybody_in_the_script_has_a_photograph():
    assert {role.name for act in ACTS for role in act} <= scene_photographs().keys()


@pytest.mark.parametrize("photo", photographs(), ids=lambda photo: photo.path.name)
def test_the_face_box_lies_in_the_picture(photo):
    height, width = read_photograph(photo.path).shape[:2]
    x, y, box_width, box_height = photo.face_box
    assert 0 <= x < x + box_width <= width
    assert 0 <= y < y + box_height <= height


def test_a_missing_photograph_is_named(tmp_path):
    with pytest.raises(NotFound, match=r"nobody\.jpg") as raised:
        read_photograph(tmp_path / "nobody.jpg")
    assert raised.value.code == "demo_photograph_missing"
