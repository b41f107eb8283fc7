"""Batches for the network: samples mirrored, jittered and recoloured on the way."""

from __future__ import annotations

import cv2
import numpy as np
from samples import Samples

from edged.vision.occlusion import SIDE, channels

MIRRORED_PARTS = [1, 0, 2, 3, 5, 4, 6]


class Feed:
    """Draws random batches from samples; half of every batch is clean."""

    def __init__(self, samples: Samples, inside: np.ndarray) -> None:
        self._samples = samples
        self._inside = inside
        clean = samples.kind == "clean"
        self._pools = (np.nonzero(clean)[0], np.nonzero(~clean)[0])

    def __call__(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """`count` inputs of the network and the covered shares wanted."""
        half = count // 2
        picked = np.concatenate([rng.choice(self._pools[0], half), rng.choice(self._pools[1], count - half)])
        seen = np.empty((count, SIDE, SIDE, 8), np.float32)
        shares = np.empty((count, len(MIRRORED_PARTS)), np.float32)
        for row, number in enumerate(picked):
            flat, share = self._samples.flat[number], self._samples.shares[number]
            if rng.random() < 0.5:
                flat, share = flat[:, ::-1], share[MIRRORED_PARTS]
            seen[row] = channels(jitter(flat, rng), self._inside)
            shares[row] = share
        return seen, shares


def jitter(flat: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A misplaced mesh, another exposure and lamp, now and then no colour at all."""
    move = np.eye(2, 3, dtype=np.float32) + rng.normal(0, 0.02, (2, 3)).astype(np.float32)
    move[:, 2] = (np.eye(2) - move[:, :2]) @ (SIDE / 2, SIDE / 2) + rng.normal(0, 0.8, 2)
    moved = cv2.warpAffine(flat, move, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    moved = 255 * (moved / 255) ** np.exp(rng.normal(0, 0.15)) * np.exp(rng.normal(0, 0.06, 3))
    if rng.random() < 0.1:
        moved[:] = moved.mean(axis=2, keepdims=True)
    moved += rng.normal(0, rng.choice([0, 2, 4]), moved.shape)
    return np.clip(moved, 0, 255).astype(np.uint8)


def inputs(flat: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """What the network sees of many flat faces, unaltered."""
    return np.stack([channels(face, inside) for face in flat])
