"""What every recognition engine looks like from outside. No engine here.

An engine keeps no memory of a passage: what earlier shots gave is handed back to it, so any worker can take
any shot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from edged.errors import EdgedError, RetryLater, TryAnotherShot
from edged.events import PRIVATE, ShotChosen
from edged.gallery.match import Match

LOCAL = "local"
CLOUD = "cloud"
"""Names of the engines that answer."""

HYBRID = "hybrid"
"""Both together; its answers are those of one of them."""


class SpoofSuspected(TryAnotherShot):
    """The engine took the face for a picture of one. The passage is over; another one may begin."""


class EngineUnavailable(RetryLater):
    """The cloud cannot be asked, or did not answer in time.

    Attributes:
        code: what kept it from answering this time.
        cause: where that is a rule of our own, such as not to ask for a while: the failure it rests on.
    """

    def __init__(self, message: str, *, code: str, hint: str = "", cause: str = "") -> None:
        super().__init__(message, code=code, hint=hint)
        self.cause = cause


class FaceNotAnswered(TryAnotherShot):
    """Asked about several faces at once, the cloud left this one out and did not say why. Asked about it
    alone, it will."""


@dataclass(frozen=True, eq=False)
class Identification:
    """An engine's answer for one shot.

    Attributes:
        engine: `local` or `cloud`.
        model_id: which embedding model (and file) answered; for the cloud, which call.
        matches: best people for this shot alone, best first, each person once. Empty: nobody to compare with
            (local); nobody came near (cloud).
        gallery_people: how many people were searched; 0 when the engine does not tell.
        fused_matches: best people for this shot together with the earlier ones; None when nothing was fused.
        embedding: unit float32 (128,) of this shot; None when the engine does not give it.
        weight: how much this shot counts when shots are fused, above 0.
        reason: why this engine answered and not the other, a code; empty when it is the only one.
        timings_ms: time by stage.
    """

    engine: str
    model_id: str
    matches: tuple[Match, ...]
    gallery_people: int
    fused_matches: tuple[Match, ...] | None = None
    embedding: np.ndarray | None = field(default=None, repr=False, metadata=PRIVATE)
    weight: float = 1.0
    reason: str = ""
    timings_ms: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Question:
    """A shot, and the answers for the preceding shots of its passage that named the same person."""

    shot: ShotChosen
    earlier: tuple[Identification, ...] = ()


Answer = Identification | EdgedError
"""What became of one question; the class of an error says what to do."""


class Recognizer(Protocol):
    """Answers who is on a shot. One object is used by one thread at a time."""

    @property
    def engine(self) -> str:
        """Name in events of failures: `local`, `cloud`, `hybrid`."""
        ...

    @property
    def max_batch(self) -> int:
        """Shots of different passages that are cheaper together than one by one; 1: no such thing."""
        ...

    def warm_up(self) -> None:
        """Do the slow first call before a person waits for it."""
        ...

    def identify_batch(self, questions: Sequence[Question]) -> list[Answer]:
        """Search for the faces of 1 to `max_batch` different passages; one answer for each, in their order.

        Raises:
            EdgedError: no question could be answered.
        """
        ...


def one_by_one(
    identify: Callable[[ShotChosen, Sequence[Identification]], Identification], questions: Sequence[Question]
) -> list[Answer]:
    """The answers of an engine that knows single shots only."""
    answers: list[Answer] = []
    for question in questions:
        try:
            answers.append(identify(question.shot, question.earlier))
        except EdgedError as error:
            answers.append(error)
    return answers
