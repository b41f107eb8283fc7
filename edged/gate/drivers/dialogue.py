"""Exchanges with a board whose answers carry no number: a late answer never counts for a later question.

Boards answer in the order they were asked. So after k answers that did not come in time, the answer to the
(k+1)th further question is certainly a new one, however late the others are
(docs/reference/relay-boards.md 1.8).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from edged.gate.drivers.exchange import Exchanges

if TYPE_CHECKING:
    from edged.gate.board.port import SerialPort

ANSWER_S = 0.2
"""Seconds. A board that has not answered by then has not understood (docs/reference/relay-boards.md 6.2)."""
RESYNC_QUIET_S, RESYNC_LIMIT_S = 0.05, 0.1
"""After a failed exchange, listen first until it is quiet: most late answers end here."""
MOST_OWED = 6
"""Most answers remembered as owed: two connections of three misses each; more only costs time."""

T = TypeVar("T")


class Dialogue:
    """Questions and commands on one serial line.

    Args:
        port: the line.
        check: settings to check when answers make no sense.
        silent_hint: what to do when the board does not answer at all.
        gap_s: least pause between two things sent.
    """

    def __init__(self, port: SerialPort, *, check: str, silent_hint: str, gap_s: float = 0.0) -> None:
        self.port = port
        self._gap_s = gap_s
        self._sent_s = float("-inf")
        self.written_s: float | None = None
        """Monotonic time of the last command on the line."""
        self._exchanges = Exchanges(port, check=check, silent_hint=silent_hint)
        self._owed = 0  # outlives a connection: the board does not notice that it was closed

    def open(self) -> None:
        """Open the line; misses are counted anew."""
        self._exchanges.reset()
        self.port.open()

    def close(self) -> None:
        """Close the line."""
        self.port.close()

    def command(self, data: bytes) -> None:
        """Send something that is not answered."""
        self._send(data)
        self.written_s = self._sent_s

    def order(
        self, data: bytes, understand: Callable[[bytes], T], *, done: Callable[[bytes], bool]
    ) -> T | None:
        """Send a command that is acknowledged; it leaves at once even while older answers are owed.

        Args:
            understand: what the acknowledgement says; ValueError when it is none.
            done: whether it is complete.

        Returns:
            The result of `understand`. None: a miss, or an answer that may belong to an older command.

        Raises:
            RetryLater: `relay_no_answer` or `relay_bad_answer`, for the third miss in a row.
        """
        in_doubt = self._owed > 0
        self.command(data)
        self._owe()
        if in_doubt:
            return None

        def acknowledged() -> T:
            answer = understand(self._receive(done))
            self._owed = 0
            return answer

        return self._exchanges.ask(acknowledged)

    def ask(
        self,
        question: bytes,
        understand: Callable[[bytes], T],
        *,
        done: Callable[[bytes], bool],
        alone_s: float = 0.0,
        times: int = 1,
    ) -> T | None:
        """Ask something that switches nothing, and once more for every answer that is owed.

        Args:
            alone_s: an answer without a check sum must be followed by so long a silence.
            times: boards whose first answer is often stale are asked twice; the last answer counts.

        Returns:
            The result of `understand` for the last answer; None when one of them was missed.

        Raises:
            RetryLater: as `order`.
        """
        if self._owed:
            self.port.discard_until_quiet(RESYNC_QUIET_S, RESYNC_LIMIT_S)
        times += self._owed

        def series() -> T:
            for _ in range(times):
                self._put(question)
                answer = understand(self._receive(done, alone_s))
            self._owed = 0
            return answer

        return self._exchanges.ask(series)

    def hear(self, question: bytes, understand: Callable[[bytes], T], *, quiet_s: float) -> T | None:
        """Ask a question that may stay unanswered: silence is no miss, and `port.heard` is then False.

        Args:
            quiet_s: silence that ends an answer of unknown length.
        """
        self._put(question)
        answer = self.port.read(lambda data: False, ANSWER_S, quiet_s=quiet_s)
        if not answer:
            return None
        self._owed -= 1
        return self._exchanges.ask(lambda: understand(answer))

    def _receive(self, done: Callable[[bytes], bool], alone_s: float = 0.0) -> bytes:
        answer = self.port.read(done, ANSWER_S)
        if answer and alone_s:
            answer += self.port.read(bool, alone_s)
            self.port.heard = True
        return answer

    def _put(self, question: bytes) -> None:
        self._send(question)
        self._owe()

    def _send(self, data: bytes) -> None:
        pause_s = self._sent_s + self._gap_s - self.port.clock.monotonic()
        if self._gap_s and pause_s > 0:
            self.port.clock.sleep(pause_s)
        self.port.discard()
        self._sent_s = self.port.write(data)

    def _owe(self) -> None:
        self._owed = min(self._owed + 1, MOST_OWED)
