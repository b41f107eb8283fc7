"""Model files are the ones edged was measured with, or they are not used."""

import json
import shutil

import pytest

from edged import models
from edged.errors import Misconfigured, NotFound
from edged.models import __file__ as package_file

NAMES = ["face_detection", "face_embedding", "face_geometry", "face_liveness", "face_mesh", "face_occlusion"]


@pytest.mark.parametrize("name", NAMES)
def test_every_model_matches_its_manifest_entry(name):
    assert models.load(name).data


def test_the_manifest_tells_source_and_licence_of_every_model():
    manifest = json.loads(models.load("face_mesh").path.with_name("manifest.json").read_text())
    assert sorted(manifest) == NAMES
    for entry in manifest.values():
        assert entry["licence"] in {"MIT", "Apache-2.0"}
        assert entry["package"]
        assert entry["original_sha256"]


def test_a_changed_model_is_refused(tmp_path):
    folder = tmp_path / "models"
    shutil.copytree(package_file.rpartition("/")[0], folder)
    path = folder / json.loads((folder / "manifest.json").read_text())["face_mesh"]["file"]
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(Misconfigured, match=r"not the one edged was built with") as caught:
        models.load("face_mesh", folder=folder)
    assert caught.value.code == "model_changed"


def test_a_missing_model_says_what_to_do(tmp_path):
    folder = tmp_path / "models"
    shutil.copytree(package_file.rpartition("/")[0], folder)
    (folder / "face_landmark.tflite").unlink()
    with pytest.raises(NotFound, match="Install edged again"):
        models.load("face_mesh", folder=folder)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(NotFound, match="face_detection"):
        models.load("face_shape")
