"""Interface of every recognition engine. No engine here.

An engine keeps no memory of a passage: callers pass it the answers for earlier shots, so any worker can take
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
"""Names of the engines in answers."""

HYBRID = "hybrid"
"""Both engines together; each answer is from one of them."""


class SpoofSuspected(TryAnotherShot):
    """The engine judged the face a presentation attack. The passage is over; another one may begin."""


class EngineUnavailable(RetryLater):
    """The cloud cannot be asked, or did not answer in time.

    Attributes:
        code: the obstacle this time.
        cause: the failure behind it, if the obstacle is a rule of edged such as a pause; else empty.
    """

    def __init__(self, message: str, *, code: str, hint: str = "", cause: str = "") -> None:
        super().__init__(message, code=code, hint=hint)
        self.cause = cause


class FaceNotAnswered(TryAnotherShot):
    """The cloud left this face out of an answer about several, without a reason. Asked about it alone, it
    gives one."""


@dataclass(frozen=True, eq=False)
class Identification:
    """An engine's answer for one shot.

    Attributes:
        engine: `local` or `cloud`.
        model_id: the embedding model (and file) that answered; for the cloud, the call.
        matches: best people for this shot alone, best first, each person once. Empty: nobody to compare with
            (local); nobody came near (cloud).
        gallery_people: number of people searched; 0 if the engine does not tell.
        fused_matches: best people for this shot together with the earlier ones; None: nothing was fused.
        embedding: unit float32 (128,) of this shot; None: the engine does not give it.
        weight: weight of this shot in a fusion, above 0.
        reason: code for the choice of this engine; empty if it is the only one.
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
"""Result of one question; the class of an error says what to do."""


class Recognizer(Protocol):
    """Identifies the person on a shot. One object is used by one thread at a time."""

    @property
    def engine(self) -> str:
        """Name in events of failures: `local`, `cloud`, `hybrid`."""
        ...

    @property
    def max_batch(self) -> int:
        """Most shots of different passages in one call; 1: the engine takes single shots."""
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
