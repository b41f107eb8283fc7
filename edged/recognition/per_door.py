"""An engine for all doors that passes every shot to the engine of its own door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edged.recognition.protocol import Answer, Question, Recognizer


class PerDoor:
    """Asks the engine of the door where the shot was taken.

    Args:
        engines: by door id; at least one.
        engine: common name of the engines.
    """

    def __init__(self, engines: Mapping[str | None, Recognizer], engine: str) -> None:
        self._engines = dict(engines)
        self._first = next(iter(self._engines.values()))
        self.engine = engine

    @property
    def max_batch(self) -> int:
        """The smallest limit among the doors' engines."""
        return min(engine.max_batch for engine in self._engines.values())

    def warm_up(self) -> None:
        """Warm up each engine."""
        for engine in self._engines.values():
            engine.warm_up()

    def identify_batch(self, questions: Sequence[Question]) -> list[Answer]:
        """See `Recognizer.identify_batch`. All questions are about one door: the answers come together, and
        no door must wait for another."""
        door_id, *others = {question.shot.door_id for question in questions}
        if others:
            raise ValueError("shots of several doors in one batch")
        return self._engines.get(door_id, self._first).identify_batch(questions)
