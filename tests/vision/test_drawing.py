"""Drawn faces: colours, labels that stay in the picture and off each other, axes, contact sheets."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.config import QualityLimits
from edged.demo.photographs import PHOTO_DIR
from edged.events import Measures
from edged.vision.detector import Detection
from edged.vision.drawing import (
    ACCEPTED,
    REFUSED,
    SIDES,
    TILE_SIDE,
    contact_sheet,
    draw_faces,
    face_axes,
    label_lines,
    letterbox,
)
from edged.vision.faces import FaceReading
from edged.vision.pose import euler_deg


def face(x: float, y: float, side: float, **missed: float) -> FaceReading:
    points = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]]) * side + (x, y)
    measures = Measures(face_px=side, detection=0.9, blur=0.1, illumination=100.0)
    box = (x, y, side, side * 1.2)
    return FaceReading(Detection(box, points.astype(np.float32), 0.9), None, measures, np.empty(0), missed)


def count(picture: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((np.abs(picture.astype(int) - colour).max(axis=2) < 12).sum())


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_accepted_is_green_and_refused_is_red_on_any_background(grey):
    blank = np.full((480, 640, 3), grey, np.uint8)
    good = draw_faces(blank, [face(200, 150, 120)])
    bad = draw_faces(blank, [face(200, 150, 120, too_dark=40)])
    assert count(good, ACCEPTED) > 300
    assert count(good, REFUSED) == 0
    assert count(bad, REFUSED) > 300
    assert count(bad, ACCEPTED) == 0


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_the_words_are_white_on_dark_on_any_background(grey):
    drawn = draw_faces(np.full((480, 640, 3), grey, np.uint8), [face(200, 200, 120)])
    plate = drawn[156:194, 204:320].reshape(-1, 3).max(axis=1)
    assert np.percentile(plate, 98) > 200
    assert np.percentile(plate, 50) < 80


def test_the_picture_itself_is_left_alone():
    blank = np.full((480, 640, 3), 90, np.uint8)
    draw_faces(blank, [face(200, 150, 120)], "caption")
    assert (blank == 90).all()


@pytest.mark.parametrize("size", [(1, 1), (2, 3000), (3000, 2), (64, 64), (480, 640), (4320, 7680)])
def test_any_size_becomes_one_that_can_be_looked_at(size):
    drawn = draw_faces(np.zeros((*size, 3), np.uint8), [], "name")
    assert SIDES[0] <= max(drawn.shape[:2]) <= SIDES[1]


BOXES = st.tuples(st.floats(-200, 700), st.floats(-200, 500), st.floats(1, 900))


@settings(deadline=None)  # fifty faces take a while on a busy machine
@given(st.lists(BOXES, max_size=50))
def test_faces_anywhere_also_outside_the_picture_can_be_drawn(boxes):
    blank = np.full((120, 160, 3), 90, np.uint8)
    readings = [face(*box, face_too_small=100, too_blurred=0.7) for box in boxes]
    assert draw_faces(blank, readings, "x", sides=(160, 160)).shape == (120, 160, 3)


def test_the_label_names_reasons_and_measures():
    lines = label_lines(3, face(0, 0, 80, face_too_small=100, too_blurred=0.7))
    assert lines == ["3 face too small, too blurred", "80 px  light 100  blur 0.10"]


@given(st.floats(-80, 80), st.floats(-80, 80), st.floats(-170, 170))
def test_the_axes_are_those_of_the_pose(yaw, pitch, roll):
    right, down, forward = face_axes(yaw, pitch, roll)
    assert euler_deg(np.column_stack([right, down, -forward])) == pytest.approx((yaw, pitch, roll), abs=1e-6)


def test_a_face_that_looks_at_us_points_right_down_and_at_us():
    assert face_axes(0, 0, 0) == pytest.approx(np.array([[1, 0, 0], [0, 1, 0], [0, 0, -1]]))


def test_outline_and_points_of_a_real_face_are_drawn_on_it(face_reader):
    photo = cv2.imread(str(PHOTO_DIR / "barack_obama_1.jpg"))
    readings = face_reader.read(photo, QualityLimits())
    drawn = draw_faces(photo, readings)
    assert drawn.shape == photo.shape
    x, y = (round(float(v)) for v in readings[0].mesh.five_points()[3])
    assert drawn[y, x].min() > 240
    chin = readings[0].mesh.outline()[18].round().astype(int)
    assert (drawn[chin[1], chin[0]] != photo[chin[1], chin[0]]).any()


@pytest.mark.parametrize("number", [1, 2, 5, 48])
def test_a_contact_sheet_has_a_place_for_every_picture(number):
    tiles = [np.full((100 + 30 * (i % 7), 200, 3), 200, np.uint8) for i in range(number)]
    sheet = contact_sheet(tiles)
    assert sheet.shape[1] == TILE_SIDE * min(number, 4)
    assert (sheet == 200).all(axis=2).sum() == sum(tile.shape[0] * tile.shape[1] for tile in tiles)


def test_a_contact_sheet_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([])


def test_a_letterbox_keeps_proportions():
    boxed = letterbox(np.full((100, 400, 3), 255, np.uint8), 200, 200)
    white = np.argwhere(boxed[..., 0] == 255)
    assert np.ptp(white, axis=0).tolist() == [49, 199]


def test_a_further_line_is_written_beside_a_face():
    blank, one = np.zeros((640, 1280, 3), np.uint8), [face(200, 250, 120)]
    with_note = draw_faces(blank, one, notes=["liveness 0.98"])
    assert np.count_nonzero(with_note) > np.count_nonzero(draw_faces(blank, one))


def test_in_a_crowd_every_number_stands_within_its_own_box():
    crowd = [face(20 + 150 * column, 20 + 150 * row, 100) for row in range(4) for column in range(8)]
    drawn = draw_faces(np.zeros((640, 1280, 3), np.uint8), crowd)
    for one in crowd:
        x, y, width, height = (round(v) for v in one.detection.box)
        drawn[y - 5 : y + height + 5, x - 5 : x + width + 5] = 0
    assert not drawn.any()
