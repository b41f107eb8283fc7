"""One hit of a search: a person and how near they are. Shared by galleries and engines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Match:
    """One person and how much the probe resembles the nearest of their faces.

    Attributes:
        person_id: id in the library; for a person unknown to the library `cloud:` and the cloud's id, which
            no id of the library can equal.
        face_id: the nearest of their enrolled faces; None: the engine does not tell.
        cosine: -1..1; None: the engine does not tell.
        score: 0..100, 80 = false-accept rate 1e-4 one to one.
        name, groups: name and groups from the cloud, if the site relies on them.
    """

    person_id: str
    face_id: int | None
    cosine: float | None
    score: float
    name: str | None = None
    groups: tuple[str, ...] = ()
