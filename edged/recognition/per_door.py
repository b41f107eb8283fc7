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
        """See `Recognizer.identify_batch`; the answers are in the order of the questions."""
        answers: dict[int, Answer] = {}
        of_door: dict[str | None, list[int]] = {}
        for number, question in enumerate(questions):
            of_door.setdefault(question.shot.door_id, []).append(number)
        for door_id, numbers in of_door.items():
            engine = self._engines.get(door_id, self._first)
            found = engine.identify_batch([questions[number] for number in numbers])
            answers.update(zip(numbers, found, strict=True))
        return [answers[number] for number in range(len(questions))]
