"""Time limits for connections: uvicorn itself waits for ever, for a request and for a reader."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

_WORK_S = 60.0
"""Added to the time for the body: wait for a worker, the work, and the client's reading, seconds."""


def patient_protocol(header_timeout_s: float, body_timeout_s: float) -> type[asyncio.Protocol]:
    """A class for uvicorn's `http=` that closes connections that are too slow.

    Args:
        header_timeout_s: from the first byte (or the connection) to the end of a request's head.
        body_timeout_s: the application's limit for the body.
    """

    class PatientProtocol(H11Protocol):
        """HTTP/1.1 with a deadline for each thing the connection waits for."""

        _deadline: asyncio.TimerHandle | None = None
        _for_head = False

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._expect_head()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._idle():
                self._expect_head()
            elif self._for_head or self._deadline is None:
                self._set(body_timeout_s + _WORK_S, for_head=False)

        def on_response_complete(self) -> None:
            self._clear()  # until the next byte the keep-alive time counts
            super().on_response_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self._clear()
            super().connection_lost(exc)

        def _idle(self) -> bool:
            return self.cycle is None or self.cycle.response_complete

        def _expect_head(self) -> None:
            if self._deadline is None or not self._for_head:
                self._set(header_timeout_s, for_head=True)

        def _set(self, seconds: float, *, for_head: bool) -> None:
            self._clear()
            self._for_head = for_head
            self._deadline = self.loop.call_later(seconds, self.transport.abort)

        def _clear(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return PatientProtocol
