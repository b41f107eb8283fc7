"""An engine of this box for drawn people: knows them by their colour, as well as the test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shots import faces_in

from edged.recognition.protocol import LOCAL, Answer, Identification, Match, Question


class DrawnLocal:
    """Answers `p_NAME` with the score given for the name; somebody without one resembles nobody.

    Args:
        scores: 0..100 by name.
    """

    engine = LOCAL
    max_batch = 1

    def __init__(self, scores: Mapping[str, float]) -> None:
        self._scores = scores

    def warm_up(self) -> None:
        """Nothing to load."""

    def identify_batch(self, questions: Sequence[Question]) -> list[Answer]:
        """From the middle face of each picture."""
        return [self._identify(question) for question in questions]

    def _identify(self, question: Question) -> Identification:
        name = faces_in(question.shot.picture)[0][0]
        match = Match(f"p_{name}", 1, 0.5, self._scores.get(name, 30.0))
        return Identification(LOCAL, "drawn", (match,), len(self._scores))
