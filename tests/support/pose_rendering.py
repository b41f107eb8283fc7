"""Heads at known angles: a photograph's face mesh as a solid, turned and seen through a pinhole camera.

Ground truth for the head pose, for tests and scripts/evaluate-pose. Nothing here is used by edged itself.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np

from edged import models
from edged.vision.detector import Detection
from edged.vision.faces import FaceReader
from edged.vision.mesh import OVAL

TO_PICTURE_AXES = np.array([1.0, -1.0, -1.0])
"""The canonical mesh has y up and z to the viewer; here y is down and z away from the viewer."""

_RINGS = ((1.10, 1.5), (1.22, 4.0), (1.45, 6.5), (2.2, 8.0))
"""Ears, hair and collar around the face outline: how far out (times the outline), how far back (cm)."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera: size of its picture and focal length in pixels."""

    width: int = 640
    height: int = 480
    focal_px: float = 640.0


@dataclass(frozen=True)
class Head:
    """A head that can be turned.

    Attributes:
        photo: the photograph that is its texture, HxWx3 uint8 BGR.
        shape: Nx3, cm, picture axes, frontal and symmetric: a turn by nothing is 0, 0, 0 by construction.
        texture: Nx2, where in the photograph each point of the shape is seen.
        triangles: Mx3 indices.
    """

    photo: np.ndarray
    shape: np.ndarray
    texture: np.ndarray
    triangles: np.ndarray


def rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> np.ndarray:
    """3x3, picture axes: the rotation whose angles, as edged defines them, are the ones given."""
    (sy, sp, sr), (cy, cp, cr) = np.sin(a := np.radians([yaw_deg, pitch_deg, roll_deg])), np.cos(a)
    yaw = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return yaw @ pitch @ roll


def head_of(photo: np.ndarray, reader: FaceReader) -> Head:
    """The head of the largest face of a photograph (HxWx3 uint8 BGR).

    The mesh is fitted to the photograph and to its mirror image and averaged, so it leans to no side. The
    shape is that mesh carried back to the canonical pose and averaged with its own mirror image, so what is
    frontal does not depend on any estimate of pose: for yaw and roll it is the plane of symmetry.
    """
    geometry = np.load(io.BytesIO(models.load("face_geometry").data), allow_pickle=False)
    canonical = geometry["vertices"].astype(np.float64) * TO_PICTURE_AXES
    partner = _mirror_partners(canonical)
    fitted = _fitted(photo, reader, partner)
    scale, turn, shift = _similarity(canonical, fitted)
    own = (fitted - shift) @ turn / scale
    own = (own + own[partner] * (-1, 1, 1)) / 2
    _, level, offset = _similarity(canonical, own)
    own = (own - offset) @ level
    rings, ring_triangles = _surroundings(own)
    seen = scale * rings @ turn.T + shift
    return Head(
        photo,
        np.vstack([own, rings]),
        np.vstack([fitted[:, :2], seen[:, :2]]),
        np.vstack([geometry["triangles"], ring_triangles]),
    )


def render(
    head: Head,
    turn: np.ndarray,
    *,
    camera: Camera = Camera(),
    distance_cm: float = 70.0,
    at_px: tuple[float, float] | None = None,
) -> np.ndarray:
    """The head turned by `turn` (3x3) from looking straight into the lens, over its blurred photograph.

    Args:
        at_px: where in the picture the head's centre is; None for the middle.

    Returns:
        HxWx3 uint8 BGR.
    """
    middle = np.array([camera.width / 2, camera.height / 2])
    offset = (np.asarray(at_px or middle) - middle) / camera.focal_px
    ray = np.array([*offset, 1.0]) / np.hypot(1.0, np.hypot(*offset))
    towards = _rotation_from_axis_to(ray)
    solid = head.shape @ (towards @ turn).T + distance_cm * ray
    pixels = solid[:, :2] / solid[:, 2:] * camera.focal_px + middle
    map_xy = _rasterise(pixels, solid[:, 2], head.texture, head.triangles, camera)
    # blurred at an eighth of the size: nothing that fine is left, and it takes a hundredth of the time
    backdrop = cv2.resize(head.photo, (camera.width // 8, camera.height // 8), interpolation=cv2.INTER_AREA)
    backdrop = cv2.GaussianBlur(backdrop, (0, 0), camera.width / 80)
    backdrop = cv2.resize(backdrop, (camera.width, camera.height), interpolation=cv2.INTER_CUBIC)
    drawn = cv2.remap(head.photo, map_xy, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = (map_xy[..., 0] >= 0).astype(np.float32)
    alpha = cv2.GaussianBlur(inside, (0, 0), 1.0)[..., None] * inside[..., None]
    return (drawn * alpha + backdrop * (1 - alpha)).astype(np.uint8)


def seen_again(photo: np.ndarray, zoom: float, rng: np.random.Generator) -> np.ndarray:
    """The photograph as a camera shows it once more of a person who keeps still, HxWx3 uint8 BGR.

    It is scaled by `zoom` give or take 3 %, moved by less than 2 px and given noise of 4 grey levels (sigma),
    as a cheap sensor has it in room light.
    """
    scale = zoom * rng.uniform(0.97, 1.03)
    move = np.array([[scale, 0, rng.uniform(0, 2)], [0, scale, rng.uniform(0, 2)]])
    size = (int(photo.shape[1] * scale), int(photo.shape[0] * scale))
    # warpAffine does not average: what would alias is taken out first
    soft = cv2.GaussianBlur(photo, (0, 0), 0.5 / scale) if scale < 1 else photo
    picture = cv2.warpAffine(soft, move, size, flags=cv2.INTER_LINEAR)
    return np.clip(picture + rng.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)


def jostled(face: Detection, rng: np.random.Generator) -> Detection:
    """The detection of a less steady detector: the box off by up to 2 px a side, points by up to 1 px."""
    box = tuple(np.array(face.box) + rng.uniform(-2, 2, 4))
    return Detection(box, (face.points + rng.uniform(-1, 1, (5, 2))).astype(np.float32), face.score)


def _fitted(photo: np.ndarray, reader: FaceReader, partner: np.ndarray) -> np.ndarray:
    """468x3: the mesh of the largest face, the mean of the fits to the picture and its mirror image."""
    fits = []
    for picture in (photo, cv2.flip(photo, 1)):
        face = reader.detect(picture, min_face_px=60)[0]
        fits.append(reader.measure(picture, face).mesh.points)
    mirrored = fits[1][partner]
    mirrored[:, 0] = photo.shape[1] - 1 - mirrored[:, 0]
    return (fits[0] + mirrored) / 2


def _rotation_from_axis_to(ray: np.ndarray) -> np.ndarray:
    """The turn without roll that carries the optical axis onto `ray`."""
    yaw = -np.degrees(np.arctan2(ray[0], ray[2]))
    pitch = -np.degrees(np.arcsin(ray[1]))
    return rotation(yaw, pitch, 0.0)


def _similarity(model: np.ndarray, seen: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Scale, rotation and shift with seen = scale * rotation @ model + shift, over all points (Umeyama)."""
    a, b = model - model.mean(axis=0), seen - seen.mean(axis=0)
    u, s, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    turn = u @ np.diag(sign) @ vt
    scale = float((s * sign).sum() / (a**2).sum())
    return scale, turn, seen.mean(axis=0) - scale * turn @ model.mean(axis=0)


def _mirror_partners(canonical: np.ndarray) -> np.ndarray:
    """For each of the 468 points the one on the other side of the face."""
    mirrored = canonical * (-1, 1, 1)
    return np.array([np.argmin(((mirrored - point) ** 2).sum(axis=1)) for point in canonical])


def _surroundings(face: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rings around the face outline and the triangles that join them to it."""
    outline = face[list(OVAL)]
    centre = np.array([0.0, outline[:, 1].mean()])
    rings, triangles, before = [], [], np.array(OVAL)
    for number, (out, back_cm) in enumerate(_RINGS):
        ring = outline.copy()
        ring[:, :2] = centre + (ring[:, :2] - centre) * out
        ring[:, 2] += back_cm
        rings.append(ring)
        here = len(face) + number * len(OVAL) + np.arange(len(OVAL))
        for i in range(len(OVAL)):
            j = (i + 1) % len(OVAL)
            triangles += [(before[i], before[j], here[i]), (here[i], before[j], here[j])]
        before = here
    return np.vstack(rings), np.array(triangles)


def _rasterise(
    pixels: np.ndarray, depth: np.ndarray, texture: np.ndarray, triangles: np.ndarray, camera: Camera
) -> np.ndarray:
    """HxWx2 float32: where in the texture each pixel of the picture looks; -1 where there is no head.

    Nearest surface wins, pixel by pixel. Within a triangle the texture is interpolated flat: it is too
    small for perspective to show.
    """
    first, last = pixels[triangles].min(axis=1), pixels[triangles].max(axis=1)
    low = np.maximum(np.ceil(first), 0).astype(int)
    wide, high = np.maximum(
        np.minimum(np.floor(last) + 1, (camera.width, camera.height)).astype(int) - low, 0
    ).T
    # every pixel of every triangle's bounding box, as one long list
    owner = np.repeat(np.arange(len(triangles)), wide * high)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(wide * high) - wide * high, wide * high)
    down, across = np.divmod(number, wide[owner])
    x, y = low[owner, 0] + across, low[owner, 1] + down
    weights = _barycentric(pixels[triangles], owner, x, y)
    inside = np.flatnonzero(weights.min(axis=1) >= -1e-9)[::-1]
    z = (weights[inside] * depth[triangles][owner[inside]]).sum(axis=1)
    hit = inside[np.argsort(-z, kind="stable")]  # the farthest first, so that the nearest is written last
    found = np.full((camera.height, camera.width, 2), -1.0, np.float32)
    found[y[hit], x[hit]] = (weights[hit, :, None] * texture[triangles][owner[hit]]).sum(axis=1)
    return found


def _barycentric(corners: np.ndarray, owner: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Nx3 weights of the corners (Mx3x2) of triangle `owner` at x, y; negative for flat triangles."""
    a, b, c = corners.transpose(1, 0, 2)
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    scale = np.divide(1.0, area, out=np.full(len(area), np.nan), where=area != 0)[owner]
    from_a = x - a[owner, 0], y - a[owner, 1]
    w1 = (from_a[0] * (c - a)[owner, 1] - (c - a)[owner, 0] * from_a[1]) * scale
    w2 = ((b - a)[owner, 0] * from_a[1] - from_a[0] * (b - a)[owner, 1]) * scale
    weights = np.stack([1 - w1 - w2, w1, w2], axis=-1)
    return np.where(np.isfinite(weights), weights, -1.0)
