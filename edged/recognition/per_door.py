"""One engine for all doors, made of one for each: every shot goes to the engine of its own door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edged.recognition.protocol import Answer, Question, Recognizer


class PerDoor:
    """Asks the engine of the door a shot was taken at.

    Args:
        engines: by door id; at least one.
        engine: what they are called together.
    """

    def __init__(self, engines: Mapping[str | None, Recognizer], engine: str) -> None:
        self._engines = dict(engines)
        self._first = next(iter(self._engines.values()))
        self.engine = engine

    @property
    def max_batch(self) -> int:
        """As many as every door's engine takes."""
        return min(engine.max_batch for engine in self._engines.values())

    def warm_up(self) -> None:
        """Each."""
        for engine in self._engines.values():
            engine.warm_up()

    def identify_batch(self, questions: Sequence[Question]) -> list[Answer]:
        """See `Recognizer.identify_batch`. All of one door: the answers come together, and no door is to wait
        for what another one waits for."""
        door_id, *others = {question.shot.door_id for question in questions}
        if others:
            raise ValueError("shots of several doors in one batch")
        return self._engines.get(door_id, self._first).identify_batch(questions)
