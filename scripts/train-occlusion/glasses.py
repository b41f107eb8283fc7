"""Sunglasses, which cover the eyes, and spectacles, which do not."""

from __future__ import annotations

import cv2
import numpy as np
from drawing import Drawn, eye_frame, paint, polygon
from textures import any_colour, surface


def lens_shapes(points: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Outlines of the two lenses of a pair of glasses (40x2 each)."""
    centres, across, distance = eye_frame(points)
    down = np.array([-across[1], across[0]])
    width, height = distance * rng.uniform(0.38, 0.5), distance * rng.uniform(0.2, 0.36)
    power = rng.choice([0.45, 0.6, 0.8, 1.0])
    outward, drop = distance * rng.uniform(-0.02, 0.06), distance * rng.uniform(-0.02, 0.1)
    droop = rng.uniform(-0.1, 0.35)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power
    y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power
    shapes = []
    for centre, sign in zip(centres, (-1, 1), strict=True):
        bent = y * (1 + droop * x * 0.6)
        shape = centre + across * outward * sign + down * drop
        shapes.append(shape + np.outer(x * width * sign, across) + np.outer(bent * height, down))
    return shapes


def frame(points: np.ndarray, shapes: list[np.ndarray], side: int, thickness: float) -> np.ndarray:
    """Cover of rims, bridge and temples."""
    mask = np.zeros((side, side), np.uint8)
    thick = max(1, round(thickness))
    centres, _, distance = eye_frame(points)
    for shape in shapes:
        cv2.polylines(mask, [np.round(shape * 8).astype(np.int32)], True, 255, thick, cv2.LINE_AA, 3)
    middle = centres.mean(axis=0)
    inner = [min(shape, key=lambda p: float(np.linalg.norm(p - middle))) for shape in shapes]
    outer = [max(shape, key=lambda p: float(np.linalg.norm(p - middle))) for shape in shapes]
    lift = np.array([0, -0.04 * distance])
    lines = [(inner[0] + lift, inner[1] + lift), (outer[0], points[127, :2]), (outer[1], points[356, :2])]
    for a, b in lines:
        ends = (np.round(p * 8).astype(int).tolist() for p in (a, b))
        cv2.line(mask, *ends, 255, thick, cv2.LINE_AA, 3)
    return mask.astype(np.float32) / 255


def glare(cover: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Bright spots and streaks on glass (SxS, 0..1), only where `cover` is."""
    spots = np.zeros(cover.shape, np.uint8)
    rows, columns = np.nonzero(cover > 0.5)
    for _ in range(rng.integers(1, 4)):
        at = rng.integers(len(rows))
        size = (int(rng.integers(1, 9)), int(rng.integers(1, 4)))
        place = (int(columns[at]), int(rows[at]))
        cv2.ellipse(spots, place, size, int(rng.integers(180)), 0, 360, 255, -1)
    return cv2.GaussianBlur(spots, (0, 0), rng.uniform(0.6, 2)).astype(np.float32) / 255 * (cover > 0.3)


def sunglasses(picture: np.ndarray, points: np.ndarray, scraps: list, rng: np.random.Generator) -> Drawn:
    """Dark, tinted or mirroring lenses with frame and glare; sometimes a visor, or a patch on one eye."""
    side = len(picture)
    shapes = lens_shapes(points, rng)
    distance = eye_frame(points)[2]
    form = rng.random()
    if form < 0.15:
        shapes = [shapes[rng.integers(2)]]
    elif form < 0.27:
        shapes = [cv2.convexHull(np.vstack(shapes).astype(np.float32))[:, 0]]
    lens = np.max([polygon(side, shape) for shape in shapes], axis=0)
    tint = rng.uniform(0, 75) * rng.uniform(0.7, 1.3, 3)
    glass = np.ones_like(picture) * tint
    if rng.random() < 0.3:
        glass = glass + surface(side, scraps, rng) * rng.uniform(0.1, 0.6)
    density = np.full((side, side), rng.uniform(0.8, 1.0), np.float32)
    if rng.random() < 0.3:
        top, bottom = points[:, 1].min(), points[4, 1]
        fade = np.clip((np.arange(side) - top) / (bottom - top), 0, 1)
        density *= (1 - rng.uniform(0, 0.3) * fade)[:, None]
    drawn = paint(picture, glass, lens * density)
    if rng.random() < 0.6:
        drawn = paint(drawn, np.full_like(picture, 255), glare(lens, rng) * rng.uniform(0.2, 0.9))
    if len(shapes) == 2:
        rim = frame(points, shapes, side, distance * rng.uniform(0.01, 0.09))
        drawn = paint(drawn, np.ones_like(picture) * any_colour(rng) * rng.uniform(0.1, 1), rim)
    return drawn, lens


def spectacles(picture: np.ndarray, points: np.ndarray, scraps: list, rng: np.random.Generator) -> Drawn:
    """Clear or faintly tinted glasses, rims from wire to heavy horn: they cover nothing."""
    side = len(picture)
    shapes = lens_shapes(points, rng)
    distance = eye_frame(points)[2]
    lens = np.max([polygon(side, shape) for shape in shapes], axis=0)
    tint = rng.uniform(0, 0.3) if rng.random() < 0.4 else rng.uniform(0, 0.1)
    drawn = paint(picture, np.ones_like(picture) * any_colour(rng), lens * tint)
    rim = frame(points, shapes, side, distance * rng.choice([0.01, 0.03, 0.06, 0.09, 0.12]))
    dark = any_colour(rng) * rng.uniform(0.1, 1)
    if rng.random() < 0.35:
        dark = np.full(3, rng.uniform(5, 50))
    drawn = paint(drawn, np.ones_like(picture) * dark, rim * rng.uniform(0.5, 1))
    if rng.random() < 0.5:
        drawn = paint(drawn, np.full_like(picture, 245), glare(lens, rng) * rng.uniform(0.1, 0.7))
    return drawn, np.zeros((side, side), np.float32)
