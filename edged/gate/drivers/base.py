"""What every relay driver offers. No board is spoken to here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Capabilities:
    """What a board can do, as far as is known now.

    Attributes:
        hardware_pulse: the board ends a pulse by itself, so it survives a dead host.
        readback: the state of its relays can be read.
        inputs: it has contacts that can be read.
    """

    hardware_pulse: bool
    readback: bool
    inputs: bool


class RelayDriver(Protocol):
    """One board. All calls come from the gate's thread; channels count from 1.

    A board that vanishes, or stops answering after it had answered, makes any call raise RetryLater
    (`relay_port_missing`, `relay_port_lost`, `relay_no_answer`, `relay_bad_answer`) or NeedsOperator
    (`relay_port_busy`, `relay_port_denied`). A single missed answer is not an error: it is None.
    """

    @property
    def capabilities(self) -> Capabilities:
        """May change while connecting: only then some boards show what they can."""
        ...

    @property
    def written_s(self) -> float | None:
        """Monotonic time at which the last command was handed to the line; None before the first."""
        ...

    def open(self) -> None:
        """Open the line. Switches nothing."""
        ...

    def close(self) -> None:
        """Close the line. Never raises; harmless when closed."""
        ...

    def set(self, channel: int, on: bool) -> bool | None:
        """Command an absolute state.

        Returns:
            True: the board confirmed it; False: the board reports the opposite; None: it said nothing.
        """
        ...

    def read_output(self, channel: int) -> bool | None:
        """Whether the relay is on; None when it cannot be read, or not this time."""
        ...
