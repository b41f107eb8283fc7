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
    backdrop = cv2.resize(head.photo, (camera.width, camera.height), interpolation=cv2.INTER_AREA)
    backdrop = cv2.GaussianBlur(backdrop, (0, 0), camera.width / 10)
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
    nearest = np.full((camera.height, camera.width), np.inf)
    found = np.full((camera.height, camera.width, 2), -1.0, np.float32)
    for corners in triangles:
        p = pixels[corners]
        x0, y0 = np.maximum(np.ceil(p.min(axis=0)), 0).astype(int)
        x1, y1 = np.minimum(np.floor(p.max(axis=0)) + 1, (camera.width, camera.height)).astype(int)
        area = (p[1, 0] - p[0, 0]) * (p[2, 1] - p[0, 1]) - (p[2, 0] - p[0, 0]) * (p[1, 1] - p[0, 1])
        if x1 <= x0 or y1 <= y0 or area == 0:
            continue
        x, y = np.arange(x0, x1)[None, :], np.arange(y0, y1)[:, None]
        w1 = ((x - p[0, 0]) * (p[2, 1] - p[0, 1]) - (p[2, 0] - p[0, 0]) * (y - p[0, 1])) / area
        w2 = ((p[1, 0] - p[0, 0]) * (y - p[0, 1]) - (x - p[0, 0]) * (p[1, 1] - p[0, 1])) / area
        weights = np.stack([1 - w1 - w2, w1, w2], axis=-1)
        z = weights @ depth[corners]
        patch = nearest[y0:y1, x0:x1]
        hit = (weights.min(axis=-1) >= -1e-9) & (z < patch)
        patch[hit] = z[hit]
        found[y0:y1, x0:x1][hit] = (weights @ texture[corners])[hit]
    return found
