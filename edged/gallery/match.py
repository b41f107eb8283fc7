"""One hit of a search: a person and how near they are. Shared by galleries and engines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Match:
    """One person and how much the probe resembles the nearest of their faces.

    Attributes:
        person_id: who, as the library calls them; `cloud:` and the cloud's id for somebody the library does
            not know, which no id of the library can be.
        face_id: which of their enrolled faces was nearest; None when the engine does not tell.
        cosine: -1..1; None when the engine does not tell.
        score: 0..100, 80 = false-accept rate 1e-4 one to one.
        name, groups: what the cloud says of them, where its word counts.
    """

    person_id: str
    face_id: int | None
    cosine: float | None
    score: float
    name: str | None = None
    groups: tuple[str, ...] = ()
