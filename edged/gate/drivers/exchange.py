"""Question and answer with a board: the third miss in a row means a lost board. No bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from edged.errors import RetryLater

if TYPE_CHECKING:
    from edged.gate.board.port import SerialPort

MISSES_UNTIL_LOST = 3

T = TypeVar("T")


class Exchanges:
    """Counts the misses of one board.

    Args:
        port: its line.
        check: settings to check when answers make no sense, e.g. `gate.protocol, gate.baud`.
        silent_hint: what to do when the board does not answer at all.
    """

    def __init__(
        self, port: SerialPort, *, check: str, silent_hint: str = "Check its supply and plug."
    ) -> None:
        self._port = port
        self._check = check
        self._silent_hint = silent_hint
        self._misses = 0

    @property
    def missed(self) -> bool:
        """Whether the last exchange failed: its answer may still come, so the next one waits for silence."""
        return self._misses > 0

    def reset(self) -> None:
        """A new connection begins."""
        self._misses = 0

    def ask(self, question: Callable[[], T]) -> T | None:
        """Ask once.

        Args:
            question: sends, reads and understands; ValueError says what was wrong with the answer.

        Returns:
            What `question` returns; None for a miss that is not yet the third in a row.

        Raises:
            RetryLater: `relay_no_answer` or `relay_bad_answer`, for the third miss in a row.
        """
        try:
            answer = question()
        except ValueError as error:
            self._misses += 1
            if self._misses >= MISSES_UNTIL_LOST:
                raise self._no_use(str(error)) from error
            return None
        self._misses = 0
        return answer

    def insist(self, question: Callable[[], T]) -> T:
        """Ask once while connecting, where the first miss ends the attempt: raises RetryLater as `ask`."""
        try:
            answer = question()
        except ValueError as error:
            raise self._no_use(str(error)) from error
        self._misses = 0
        return answer

    def _no_use(self, what: str) -> RetryLater:
        where = self._port.path
        if self._port.heard:
            return RetryLater(
                f"The relay board at {where} gives answers that make no sense: {what}.",
                code="relay_bad_answer",
                hint=f"Check {self._check} against the board.",
            )
        return RetryLater(
            f"The relay board at {where} does not answer.",
            code="relay_no_answer",
            hint=self._silent_hint,
        )
