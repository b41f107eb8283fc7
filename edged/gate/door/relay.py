"""Commanded state of the relay and the end of its on-time. Pure: commands go to a callback."""

from __future__ import annotations

import math
from collections.abc import Callable

from edged.gate.door.model import SwitchRelay

REASSERT_S = 5.0
"""Period of the repeated on command while the relay is held on: a board may lose its supply for a moment or
end an earlier pulse by itself, and not every board has readback."""


class Relay:
    """Off, on until a planned time, or held on without end.

    Args:
        max_on_s: longest on-time when it is not held.
        command: takes each command.
    """

    def __init__(self, max_on_s: float, command: Callable[[SwitchRelay], None]) -> None:
        self._max_on_s = max_on_s
        self._command = command
        self.on = False
        """Last commanded state; False while the board is away."""
        self.on_at = -math.inf
        """Time of the last change from off to on."""
        self.off_at = math.inf
        """Planned end of the on-time."""
        self._assert_at: float | None = None

    @property
    def cut_at(self) -> float:
        """Monotonic end of the longest permitted on-time."""
        return self.on_at + self._max_on_s

    @property
    def held(self) -> bool:
        """On without end."""
        return self._assert_at is not None

    @property
    def deadline(self) -> float:
        """Monotonic time of the next command; infinite: none before the next input."""
        if not self.on:
            return math.inf
        return min(self.off_at, self.cut_at) if self._assert_at is None else self._assert_at

    def switch_on(self, now: float, off_at: float, pulse_ms: int | None) -> None:
        """On until `off_at`; `pulse_ms`: a board with a timer may end the on-time after this time."""
        self._assert_at = None
        self._on(now, pulse_ms)
        self.off_at = off_at

    def hold(self, now: float) -> None:
        """On until `switch_off` or `lost`."""
        self._assert_at = now + REASSERT_S
        self._on(now, None)

    def assert_again(self, now: float) -> None:
        """Repeat the on command of a held relay when it is due."""
        if self._assert_at is not None and now >= self._assert_at:
            self.hold(now)

    def switch_off(self, reason: str, *, surely: bool = False) -> None:
        """Off; `surely`: also when it should be off already."""
        if self.on or surely:
            self.lost()
            self._command(SwitchRelay(False, reason=reason))

    def lost(self) -> None:
        """The board is away: no command runs, and the state is unknown."""
        self.on = False
        self.off_at = math.inf
        self._assert_at = None

    def _on(self, now: float, pulse_ms: int | None) -> None:
        if not self.on:
            self.on_at = now
        self.on = True
        self._command(SwitchRelay(True, pulse_ms))
