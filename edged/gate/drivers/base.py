"""The interface of a relay driver. Speaks to no board."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from edged.errors import Misconfigured


@dataclass(frozen=True)
class PulseRange:
    """Lengths of a pulse that the board itself ends: `min_s` to `max_s` in steps of `step_s`, seconds."""

    min_s: float
    max_s: float
    step_s: float

    def fits(self, seconds: float) -> bool:
        """Whether the board can make a pulse of exactly this length (to a thousandth of a step)."""
        steps = seconds / self.step_s
        return self.min_s <= seconds <= self.max_s and math.isclose(steps, round(steps), abs_tol=1e-3)


@dataclass(frozen=True)
class Capabilities:
    """Abilities of a board, as far as known now.

    Attributes:
        pulse: pulses that the board itself ends, also with a dead host; None: it has none.
        readback: the driver can read the state of the relays.
        inputs: number of readable contacts.
        watchdog: the board drops its relays when `feed_watchdog` calls stop.
    """

    pulse: PulseRange | None = None
    readback: bool = False
    inputs: int = 0
    watchdog: bool = False


class RelayDriver(Protocol):
    """One board. All calls come from the gate's thread; channels count from 1.

    A board that vanishes, or stops answering after it had answered, makes any call raise RetryLater
    (`relay_port_missing`, `relay_port_lost`, `relay_no_answer`, `relay_bad_answer`) or NeedsOperator
    (`relay_port_busy`, `relay_port_denied`). A single missed answer is not an error: it is None.
    """

    @property
    def capabilities(self) -> Capabilities:
        """May change while connecting: some boards show their abilities only then."""
        ...

    @property
    def written_s(self) -> float | None:
        """Monotonic time of the last command on the line; None before the first."""
        ...

    def open(self) -> None:
        """Open the line. Switches nothing; may prepare the board (host watchdog, input mode)."""
        ...

    def close(self) -> None:
        """Close the line. Never raises; harmless when closed."""
        ...

    def set(self, channel: int, on: bool) -> bool | None:
        """Command an absolute state.

        Returns:
            True: the board reports that state; False: it reports the opposite; None: no report about the
            relay (an echo of the command is none).
        """
        ...

    def pulse(self, channel: int, seconds: float) -> bool | None:
        """Switch on for `seconds`; the board itself switches off. Only where `capabilities.pulse` fits.

        Returns:
            As `set(channel, True)`. Never repeated by the driver: a lost answer is None.
        """
        ...

    def read_output(self, channel: int) -> bool | None:
        """Whether the relay is on; None: it cannot be read, or this answer was missed."""
        ...

    def read_inputs(self) -> tuple[bool, ...] | None:
        """The contacts, first input first; True: closed or energised. None: there are none, or missed."""
        ...

    def feed_watchdog(self) -> None:
        """Feed the board's watchdog; no effect where `capabilities.watchdog` is False."""
        ...


class PlainBoard:
    """Base of drivers of boards that only switch relays: no own pulse, no inputs, no watchdog."""

    def pulse(self, channel: int, seconds: float) -> bool | None:
        """Raises NotImplementedError: the caller did not check `capabilities.pulse`."""
        raise NotImplementedError(f"{type(self).__name__} has no hardware pulse")

    def read_inputs(self) -> tuple[bool, ...] | None:
        """None: the board has no inputs."""
        return None

    def feed_watchdog(self) -> None:
        """No effect: the board has no watchdog."""


def no_such_relay(channel: int, relays: str, hint: str = "Correct gate.channel.") -> Misconfigured:
    """The error for a `gate.channel` that no board of a family has; `relays`: what these boards have."""
    return Misconfigured(f"gate.channel is {channel}; {relays}", code="relay_board_size", hint=hint)
