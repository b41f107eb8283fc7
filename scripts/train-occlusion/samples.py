"""Training samples: generated faces, clean and covered, seen through the detector and mesh edged uses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from conditions import camera, dress, light
from faces import Base, Warper, compose, cut, mirror_partners, mirrored, reshape
from layout import build_layout, part_masks
from occluders import KINDS

from edged import models
from edged.demo.photographs import Photograph, photographs, read_photograph
from edged.vision.detector import FaceDetector
from edged.vision.mesh import FaceMesh
from edged.vision.occlusion import Layout

NOT_ALTERED = "barack_obama_1.jpg"
"""Carries a notice that asks for it not to be manipulated (edged/demo/photos/CREDITS.md)."""

KIND_SHARES = {"sunglasses": 0.22, "mask": 0.25, "hand": 0.14, "patch": 0.22, "scarf": 0.08, "hair": 0.09}
MIN_PRESENCE = 0.5


@dataclass
class Samples:
    """Flat faces (Nx48x48x3 uint8), covered shares (Nx7), kind, people (bit mask), whether only one."""

    flat: np.ndarray
    shares: np.ndarray
    kind: np.ndarray
    people: np.ndarray
    pure: np.ndarray

    def chosen(self, which: np.ndarray) -> Samples:
        """Those for which `which` (N bool) is true."""
        return Samples(*(column[which] for column in vars(self).values()))


def joined(pieces: list[Samples]) -> Samples:
    """Several collections as one."""
    return Samples(
        *(np.concatenate(columns) for columns in zip(*(vars(p).values() for p in pieces), strict=True))
    )


def keep(samples: Samples, path: Path) -> None:
    """Write samples to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **vars(samples))


def stored(path: Path) -> Samples:
    """Read samples from a file."""
    with np.load(path) as arrays:
        return Samples(**{name: arrays[name] for name in arrays.files})


def usable_photographs() -> list[Photograph]:
    """The photographs that may be altered."""
    return [p for p in photographs() if p.path.name != NOT_ALTERED]


def people_names() -> list[str]:
    """Who they show."""
    return sorted({p.name for p in usable_photographs()})


class Generator:
    """Draws faces and looks at them. One per process; the seed decides everything."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        geometry = np.load(models.load("face_geometry").path)
        vertices, triangles = geometry["vertices"], geometry["triangles"]
        self.layout_arrays = build_layout(vertices, triangles)
        self.layout = Layout(*self.layout_arrays)
        self.masks = part_masks(vertices)
        self._partner = mirror_partners(vertices)
        self._warper = Warper(triangles)
        self._detector = FaceDetector(models.load("face_detection"), max_faces=1)
        self._mesh = FaceMesh(models.load("face_mesh"))
        self._names = people_names()
        self._bases = [self._read(p.name, read_photograph(p.path)) for p in usable_photographs()]
        self._scraps = [self._scrap(b) for b in self._bases]

    def _read(self, person: str, image: np.ndarray) -> Base:
        face = self._detector.detect(image, scale=min(1.0, 480 / max(image.shape[:2])))[0]
        return cut(person, image, self._mesh.fit(image, face).points, np.random.default_rng(0))

    @staticmethod
    def _scrap(base: Base) -> np.ndarray:
        """What is below and beside the face: cloth, background."""
        return base.picture[160:, :]

    def look(self, picture: np.ndarray) -> np.ndarray | None:
        """The flat face of a 224x224x3 uint8 picture as edged would see it; None when no face is found."""
        found = self._detector.detect(picture)
        if not found:
            return None
        mesh = self._mesh.fit(picture, found[0])
        if mesh.presence < MIN_PRESENCE:
            return None
        return self.layout.flatten(picture, mesh.points)

    def covered(self, cover: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Share of every part's cells that a cover (224x224) hides, given the true mesh."""
        where = self.layout.positions(points)
        cells = cv2.remap(cover.astype(np.float32), where, None, cv2.INTER_LINEAR)
        return np.array([cells[mask].mean() for mask in self.masks], np.float32)

    def face(self) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """A new face (224x224x3 float), its mesh, and whose photographs went into it."""
        rng = self._rng
        picks = [self._bases[i] for i in rng.integers(0, len(self._bases), 5)]
        base, other = picks[0], picks[4]
        donors = [d if rng.random() < 0.6 else base for d in picks[1:4]]
        if rng.random() < 0.25:
            donors, other = [base] * 3, base
        if rng.random() < 0.5:
            turned = {id(b): mirrored(b, self._partner) for b in [base, other, *donors]}
            base, other, donors = turned[id(base)], turned[id(other)], [turned[id(d)] for d in donors]
        target = reshape(base, other, rng)
        picture = compose(base, donors, target, self._warper, rng)
        people = sorted({b.person for b in [base, other, *donors]})
        return picture.astype(np.float32), target, people

    def variants(self, picture: np.ndarray, points: np.ndarray) -> list[tuple[str, np.ndarray, np.ndarray]]:
        """The face clean twice and covered three times: kind, the camera's picture, covered shares."""
        rng = self._rng
        clean = np.zeros(len(self.masks), np.float32)
        made = []
        for kind in ["clean", "clean", *rng.choice(list(KIND_SHARES), 3, p=list(KIND_SHARES.values()))]:
            drawn = dress(picture, points, self._scraps, rng)
            shares = clean
            before = rng.random() < 0.8
            if before:
                drawn = light(drawn, points, rng)
            if kind != "clean":
                drawn, cover = KINDS[kind](np.clip(drawn, 0, 255), points, self._scraps, rng)
                shares = self.covered(cover, points)
            if not before:
                drawn = light(drawn, points, rng)
            made.append((str(kind), camera(drawn, rng), shares))
        return made

    def samples(self, faces: int) -> Samples:
        """Five samples of each of `faces` generated faces, less those in which no face is found."""
        rows: list[tuple] = []
        for _ in range(faces):
            picture, points, people = self.face()
            bits = sum(1 << self._names.index(name) for name in people)
            for kind, seen, shares in self.variants(picture, points):
                flat = self.look(seen)
                if flat is not None:
                    rows.append((flat, shares, kind, bits, len(people) == 1))
        return Samples(*(np.array(column) for column in zip(*rows, strict=True)))
