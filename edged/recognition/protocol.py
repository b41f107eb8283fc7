"""What every recognition engine looks like from outside. No engine here.

An engine keeps no memory of a passage: what earlier shots gave is handed back to it, so any worker can take
any shot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from edged.events import PRIVATE, ShotChosen


@dataclass(frozen=True)
class Match:
    """One person of the library and how much the probe resembles the nearest of their faces.

    Attributes:
        person_id: who.
        face_id: which of their enrolled faces was nearest.
        cosine: -1..1.
        score: the same on the scale 0..100.
    """

    person_id: str
    face_id: int
    cosine: float
    score: float


@dataclass(frozen=True, eq=False)
class Identification:
    """An engine's answer for one shot.

    Attributes:
        engine: `local`.
        model_id: which embedding model (and file) answered.
        matches: best people for this shot alone, best first, each person once; empty: nobody to compare with.
        gallery_people: how many people were searched.
        fused_matches: best people for this shot together with the earlier ones; None when nothing was fused.
        embedding: unit float32 (128,) of this shot; None when the engine does not give it.
        weight: how much this shot counts when shots are fused, above 0.
        timings_ms: time by stage.
    """

    engine: str
    model_id: str
    matches: tuple[Match, ...]
    gallery_people: int
    fused_matches: tuple[Match, ...] | None = None
    embedding: np.ndarray | None = field(default=None, repr=False, metadata=PRIVATE)
    weight: float = 1.0
    timings_ms: dict[str, float] = field(default_factory=dict)


class Recognizer(Protocol):
    """Answers who is on a shot. One object is used by one thread only."""

    @property
    def engine(self) -> str:
        """Name in events: `local`."""
        ...

    def warm_up(self) -> None:
        """Do the slow first call before a person waits for it."""
        ...

    def identify(self, shot: ShotChosen, earlier: Sequence[Identification] = ()) -> Identification:
        """Search the library for the face on `shot`.

        Args:
            shot: the picture to recognise.
            earlier: answers for the preceding shots of the same passage that named the same person.

        Raises:
            EdgedError: the engine cannot answer; the class says what to do.
        """
        ...
