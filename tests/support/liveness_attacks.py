"""Attacks and live stand-ins made up from pictures, for measuring the cues where no recordings exist.

Everything here is geometry plus blur, colour, noise and a pixel raster: no paper grain, no lens, no hands. A
figure measured on it is worth less than one measured on a recording and is always labelled `generated`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

FRAME_SIZE = (640, 480)
FPS = 15.0
_FOCAL_PX = 700.0
_DISTANCE = 700.0


def print_attack(
    photo: np.ndarray, face_px: float, frames: int, seed: int, *, shown_px: float = 130
) -> Iterator[np.ndarray]:
    """A sheet of paper with the photograph, held and turned before the camera.

    Args:
        photo: HxWx3 uint8 BGR, cut as it would be printed.
        face_px: width of the face in `photo`.
        frames: how many 640x480 frames, at `FPS`.
        seed: of the background, the way of the hand and the sensor's noise.
        shown_px: width of the face in the frames; with 300 the sheet's border is out of view.
    """
    margin = round(0.06 * min(photo.shape[:2]))
    sheet = cv2.copyMakeBorder(photo, *[margin] * 4, cv2.BORDER_CONSTANT, value=(235, 240, 242))
    faded = np.clip(sheet * np.array((0.80, 0.88, 0.95)) + 14, 0, 255).astype(np.uint8)
    yield from _shown(lambda _: faded, shown_px / face_px, frames, seed, blur=0.8)


def screen_replay(
    clip: Sequence[np.ndarray], face_px: float, seed: int, *, shown_px: float = 130
) -> Iterator[np.ndarray]:
    """A recording shown on a phone: dark bezel, raster against the camera's own, glare, bluer light.

    Args:
        clip: the recording's frames, cut as the phone would show them, all of one size.
        face_px: width of the face in them.
        seed, shown_px: as for `print_attack`.
    """
    high, wide = clip[0].shape[:2]
    zoom = 2 * shown_px / face_px
    size = (round(wide * zoom), round(high * zoom))
    glare = _glare(size, seed)

    def picture(index: int) -> np.ndarray:
        shown = cv2.resize(clip[index], size, interpolation=cv2.INTER_LINEAR).astype(np.float32)
        lit = shown * _raster(size) * np.array((1.25, 1.12, 1.05), np.float32) + glare + 10
        screen = np.clip(lit, 0, 255).astype(np.uint8)
        return cv2.copyMakeBorder(
            screen, *[round(0.05 * min(size))] * 4, cv2.BORDER_CONSTANT, value=(18, 18, 18)
        )

    yield from _shown(picture, 0.5, len(clip), seed, blur=0.0)


def head_turns(
    photo: np.ndarray, mesh: np.ndarray, triangles: np.ndarray, yaws_deg: Sequence[float]
) -> Iterator[np.ndarray]:
    """The face of a photograph as a solid that turns, before the rest of the photograph standing still.

    A stand-in for the motion of a living head only; its skin is a photograph's.

    Args:
        photo: HxWx3 uint8 BGR.
        mesh: 468x3 in pixels of `photo`.
        triangles: Tx3 indices into it.
        yaws_deg: one frame for each.
    """
    centre = mesh.mean(axis=0)
    for yaw in yaws_deg:
        turned = (mesh - centre) @ _rotation(yaw, 0.2 * yaw, 0.0).T + centre
        frame = photo.copy()
        depth = turned[triangles, 2].mean(axis=1)
        for corners in triangles[np.argsort(-depth)]:
            _paint(photo, frame, mesh[corners, :2].astype(np.float32), turned[corners, :2].astype(np.float32))
        yield frame


def _shown(picture, scale: float, frames: int, seed: int, blur: float) -> Iterator[np.ndarray]:
    """A flat picture (a function of the frame's number) carried through the room by a hand."""
    random = np.random.default_rng(seed)
    width, height = FRAME_SIZE
    room = _room(random)
    phases = random.uniform(0, 2 * np.pi, 4)
    for index in range(frames):
        flat = picture(index)
        sway = np.sin(2 * np.pi * np.array((0.5, 0.37, 0.8, 0.6)) * index / FPS + phases)
        pose = _rotation(22 * sway[0], 12 * sway[1], 3 * sway[2])
        to_frame = _homography(
            flat.shape[1::-1], scale * (1 + 0.08 * sway[3]), pose, (12 * sway[2], 8 * sway[3])
        )
        held = cv2.warpPerspective(flat, to_frame, FRAME_SIZE, flags=cv2.INTER_LINEAR)
        mask = np.full(flat.shape[:2], 255, np.uint8)
        mask = cv2.warpPerspective(mask, to_frame, FRAME_SIZE, flags=cv2.INTER_LINEAR)[..., None] / 255.0
        frame = room * (1 - mask) + held * mask
        if blur:
            frame = cv2.GaussianBlur(frame, (0, 0), blur)
        yield np.clip(frame + random.normal(0, 2.5, (height, width, 3)), 0, 255).astype(np.uint8)


def _homography(
    size: tuple[int, int], scale: float, rotation: np.ndarray, shift: tuple[float, float]
) -> np.ndarray:
    """3x3: pixels of a flat picture -> frame, pinhole camera, the picture turned about its own centre."""
    wide, high = size
    camera = np.array([[_FOCAL_PX, 0, FRAME_SIZE[0] / 2], [0, _FOCAL_PX, FRAME_SIZE[1] / 2], [0, 0, 1]])
    place = np.column_stack([rotation[:, :2] * scale, (*shift, _DISTANCE)])
    to_centre = np.array([[1, 0, -wide / 2], [0, 1, -high / 2], [0, 0, 1]])
    return camera @ place @ to_centre


def _rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> np.ndarray:
    matrices = [cv2.Rodrigues(np.radians(turn) * axis)[0] for turn, axis in zip(
        (yaw_deg, pitch_deg, roll_deg), np.array([(0.0, 1, 0), (1, 0, 0), (0, 0, 1)]), strict=True
    )]  # fmt: skip
    return matrices[0] @ matrices[1] @ matrices[2]


def _room(random: np.random.Generator) -> np.ndarray:
    """A blurred wall with lighter and darker places."""
    small = (random.uniform(70, 180, (6, 8, 1)) + random.uniform(-12, 12, (6, 8, 3))).astype(np.float32)
    return cv2.GaussianBlur(cv2.resize(small, FRAME_SIZE, interpolation=cv2.INTER_CUBIC), (0, 0), 9)


def _glare(size: tuple[int, int], seed: int) -> np.ndarray:
    wide, high = size
    x, y = np.random.default_rng(seed).uniform(0.2, 0.8, 2) * size
    across, down = np.meshgrid(np.arange(wide) - x, np.arange(high) - y)
    spot = 70 * np.exp(-(across**2 + down**2) / (2 * (0.12 * max(size)) ** 2))
    return spot[..., None].astype(np.float32)


def _raster(size: tuple[int, int]) -> np.ndarray:
    """Light of a display's pixels, two picture pixels each: dark gaps and one colour per column in turn."""
    wide, high = size
    raster = np.full((high, wide, 3), 1.0, np.float32)
    raster[::2] *= 0.75
    for column, channel in enumerate((2, 1, 0)):
        raster[:, column::3, channel] *= 1.3
    return raster


def _paint(source: np.ndarray, target: np.ndarray, from_px: np.ndarray, to_px: np.ndarray) -> None:
    """Carry one triangle of `source` into `target`, which is changed."""
    left, top = np.floor(to_px.min(axis=0)).astype(int)
    right, bottom = np.ceil(to_px.max(axis=0)).astype(int) + 1
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, target.shape[1]), min(bottom, target.shape[0])
    if right <= left or bottom <= top or abs(np.cross(to_px[1] - to_px[0], to_px[2] - to_px[0])) < 1e-3:
        return
    local = to_px - np.array((left, top), np.float32)
    size = (right - left, bottom - top)
    patch = cv2.warpAffine(
        source, cv2.getAffineTransform(from_px, local), size, borderMode=cv2.BORDER_REFLECT
    )
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillConvexPoly(mask, np.round(local).astype(np.int32), 255)
    target[top:bottom, left:right][mask > 0] = patch[mask > 0]
