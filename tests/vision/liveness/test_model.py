"""Running a liveness network: the packaged one, its crop, and an operator's own with its manifest."""

import hashlib
import json
import re

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from places import PROJECT

from edged import models
from edged.app.camera_watch import LivenessParts
from edged.clock import ManualClock
from edged.config import VisionConfig
from edged.errors import Misconfigured
from edged.vision.liveness import operator_model
from edged.vision.liveness.model import LivenessModel, surroundings_inside

EXPECTED_LOGITS = [0.2150, 3.4732, -3.6881]
BOX = (280.0, 160.0, 80.0, 104.0)


def room(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 3)


def manifest(folder, **changes):
    """A manifest that describes the packaged network as if it were the operator's own."""
    data = models.load("face_liveness").data
    (folder / "own.onnx").write_bytes(data)
    content = {
        "file": "own.onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "input_width": 128,
        "input_height": 128,
        "crop_scale": 3.5,
        "channel_order": "BGR",
        "output": "softmax",
        "outputs": 3,
        "live_index": 0,
        "licence": "MIT, for the test",
    } | changes
    path = folder / "own.json"
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}), "utf-8")
    return path


def test_the_packaged_network_answers_as_onnxruntime_did(liveness_model):
    """Reference: onnxruntime 1.31 on a 128x128 ramp gives these three logits."""
    ramp = np.tile(np.arange(128, dtype=np.uint8)[None, :, None] * 2, (128, 1, 3))
    assert liveness_model._forward(ramp) == pytest.approx(EXPECTED_LOGITS, abs=1e-3)


def test_the_score_is_a_share_and_repeats_itself(liveness_model):
    score = liveness_model.score(room(), BOX)
    assert 0 <= score <= 1
    assert liveness_model.score(room(), BOX) == score


@pytest.mark.parametrize("box", [(0, 0, 0, 0), (10, 10, -5, 20)])
def test_an_impossible_box_is_not_live(liveness_model, box):
    assert liveness_model.score(room(), box) == 0.0


def test_a_box_beyond_the_border_is_scored(liveness_model):
    assert 0 <= liveness_model.score(room(), (-50, -60, 120, 150)) <= 1


@given(
    x=st.floats(-400, 800),
    y=st.floats(-400, 800),
    width=st.floats(5, 900),
    height=st.floats(5, 900),
    scale=st.floats(1, 6),
)
def test_the_crop_lies_inside_the_picture_and_keeps_the_boxs_shape(x, y, width, height, scale):
    picture = np.zeros((480, 640, 3), np.uint8)
    rows, columns = surroundings_inside(picture, (x, y, width, height), scale).shape[:2]
    assert 1 <= rows <= 480
    assert 1 <= columns <= 640
    wanted = min(scale, 639 / width, 479 / height)
    assert abs(columns - width * wanted) <= 1.01
    assert abs(rows - height * wanted) <= 1.01


def test_a_crop_that_would_leave_the_picture_is_shifted_not_padded():
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[:, :100] = 255
    crop = surroundings_inside(picture, (10, 200, 60, 80), 3.5)
    assert crop.shape[1] == 211
    assert crop[0, 0, 0] == 255


def test_an_operators_network_is_run_as_its_manifest_says(tmp_path, liveness_model):
    own = LivenessModel(operator_model.load(manifest(tmp_path)))
    assert own.score(room(), BOX) == liveness_model.score(room(), BOX)
    assert own.model_id.startswith("operator_liveness:afa783b7e902")


@pytest.mark.parametrize(
    "changes",
    [{"channel_order": "RGB"}, {"value_scale": 0.0039}, {"mean": [90, 90, 90]}, {"live_index": 1}],
)
def test_every_line_of_the_manifest_matters(tmp_path, liveness_model, changes):
    own = LivenessModel(operator_model.load(manifest(tmp_path, **changes)))
    assert own.score(room(), BOX) != liveness_model.score(room(), BOX)


def test_a_manifest_in_yaml_is_read(tmp_path):
    path = manifest(tmp_path)
    lines = [f"{key}: {value}" for key, value in json.loads(path.read_text()).items()]
    yaml_path = tmp_path / "own.yaml"
    yaml_path.write_text("\n".join(lines), "utf-8")
    assert operator_model.load(yaml_path).contract == operator_model.load(path).contract


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"live_index": None}, "live_index"),
        ({"live_index": 3}, "live_index is 3"),
        ({"outputs": 1, "live_index": 0}, "softmax over one output"),
        ({"channel_order": "GRB"}, "channel_order"),
        ({"crop_scale": 0.5}, "crop_scale"),
        ({"std": [1, 0, 1]}, "std"),
        ({"sha256": "abc"}, "sha256"),
        ({"licence": None}, "licence"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_manifest_is_refused_by_the_name_of_the_key(tmp_path, changes, named):
    with pytest.raises(Misconfigured, match=named) as caught:
        operator_model.load(manifest(tmp_path, **changes))
    assert caught.value.code == "liveness_manifest_invalid"


@pytest.mark.parametrize("text", ["", "- a list", "{", "\x00"])
def test_a_manifest_that_is_none_is_refused(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(Misconfigured) as caught:
        operator_model.load(path)
    assert caught.value.code == "liveness_manifest_invalid"


def test_a_missing_manifest_is_refused(tmp_path):
    with pytest.raises(Misconfigured, match=r"nowhere\.yaml"):
        operator_model.load(tmp_path / "nowhere.yaml")


def test_a_missing_network_says_where_it_should_be(tmp_path):
    with pytest.raises(Misconfigured, match=r"absent\.onnx") as caught:
        operator_model.load(manifest(tmp_path, file="absent.onnx"))
    assert caught.value.code == "liveness_model_missing"


def test_a_changed_network_is_refused(tmp_path):
    path = manifest(tmp_path)
    (tmp_path / "own.onnx").write_bytes(b"other")
    with pytest.raises(Misconfigured) as caught:
        operator_model.load(path)
    assert caught.value.code == "liveness_model_changed"


def test_a_file_that_is_no_network_is_refused(tmp_path):
    junk = b"not a network"
    path = manifest(tmp_path, sha256=hashlib.sha256(junk).hexdigest())
    (tmp_path / "own.onnx").write_bytes(junk)
    with pytest.raises(Misconfigured) as caught:
        LivenessModel(operator_model.load(path))
    assert caught.value.code == "liveness_model_unreadable"


def test_a_network_with_another_number_of_outputs_is_refused(tmp_path):
    with pytest.raises(Misconfigured, match="answers with 3 values") as caught:
        LivenessModel(operator_model.load(manifest(tmp_path, outputs=2)))
    assert caught.value.code == "liveness_model_output"


def test_the_start_refuses_a_network_that_cannot_answer_as_its_manifest_says(tmp_path):
    config = VisionConfig(liveness={"model": manifest(tmp_path, outputs=2)})
    with pytest.raises(Misconfigured) as caught:
        LivenessParts.load(config, ManualClock())
    assert caught.value.code == "liveness_model_output"


def test_the_manifest_shown_in_the_guide_is_a_valid_one():
    guide = (PROJECT / "docs" / "liveness.md").read_text("utf-8")
    (sample,) = (code for code in re.findall(r"```yaml\n(.*?)```", guide, re.S) if "sha256" in code)
    assert operator_model.OperatorManifest.model_validate(yaml.safe_load(sample)).crop_scale == 2.7
