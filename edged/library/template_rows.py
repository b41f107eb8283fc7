"""Templates as the database keeps them: little-endian float32, 512 bytes each.

Imported when a template is read or written, so that listing and changing people needs no numpy.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import islice
from typing import Final

import numpy as np

from edged.gallery.sizes import TEMPLATE_SIZE
from edged.gallery.templates import FaceTable

FLOAT32_LE: Final = np.dtype("<f4")


def template_bytes(template: np.ndarray) -> bytes:
    """The bytes of a unit vector of 128 numbers. Raises ValueError for anything else."""
    stored = np.ascontiguousarray(template, FLOAT32_LE)
    if stored.shape != (TEMPLATE_SIZE,) or not abs(float(np.linalg.norm(stored)) - 1) < 1e-3:
        raise ValueError(f"a template is a unit vector of {TEMPLATE_SIZE} numbers")
    return stored.tobytes()


def id_array(rows: Iterable[sqlite3.Row], count: int) -> np.ndarray:
    """The first column of `count` rows, int64."""
    return np.fromiter((row[0] for row in rows), np.int64, count)


def face_table(model_id: str, rows: Iterable[sqlite3.Row], most: int) -> FaceTable:
    """A table of rows of face id, person id and template.

    Takes at most `most` rows: the next look finds the faces that another process adds meanwhile.
    """
    templates = np.empty((most, TEMPLATE_SIZE), FLOAT32_LE)
    face_ids = np.empty(most, np.int64)
    person_ids: list[str] = []
    for place, (face_id, person_id, template) in enumerate(islice(rows, most)):
        templates[place] = np.frombuffer(template, FLOAT32_LE)
        face_ids[place] = face_id
        person_ids.append(person_id)
    found = len(person_ids)
    return FaceTable(model_id, face_ids[:found], person_ids, templates[:found])
