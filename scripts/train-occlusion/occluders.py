"""Things that cover a face, drawn where its mesh says, and the share of every pixel they cover.

Every function takes the picture (SxSx3 float, BGR 0..255), the mesh (468x3), scraps of photographs to cut
surfaces from and a random generator, and returns picture and cover (SxS, 0..1).
"""

from __future__ import annotations

import cv2
import numpy as np
from drawing import Drawn, eye_frame, paint, polygon, shade
from glasses import sunglasses
from textures import skin_colour, surface

from edged.vision.occlusion import PARTS

_JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)
_SKIN = [50, 280, 151]
"""Mesh points on cheeks and forehead."""


def mask(picture: np.ndarray, points: np.ndarray, scraps: list, rng: np.random.Generator) -> Drawn:
    """Surgical or cloth mask over mouth and chin, mostly over the nose, too."""
    side = len(picture)
    xy = points[:, :2]
    worn = rng.choice(["right", "below nose", "on chin"], p=[0.75, 0.17, 0.08])
    if worn == "right":
        bridge = xy[6] + (xy[4] - xy[6]) * rng.uniform(0.15, 0.8)
        top = [xy[93], xy[117 if rng.random() < 0.5 else 50], bridge]
        top += [xy[346 if rng.random() < 0.5 else 280], xy[323]]
    elif worn == "below nose":
        top = [xy[58], xy[207], xy[2] + (xy[0] - xy[2]) * rng.uniform(0, 0.6), xy[427], xy[288]]
    else:
        top = [xy[172], xy[17] + (xy[18] - xy[17]) * rng.uniform(0.3, 1.5), xy[397]]
    jaw = xy[list(_JAW)] if worn == "right" else xy[list(_JAW[1:-1])]
    middle = xy[4]
    jaw = middle + (jaw - middle) * rng.uniform(0.97, 1.12)
    outline = np.vstack([jaw, np.array(top[::-1])])
    outline += rng.normal(0, 1.2, outline.shape)
    cover = polygon(side, outline)
    cloth = shade(_cloth(side, points, scraps, rng), rng.uniform(0, 0.4), rng)
    return paint(_ear_loops(picture, points, rng), cloth, cover), cover


def _cloth(side: int, points: np.ndarray, scraps: list, rng: np.random.Generator) -> np.ndarray:
    medical = [
        (235, 235, 235),
        (225, 195, 150),
        (205, 180, 140),
        (35, 35, 35),
        (190, 170, 235),
        (170, 200, 160),
    ]
    if rng.random() < 0.55:
        cloth = np.ones((side, side, 3)) * np.array(medical[rng.integers(len(medical))])
        cloth *= rng.uniform(0.55, 1.08) * rng.uniform(0.93, 1.07, 3)
    else:
        cloth = surface(side, scraps, rng)
    if rng.random() < 0.5:  # pleats
        rows = np.arange(side) / eye_frame(points)[2] * rng.uniform(3, 6) + rng.random()
        cloth = cloth * (1 - rng.uniform(0.05, 0.3) * (np.mod(rows, 1) < 0.2))[:, None, None]
    column = (np.arange(side) - points[4, 0]) / (np.ptp(points[:, 0]) / 2)
    return cloth * (1 - rng.uniform(0, 0.5) * np.clip(np.abs(column), 0, 1) ** 2)[None, :, None]


def _ear_loops(picture: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.4:
        return picture
    drawn = picture.copy()
    for start, ear in ((132, 127), (361, 356), (93, 234), (323, 454)):
        ends = (np.round(points[i, :2]).astype(int).tolist() for i in (start, ear))
        cv2.line(drawn, *ends, (225, 225, 225), 1, cv2.LINE_AA)
    return drawn


def hand(picture: np.ndarray, points: np.ndarray, scraps: list, rng: np.random.Generator) -> Drawn:
    """Fingers and palm, mostly in the colour of the face itself."""
    side = len(picture)
    target = points[rng.choice([4, 13, 50, 280, 152, 159, 386, 200, 205, 425]), :2]
    width = eye_frame(points)[2] * rng.uniform(0.18, 0.34)
    direction = rng.uniform(0, np.pi) + (np.pi if rng.random() < 0.1 else 0)
    along = np.array([np.cos(direction), np.sin(direction)])
    beside = np.array([-along[1], along[0]])
    at = points[_SKIN, :2].astype(int).clip(0, side - 1)
    colour = np.median(picture[at[:, 1], at[:, 0]], axis=0)
    if rng.random() < 0.3:
        colour = skin_colour(rng)
    drawn, cover = picture, np.zeros((side, side), np.float32)
    count = int(rng.integers(1, 5))
    for finger in range(count):
        start = target + beside * width * (finger - count / 2) * 1.02 - along * width * rng.uniform(0.5, 2)
        shape = np.zeros((side, side), np.uint8)
        ends = (np.round(p).astype(int).tolist() for p in (start, start + along * width * 9))
        cv2.line(shape, *ends, 255, max(3, round(width)), cv2.LINE_AA)
        depth = cv2.distanceTransform((shape > 127).astype(np.uint8), cv2.DIST_L2, 3) / (width / 2)
        flesh = colour * rng.uniform(0.75, 1.15) * (0.6 + 0.4 * np.clip(depth, 0, 1) ** 0.5)[..., None]
        alpha = cv2.GaussianBlur(shape, (0, 0), 0.7).astype(np.float32) / 255
        drawn, cover = paint(drawn, flesh, alpha), np.maximum(cover, alpha)
    return drawn, cover


def patch(picture: np.ndarray, points: np.ndarray, scraps: list, rng: np.random.Generator) -> Drawn:
    """A phone, cup, microphone, sheet: a rectangle, ellipse or blob of any surface."""
    side = len(picture)
    centre = points[rng.integers(468), :2]
    if rng.random() < 0.5:
        centre = points[list(list(PARTS.values())[rng.integers(len(PARTS))]), :2].mean(axis=0)
    face = np.ptp(points[:, 1])
    size = face * rng.uniform(0.08, 0.4, 2)
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    power = rng.choice([0.15, 0.5, 1.0])
    x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power * size[0]
    y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power * size[1]
    wobble = 1 + rng.uniform(0, 0.25) * np.sin(angle * rng.integers(2, 6) + rng.uniform(0, 6))
    turn = rng.uniform(0, np.pi)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    cover = polygon(side, centre + np.column_stack([x * wobble, y * wobble]) @ rotation.T)
    return paint(picture, shade(surface(side, scraps, rng), rng.uniform(0, 0.3), rng), cover), cover


def scarf(picture: np.ndarray, points: np.ndarray, scraps: list, rng: np.random.Generator) -> Drawn:
    """Cloth from somewhere between chin and nose down to the picture's edge."""
    side = len(picture)
    level = points[rng.choice([4, 2, 13, 17, 200]), 1]
    columns = np.linspace(0, side, 9)
    edge = level + rng.normal(0, 2.5, 9) + rng.uniform(-0.15, 0.15) * (columns - side / 2)
    outline = np.vstack([np.column_stack([columns, edge]), [[side, side], [0, side]]])
    cover = polygon(side, outline)
    return paint(picture, shade(surface(side, scraps, rng), rng.uniform(0, 0.5), rng), cover), cover


def hair(picture: np.ndarray, points: np.ndarray, scraps: list, rng: np.random.Generator) -> Drawn:
    """Strands that fall from the forehead over one side of the face."""
    side = len(picture)
    face = np.ptp(points[:, 0])
    colour = rng.choice([20, 45, 80, 130]) * np.array([0.5, 0.75, 1.0]) * rng.uniform(0.6, 1.3)
    cover, drawn = np.zeros((side, side), np.float32), picture
    origin = points[rng.choice([10, 109, 338, 67, 297]), :2]
    reach = points[rng.choice([130, 359, 50, 280, 159, 386, 117, 346]), :2]
    for _ in range(rng.integers(8, 60)):
        start = origin + rng.normal(0, face * 0.06, 2)
        end = reach + rng.normal(0, face * 0.1, 2)
        bend = (start + end) / 2 + rng.normal(0, face * 0.08, 2)
        t = np.linspace(0, 1, 14)[:, None]
        curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * end
        strand = np.zeros((side, side), np.uint8)
        line = [np.round(curve * 8).astype(np.int32)]
        cv2.polylines(strand, line, False, 255, int(rng.integers(1, 4)), cv2.LINE_AA, 3)
        alpha = strand.astype(np.float32) / 255
        drawn = paint(drawn, np.ones_like(picture) * colour * rng.uniform(0.6, 1.6), alpha)
        cover = np.maximum(cover, alpha)
    return drawn, cover


KINDS = {
    "sunglasses": sunglasses,
    "mask": mask,
    "hand": hand,
    "patch": patch,
    "scarf": scarf,
    "hair": hair,
}
