"""What the relay was told, and when it goes off again. Pure: commands go to whoever made it."""

from __future__ import annotations

import math
from collections.abc import Callable

from edged.gate.door.model import SwitchRelay

REASSERT_S = 5.0
"""A relay that is held on is told so again and again: a board may have lost its supply for a moment, or end
an earlier pulse by itself, and not every board can be asked."""


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
        """What it was last told; False while the board is away."""
        self.on_at = -math.inf
        """Time of the last change from off to on."""
        self.off_at = math.inf
        """Planned end of the on-time."""
        self._assert_at: float | None = None

    @property
    def cut_at(self) -> float:
        """When it is cut off at the latest."""
        return self.on_at + self._max_on_s

    @property
    def held(self) -> bool:
        """On without end."""
        return self._assert_at is not None

    @property
    def deadline(self) -> float:
        """When something has to be commanded; infinite: not before the next input."""
        if not self.on:
            return math.inf
        return min(self.off_at, self.cut_at) if self._assert_at is None else self._assert_at

    def switch_on(self, now: float, off_at: float, pulse_ms: int | None) -> None:
        """On until `off_at`; `pulse_ms`: the board may end it by itself after so long."""
        self._assert_at = None
        self._on(now, pulse_ms)
        self.off_at = off_at

    def hold(self, now: float) -> None:
        """On until told otherwise."""
        self._assert_at = now + REASSERT_S
        self._on(now, None)

    def assert_again(self, now: float) -> None:
        """Repeat the command of a held relay if it is time to."""
        if self._assert_at is not None and now >= self._assert_at:
            self.hold(now)

    def switch_off(self, reason: str, *, surely: bool = False) -> None:
        """Off; `surely`: command it even if it should be off already."""
        if self.on or surely:
            self.lost()
            self._command(SwitchRelay(False, reason=reason))

    def lost(self) -> None:
        """The board is away: nothing is commanded, and nothing is known."""
        self.on = False
        self.off_at = math.inf
        self._assert_at = None

    def _on(self, now: float, pulse_ms: int | None) -> None:
        if not self.on:
            self.on_at = now
        self.on = True
        self._command(SwitchRelay(True, pulse_ms))
