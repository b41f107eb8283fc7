"""Detector, mesh, pose and alignment on real photographs and on pictures that are not faces."""

import cv2
import numpy as np
import pytest

from edged import models
from edged.config import QualityLimits
from edged.demo.photographs import PHOTO_DIR
from edged.vision.align import align, similarity, surroundings
from edged.vision.pose import euler_deg

LIMITS = QualityLimits()


@pytest.fixture(scope="module")
def obama():
    return cv2.imread(str(PHOTO_DIR / "barack_obama_1.jpg"))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((720, 1280, 3), np.uint8),
        np.full((720, 1280, 3), 255, np.uint8),
        np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8),
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((2, 3000, 3), np.uint8),
    ],
    ids=["black", "white", "noise", "1x1", "a line"],
)
def test_pictures_without_a_face_give_no_face(face_reader, image):
    assert face_reader.read(image, LIMITS) == []
    assert face_reader.detect(image, min_face_px=100) == []


def test_the_scaled_down_search_finds_the_same_face_in_picture_coordinates(face_reader, obama):
    full = face_reader.read(obama, LIMITS)[0].detection
    quick = face_reader.detect(obama, min_face_px=100)[0]
    assert quick.box == pytest.approx(full.box, abs=20)
    assert np.abs(quick.points - full.points).max() < 25


def test_a_face_that_fills_the_picture_is_found(face_reader, obama):
    x, y, width, height = (int(v) for v in face_reader.read(obama, LIMITS)[0].detection.box)
    close = cv2.resize(obama[y - 40 : y + height + 40, x - 30 : x + width + 30], (1900, 2500))
    assert face_reader.read(close, LIMITS)


def test_several_faces_come_largest_first(face_reader, obama):
    half = cv2.resize(obama, None, fx=0.5, fy=0.5)
    canvas = np.zeros((obama.shape[0], obama.shape[1] + half.shape[1], 3), np.uint8)
    canvas[: half.shape[0], : half.shape[1]] = half
    canvas[:, half.shape[1] :] = obama
    sizes = [r.measures.face_px for r in face_reader.read(canvas, LIMITS)]
    assert len(sizes) == 2
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("side", [400, 1280, 3000])
def test_a_face_that_fills_the_picture_is_found_whole(face_reader, obama, side):
    x, y, width, height = (round(v) for v in face_reader.find(obama)[0].box)
    filled = obama[y : y + height, x : x + width]
    filled = cv2.resize(filled, (side * width // height, side))
    (face,) = face_reader.find(filled)
    left, top, wide, high = face.box
    assert abs(left) < 0.1 * wide
    assert abs(top) < 0.1 * high
    assert face.box[2:] == pytest.approx(filled.shape[1::-1], rel=0.1)


def test_alignment_agrees_with_opencvs_own(face_reader, obama):
    reading = face_reader.read(obama, LIMITS)[0]
    points = reading.mesh.five_points()
    model = models.load("face_embedding")
    recogniser = cv2.FaceRecognizerSF.create(str(model.path), "")
    row = np.concatenate([reading.detection.box, points.ravel(), [1.0]]).astype(np.float32)
    difference = np.abs(recogniser.alignCrop(obama, row[None]).astype(int) - align(obama, points))
    assert difference.mean() < 1


def test_alignment_undoes_rotation_scale_and_shift():
    template = np.array([[38, 51], [73, 51], [56, 71], [41, 92], [70, 92]], np.float64)
    turn = cv2.getRotationMatrix2D((10.0, 20.0), 33.0, 2.5)
    moved = template @ turn[:, :2].T + turn[:, 2]
    back = moved @ similarity(moved)[:, :2].T + similarity(moved)[:, 2]
    assert np.abs(back - template).max() < 1


def test_alignment_survives_points_in_one_place():
    assert align(np.zeros((20, 20, 3), np.uint8), np.ones((5, 2), np.float32)).shape == (112, 112, 3)


@pytest.mark.parametrize(("axis", "index"), [("yaw", 0), ("pitch", 1), ("roll", 2)])
@pytest.mark.parametrize("degrees", [-40.0, -10.0, 0.0, 25.0])
def test_euler_angles_are_those_the_rotation_was_made_of(axis, index, degrees):
    sin, cos = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    rotation = {
        "yaw": [[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]],
        "pitch": [[1, 0, 0], [0, cos, -sin], [0, sin, cos]],
        "roll": [[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]],
    }[axis]
    expected = [0.0, 0.0, 0.0]
    expected[index] = degrees
    assert euler_deg(np.array(rotation, np.float64)) == pytest.approx(expected, abs=1e-6)


def test_the_cut_out_for_records_stays_inside_the_picture(obama):
    for box in [(-50, -50, 100, 100), (800, 1000, 300, 300), (400, 400, 20, 20)]:
        cut, inside = surroundings(obama, box)
        assert cut.size
        assert cut.base is None
        assert inside[2:] == box[2:]


def test_the_cut_out_says_where_the_face_is_in_it(obama):
    cut, (x, y, width, height) = surroundings(obama, (400, 300, 20, 30))
    assert np.array_equal(cut[y : y + height, x : x + width], obama[300:330, 400:420])
