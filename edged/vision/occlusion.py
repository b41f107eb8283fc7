"""Covered share of each of the seven parts of a face, 0..1: sunglasses, masks, hands, hair.

The mesh lays the face out flat at 48x48, whatever its pose; a small network, trained on generated pictures by
scripts/train-occlusion, looks at that. It finds sunglasses and masks, and often misses hands, hair and one
covered eye. Training and error rates: docs/occlusion.md. No limits here.
"""

from __future__ import annotations

import io

import cv2
import numpy as np

from edged.models import ModelFile
from edged.vision.mesh import OVAL, Mesh

SIDE = 48
"""Rows and columns of the face laid out flat."""

PARTS: dict[str, tuple[int, ...]] = {
    "left_eye": (130, 247, 30, 29, 27, 28, 56, 190, 243, 112, 26, 22, 23, 24, 110, 25),
    "right_eye": (359, 467, 260, 259, 257, 258, 286, 414, 463, 341, 256, 252, 253, 254, 339, 255),
    "nose": (6, 122, 351, 129, 358, 49, 279, 64, 294, 98, 327, 2),
    "mouth": (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146),
    "left_cheek": (117, 119, 100, 36, 206, 216, 192, 213, 147, 123),
    "right_cheek": (346, 348, 329, 266, 426, 436, 416, 433, 376, 352),
    "chin_contour": (18, 204, 424, 150, 149, 176, 148, 152, 377, 400, 378, 379),
}
"""Mesh points whose convex hull is the part. Left and right are those of the picture."""

_WORK_FACE_PX = 96.0
"""Height of the face before it is laid out flat; at this size fine texture does not alias."""

_CHROMA_SPREAD = 12.0
_LUMA_FLOOR = 12.0


class OcclusionEstimator:
    """The trained network. Holds no state between faces; one may serve several threads.

    Args:
        model: the file named `face_occlusion`.
    """

    def __init__(self, model: ModelFile) -> None:
        with np.load(io.BytesIO(model.data)) as arrays:
            self._weights = {name: arrays[name] for name in arrays.files}
        self._layout = Layout(self._weights["layout_points"], self._weights["layout_shares"])

    def parts(self, image: np.ndarray, mesh: Mesh) -> dict[str, float]:
        """Covered share of every part, in the order of docs/reference/face-api.md 5.1.

        Args:
            image: HxWx3 uint8 BGR.
            mesh: the face's mesh in pixels of `image`.

        Returns:
            0 clear .. 1 covered, by the names of `PARTS`.
        """
        logits = forward(self._weights, self._layout.channels(image, mesh.points)[None])[0]
        scores = 1 / (1 + np.exp(-(logits * self._weights["gain"] + self._weights["offset"])))
        return {part: float(score) for part, score in zip(PARTS, scores, strict=True)}


class Layout:
    """Where each cell of the flat face lies on the mesh.

    Args:
        points: 48x48x3 mesh point numbers, corners of the triangle the cell lies in.
        shares: 48x48x3 float weights of those corners; all zero in cells outside the face.
    """

    def __init__(self, points: np.ndarray, shares: np.ndarray) -> None:
        self._points = points.astype(np.int64)
        self._shares = shares.astype(np.float32)
        self.inside = self._shares.sum(axis=2) > 0.5

    def positions(self, points: np.ndarray) -> np.ndarray:
        """48x48x2 float32: where the cells lie in the picture the mesh points (468x2 or x3) belong to.

        Cells outside the face lie at 0, 0.
        """
        xy = points[:, :2].astype(np.float32)
        where: np.ndarray = np.einsum("rckd,rck->rcd", xy[self._points], self._shares)
        return where

    def flatten(self, image: np.ndarray, points: np.ndarray) -> np.ndarray:
        """48x48x3 uint8 BGR: the face laid out flat."""
        outline = points[list(OVAL), :2]
        left, top = np.floor(outline.min(axis=0)).astype(int) - 2
        right, bottom = np.ceil(outline.max(axis=0)).astype(int) + 3
        height, width = image.shape[:2]
        left, top = max(0, min(left, width - 2)), max(0, min(top, height - 2))
        crop = image[top : max(bottom, top + 2), left : max(right, left + 2)]
        zoom = min(1.0, _WORK_FACE_PX / max(bottom - top, 1))
        if zoom < 1:
            size = (max(2, round(crop.shape[1] * zoom)), max(2, round(crop.shape[0] * zoom)))
            zooms = np.array(size, np.float32) / crop.shape[1::-1]
            crop = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
        else:
            zooms = np.ones(2, np.float32)
        where = (self.positions(points) - np.array([left, top], np.float32) + 0.5) * zooms - 0.5
        columns, rows = cv2.split(where.astype(np.float32))
        return cv2.remap(crop, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def channels(self, image: np.ndarray, points: np.ndarray) -> np.ndarray:
        """The network's input: 48x48x8 float32; see `channels`."""
        return channels(self.flatten(image, points), self.inside)


def channels(flat: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The network's input for a flat face (48x48x3 uint8 BGR): 48x48x8 float32, zero outside the face.

    Brightness and colour relative to the face's own average, colour as it is, and the first three mirrored:
    one half of a face is the best model of the other.
    """
    colour = cv2.cvtColor(flat, cv2.COLOR_BGR2YCrCb).astype(np.float32)
    luma, chroma = colour[..., 0], colour[..., 1:]
    seen = luma[inside]
    light = (luma - seen.mean()) / (seen.std() + _LUMA_FLOOR)
    tint = (chroma - np.median(chroma[inside], axis=0)) / _CHROMA_SPREAD
    own = np.dstack([light, tint])
    everything = np.dstack([own, (chroma - 128) / (2 * _CHROMA_SPREAD), own[:, ::-1]])
    masked: np.ndarray = everything * inside[..., None]
    return masked.astype(np.float32)


def forward(weights: dict[str, np.ndarray], batch: np.ndarray) -> np.ndarray:
    """Logits Nx7 of a batch Nx48x48x8 float32: three convolutions, each halving the size, and two layers."""
    for layer in ("conv1", "conv2", "conv3"):
        batch = np.maximum(neighbourhoods(batch) @ weights[layer] + weights[layer + "_bias"], 0)
    hidden = batch.reshape(len(batch), -1) @ weights["dense1"] + weights["dense1_bias"]
    logits: np.ndarray = np.maximum(hidden, 0) @ weights["dense2"] + weights["dense2_bias"]
    return logits


def neighbourhoods(batch: np.ndarray) -> np.ndarray:
    """Every second 3x3 neighbourhood as one row: NxHxWxC -> Nx(H/2)x(W/2)x9C, zeros beyond the border."""
    padded = np.pad(batch, ((0, 0), (1, 0), (1, 0), (0, 0)))
    rows, columns = batch.shape[1], batch.shape[2]
    shifted = [padded[:, dy : dy + rows : 2, dx : dx + columns : 2] for dy in range(3) for dx in range(3)]
    return np.concatenate(shifted, axis=3)
