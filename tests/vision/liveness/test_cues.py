"""Each cue points the right way on data whose truth is known: planes, solids, gratings, drawn phones."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged import models
from edged.vision.detector import Detection
from edged.vision.liveness import cues, surface

FACE = Detection(
    (280, 160, 80, 104),
    np.array([[300, 200], [340, 200], [320, 222], [305, 240], [335, 240]], np.float32),
    0.9,
)


@pytest.fixture(scope="module")
def head() -> np.ndarray:
    """The canonical face, 150 px between the outer eye corners, picture axes."""
    with np.load(io.BytesIO(models.load("face_geometry").data)) as arrays:
        points = arrays["vertices"].astype(np.float64) * (1, -1, -1)
    return points * (150 / np.linalg.norm(points[33] - points[263]))


def turned(points: np.ndarray, yaw_deg: float, pitch_deg: float = 0.0) -> np.ndarray:
    yaw = cv2.Rodrigues(np.radians(yaw_deg) * np.array([0.0, 1, 0]))[0]
    pitch = cv2.Rodrigues(np.radians(pitch_deg) * np.array([1.0, 0, 0]))[0]
    return points @ (yaw @ pitch).T


def on_sheet(points: np.ndarray, yaw_deg: float) -> np.ndarray:
    """A mesh network's view of a photograph on a tilted sheet: flat, but z still a face's."""
    flat = turned(points * (1, 1, 0), yaw_deg)
    seen = flat[:, :2] * (900 / (900 + flat[:, 2:]))
    return np.column_stack([seen, points[:, 2]])


@pytest.mark.parametrize("yaw", [-25, -12, 12, 25])
def test_a_turned_head_is_explained_by_a_solid(head, yaw):
    fit = cues.plane_fit(head, turned(head, yaw))
    assert fit.ratio > 3
    assert fit.turn_deg == pytest.approx(abs(yaw), abs=1)


@pytest.mark.parametrize("yaw", [-35, -20, 20, 35])
def test_a_tilted_sheet_is_explained_by_a_plane(head, yaw):
    fit = cues.plane_fit(head, on_sheet(head, yaw))
    assert fit.ratio < 0.7
    assert fit.tilt_deg == pytest.approx(abs(yaw), abs=5)


@given(zoom=st.floats(0.3, 3), roll=st.floats(-np.pi, np.pi), x=st.floats(-500, 500), y=st.floats(-500, 500))
def test_moving_zooming_and_rolling_say_nothing_about_plane_or_solid(zoom, roll, x, y):
    random = np.random.default_rng(3)
    head = random.normal(0, 50, (468, 3))
    spin = cv2.Rodrigues(np.array([0.0, 0.0, roll]))[0]
    moved = zoom * head @ spin.T + (x, y, 0)
    fit = cues.plane_fit(head, moved)
    assert fit.ratio == 1
    assert fit.turn_deg < 0.1
    assert cues.micro_motion(head, moved) < 1e-6


def test_a_moving_mouth_is_micro_motion(head):
    speaking = head.copy()
    speaking[[13, 14, 17, 87, 317, 84, 314, 15, 16], 1] += 15
    assert cues.micro_motion(head, speaking) > 0.01


def test_micro_motion_is_free_of_scale(head):
    moved = head + np.random.default_rng(1).normal(0, 1, head.shape)
    assert cues.micro_motion(head, moved) == pytest.approx(cues.micro_motion(head * 4, moved * 4))


def test_shut_eyes_are_less_open(head):
    shut = head.copy()
    for _, _, upper, lower in (cues.LEFT_EYE, cues.RIGHT_EYE):
        shut[list(upper)] = shut[list(lower)]
    assert cues.eye_openness(shut) < 0.1 < 0.2 < cues.eye_openness(head)


def series(*shut_from_to: tuple[float, float], rate: float = 20.0) -> tuple[list[float], list[float]]:
    times = [index / rate for index in range(60)]
    return [0.1 if any(a <= t < b for a, b in shut_from_to) else 0.3 for t in times], times


@pytest.mark.parametrize(
    ("shut", "count"),
    [
        ([], 0),
        ([(1.0, 1.2)], 1),
        ([(0.5, 0.7), (2.0, 2.2)], 2),
        ([(1.0, 2.2)], 0),  # looking down
        ([(0.0, 0.3)], 0),  # began shut: not seen to close
    ],
)
def test_a_blink_is_a_short_dip_between_open_eyes(shut, count):
    assert cues.blinks(*series(*shut)) == count


def test_frames_too_far_apart_show_no_blink():
    assert cues.blinks(*series((1.0, 1.3), rate=5.0)) == 0


def scene(seed: int = 0) -> np.ndarray:
    """A grey room with a blob of a face; no straight lines."""
    noise = np.random.default_rng(seed).normal(120, 3, (480, 640, 3)).astype(np.float32)
    picture = cv2.GaussianBlur(noise, (0, 0), 2)
    cv2.ellipse(picture, (320, 212), (40, 52), 0, 0, 360, (150, 160, 190), cv2.FILLED)
    return np.clip(picture, 0, 255).astype(np.uint8)


def test_a_phone_around_the_face_is_a_border():
    picture = scene()
    cv2.rectangle(picture, (240, 60), (400, 420), (15, 15, 15), 10)
    assert surface.device_border(picture, FACE) > 0.8


def test_a_face_alone_has_no_border():
    assert surface.device_border(scene(), FACE) < 0.2


def test_a_door_frame_hidden_by_the_shoulders_is_no_border():
    picture = scene()
    cv2.rectangle(picture, (215, 20), (425, 479), (40, 40, 40), 8)
    cv2.ellipse(picture, (320, 400), (150, 125), 0, 0, 360, (90, 70, 60), cv2.FILLED)
    assert surface.device_border(picture, FACE) < 0.5


def test_one_straight_line_beside_the_face_is_no_border():
    picture = scene()
    cv2.line(picture, (250, 0), (250, 479), (10, 10, 10), 6)
    assert surface.device_border(picture, FACE) < 0.2


def test_lines_far_outside_the_shoulders_are_no_border():
    picture = scene()
    cv2.rectangle(picture, (120, 20), (520, 470), (10, 10, 10), 8)
    assert surface.device_border(picture, FACE) < 0.2


def test_the_edge_of_the_picture_is_no_border():
    picture = scene()[100:300, 262:378]
    shifted = Detection((18, 60, 80, 104), FACE.points - np.float32([262, 100]), 0.9)
    assert surface.device_border(np.ascontiguousarray(picture), shifted) < 0.2


def test_a_border_is_found_at_any_size():
    picture = scene()
    cv2.rectangle(picture, (240, 60), (400, 420), (15, 15, 15), 10)
    large = cv2.resize(picture, None, fx=3, fy=3)
    face = Detection(tuple(3 * v for v in FACE.box), FACE.points * 3, 0.9)
    assert surface.device_border(large, face) > 0.8


def natural(seed: int) -> np.ndarray:
    """Noise whose amplitude falls as 1/f, like pictures of natural things."""
    side = 128
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
    frequency[0, 0] = 1
    phases = np.exp(2j * np.pi * np.random.default_rng(seed).random(frequency.shape))
    picture = np.fft.irfft2(phases / frequency, s=(side, side))
    return (128 + 30 * picture / picture.std()).astype(np.float32)


def grating(angle_deg: float, period_px: float, amplitude: float) -> np.ndarray:
    across, down = np.meshgrid(np.arange(128), np.arange(128))
    angle = np.radians(angle_deg)
    return amplitude * np.sin(2 * np.pi * (across * np.cos(angle) + down * np.sin(angle)) / period_px)


@pytest.mark.parametrize("seed", range(5))
def test_a_natural_fall_of_detail_has_no_peak(seed):
    assert surface.spectral_peak(natural(seed)) < 14


@pytest.mark.parametrize("angle", [20, 45, 70, 110, 155])
@pytest.mark.parametrize("period", [2.6, 4, 7])
def test_a_grating_is_a_peak(angle, period):
    assert surface.spectral_peak(natural(1) + grating(angle, period, 12)) > 20


def test_a_stronger_grating_is_a_higher_peak():
    heights = [surface.spectral_peak(natural(2) + grating(35, 4, amplitude)) for amplitude in (1, 4, 16)]
    assert heights == sorted(heights)


def test_blocks_of_jpeg_are_no_moire():
    encoded = cv2.imencode(".jpg", natural(3).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    decoded = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE).astype(np.float32)
    assert surface.spectral_peak(decoded) < 15


@pytest.mark.parametrize("box", [(10, 10, 40, 50), (-30, 20, 100, 120), (600, 400, 100, 120)])
def test_a_face_too_small_or_outside_the_picture_gives_no_moire(box):
    assert surface.moire_peak(scene(), Detection(box, FACE.points, 0.9)) == 0.0


def test_a_flat_grey_face_has_no_peak_and_no_error():
    assert surface.spectral_peak(np.full((128, 128), 90, np.float32)) < 1
