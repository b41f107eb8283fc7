"""New faces out of the few photographs: other pose, other shape, parts of one person on another."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from layout import barycentric, rasterise

from edged.vision.occlusion import PARTS

PICTURE = 224
"""Side of the generated pictures."""

LIDS = (
    (159, 145), (158, 153), (160, 144), (161, 163), (157, 154), (173, 155), (246, 7),
    (386, 374), (385, 380), (387, 373), (388, 390), (384, 381), (398, 382), (466, 249),
)  # fmt: skip
"""Upper and lower lid points that meet when the eye closes."""

Place = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Pixels inside a mesh, and for each the corners and weights of its triangle."""

_LIPS = tuple(PARTS["mouth"])


@dataclass(frozen=True)
class Base:
    """One photograph cut to 224x224 with its mesh (468x3)."""

    person: str
    picture: np.ndarray
    points: np.ndarray


def cut(person: str, image: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> Base:
    """The face in the middle of a 224x224 picture, about 120 px high."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    scale = PICTURE / (high[1] - low[1]) * rng.uniform(0.5, 0.62)
    centre = (low + high) / 2
    small = image
    if scale < 0.6:
        small = cv2.resize(image, None, fx=scale * 1.5, fy=scale * 1.5, interpolation=cv2.INTER_AREA)
    fine = small.shape[1] / image.shape[1]
    matrix = np.array([[scale / fine, 0, 0], [0, scale / fine, 0]])
    matrix[:, 2] = PICTURE / 2 - centre * scale
    picture = cv2.warpAffine(small, matrix, (PICTURE, PICTURE), borderMode=cv2.BORDER_REFLECT)
    moved = points * scale
    moved[:, :2] += PICTURE / 2 - centre * scale
    return Base(person, picture, moved)


def mirrored(base: Base, partner: np.ndarray) -> Base:
    """The photograph flipped; `partner` is the mesh point on the other side of each."""
    points = base.points[partner].copy()
    points[:, 0] = PICTURE - 1 - points[:, 0]
    return Base(base.person, base.picture[:, ::-1].copy(), points)


def mirror_partners(vertices: np.ndarray) -> np.ndarray:
    """For each mesh point the one at its mirrored place."""
    gaps = np.linalg.norm(vertices[:, None] - vertices[None] * (-1, 1, 1), axis=2)
    return gaps.argmin(axis=1)


def reshape(base: Base, other: Base, rng: np.random.Generator) -> np.ndarray:
    """Mesh points (468x3) of `base` with some of the other's shape, another expression and pose."""
    own = base.points - base.points.mean(axis=0)
    theirs = other.points - other.points.mean(axis=0)
    theirs = theirs * np.linalg.norm(own) / np.linalg.norm(theirs)
    shape = own + rng.uniform(0, 0.8) * (_onto(theirs, own) - own)
    shape *= (rng.uniform(0.93, 1.07), rng.uniform(0.95, 1.05), 1)
    if rng.random() < 0.2:
        shape = close_eyes(shape, rng.uniform(0.3, 1.0))
    if rng.random() < 0.35:
        shape = stretch_mouth(shape, rng)
    turn = np.radians([rng.normal(0, 9), rng.normal(0, 12), rng.normal(0, 5)])
    rotation = cv2.Rodrigues(np.array([turn[0], 0, 0]))[0] @ cv2.Rodrigues(np.array([0, turn[1], 0]))[0]
    rotation = rotation @ cv2.Rodrigues(np.array([0, 0, turn[2]]))[0]
    return shape @ rotation.T + base.points.mean(axis=0)


def _onto(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """`points` turned onto `target` (both centred): nearest rotation."""
    u, _, vt = np.linalg.svd(points.T @ target)
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    return points @ (u @ sign @ vt)


def close_eyes(points: np.ndarray, share: float) -> np.ndarray:
    """The mesh with the upper lids brought down to the lower ones by `share`, 0..1."""
    closed = points.copy()
    for upper, lower in LIDS:
        closed[upper] += (points[lower] - points[upper]) * share * 0.95
    return closed


def stretch_mouth(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The lips narrower or wider, thinner or thicker, jaw up or down."""
    moved = points.copy()
    ids = list(_LIPS)
    centre = points[ids].mean(axis=0)
    factors = (rng.uniform(0.75, 1.12), rng.uniform(0.6, 1.25), 1)
    inner = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 95, 88, 178, 87, 14, 317, 402, 318, 324]
    ids = ids + inner
    moved[ids] = centre + (points[ids] - centre) * factors
    return moved


class Warper:
    """Draws photographs onto given meshes."""

    def __init__(self, triangles: np.ndarray) -> None:
        self._triangles = triangles

    def lookup(self, points: np.ndarray) -> Place:
        """Pixels inside the mesh (bool), and for each the triangle's corners and weights; nearest on top."""
        depth = points[self._triangles, 2].mean(axis=1)
        order = np.argsort(-depth)
        ordered = self._triangles[order]
        owner = rasterise(points[:, :2], ordered, (PICTURE, PICTURE))
        inside = owner >= 0
        rows, columns = np.nonzero(inside)
        corners = ordered[owner[inside]]
        weights = barycentric(points[corners][..., :2], np.column_stack([columns, rows]).astype(float))
        return inside, corners, weights

    def draw(self, base: Base, place: Place) -> np.ndarray:
        """The photograph with its face moved to `place`; what surrounds it follows smoothly."""
        inside, corners, weights = place
        grid = np.dstack(np.meshgrid(np.arange(PICTURE), np.arange(PICTURE))).astype(np.float32)
        shift = np.zeros_like(grid)
        where = np.einsum("nkd,nk->nd", base.points[corners][..., :2], weights)
        shift[inside] = where - grid[inside]
        shift = _extend(shift, inside.astype(np.float32))
        return cv2.remap(base.picture, grid + shift, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _extend(field: np.ndarray, known: np.ndarray) -> np.ndarray:
    """A field continued beyond where it is known, smoother the farther away."""
    filled = field.copy()
    missing = known < 0.5
    for sigma in (40, 16, 6):
        weight = cv2.GaussianBlur(known, (0, 0), sigma)
        smooth = cv2.GaussianBlur(field * known[..., None], (0, 0), sigma) / (weight[..., None] + 1e-4)
        trust = np.clip(weight * 4, 0, 1)[..., None]
        filled = np.where(missing[..., None], filled * (1 - trust) + smooth * trust, filled)
    return filled


def compose(
    base: Base, donors: list[Base], target: np.ndarray, warper: Warper, rng: np.random.Generator
) -> np.ndarray:
    """The base's head with the donors' skin, eyes and mouth, matched in colour (224x224x3 uint8)."""
    place = warper.lookup(target)
    picture = warper.draw(base, place).astype(np.float32)
    skin, eyes, mouth = donors
    areas = [
        (skin, _hull(target, list(range(468))), 9),
        (eyes, _eyes_area(target), 4),
        (mouth, _hull(target, [*PARTS["mouth"], 164, 18, 186, 410]), 4),
    ]
    for donor, area, edge in areas:
        if donor is base:
            continue
        theirs = warper.draw(donor, place).astype(np.float32)
        inner = cv2.erode(area, np.ones((2 * edge + 1, 2 * edge + 1), np.uint8))
        matched = _match(theirs, picture, inner > 0)
        alpha = cv2.GaussianBlur(inner, (0, 0), edge * 0.6).astype(np.float32)[..., None] / 255
        picture = picture * (1 - alpha) + matched * alpha
    return np.clip(picture, 0, 255).astype(np.uint8)


def _hull(points: np.ndarray, ids: list[int]) -> np.ndarray:
    mask = np.zeros((PICTURE, PICTURE), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points[ids, :2]).astype(np.int32)), 255)
    return mask


def _eyes_area(points: np.ndarray) -> np.ndarray:
    left = _hull(points, [*PARTS["left_eye"], 46, 52, 55])
    return left | _hull(points, [*PARTS["right_eye"], 276, 282, 285])


def _match(theirs: np.ndarray, ours: np.ndarray, area: np.ndarray) -> np.ndarray:
    """`theirs` with the brightness and colour that `ours` has in the area."""
    if not area.any():
        return theirs
    mean, goal = theirs[area].mean(axis=0), ours[area].mean(axis=0)
    spread = np.clip(ours[area].std() / (theirs[area].std() + 1), 0.7, 1.3)
    return (theirs - mean) * spread + goal
