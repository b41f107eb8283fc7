"""Receivers of the crash laboratory: they honour the ids, and the network to them is as bad as one likes."""

from __future__ import annotations

import random
import time

from delivery_rig import Receiver

TROUBLES = ("answer_lost", "rubbish", "busy", "answer_cut", "slow")


class RoughReceiver(Receiver):
    """Stores every record once, and now and then something goes wrong on the way there or back.

    `answer_lost`: stored, and the connection breaks before the answer; `rubbish`: 200 with the page of a
    guest network; `busy`: 503; `answer_cut`: stored, half an answer; `slow`: stored, but late.

    Args:
        trouble: share of requests that meet one of them, 0..1.
    """

    def __init__(self, seed: int, trouble: float, port: int = 0) -> None:
        self._random = random.Random(seed)
        self.trouble = trouble
        self.troubles = 0
        self.away = False
        self.absences = 0
        super().__init__(port=port)

    def handle(self, headers: dict, body: bytes) -> tuple[int, bytes, dict]:
        if self.away:
            raise ConnectionError
        if self._random.random() >= self.trouble:
            return super().handle(headers, body)
        self.troubles += 1
        trouble = self._random.choice(TROUBLES)
        if trouble == "rubbish":
            return 200, b"<html><body>Please log in to the guest network</body></html>", {}
        if trouble == "busy":
            return 503, b"", {"Retry-After": "0"}
        status, content, extra = super().handle(headers, body)
        if trouble == "answer_lost":
            raise ConnectionError
        if trouble == "slow":
            time.sleep(0.05)  # a receiver that takes its time; nobody waits for it but the delivery
            return status, content, extra
        return status, content[: len(content) // 2], {**extra, "Content-Length": str(len(content))}

    def go_away(self) -> None:
        """Break off every connection from now on, as a proxy does whose server is down."""
        self.away = True
        self.absences += 1

    @property
    def newest(self) -> int:
        """Sequence number of the record stored last."""
        return next(reversed(self.stored.values()))["seq"] if self.stored else 0

    def sent_again(self) -> int:
        """Requests for records that were stored before: what the idempotency key is for."""
        return len(self.received) - len(self.stored)
