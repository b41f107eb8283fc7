"""A transistor and a relay on the DTR or RTS line of a serial port; contacts on its other lines. No bytes.

The kernel raises both lines when the port opens, and the driver can lower them only afterwards (about 20 ms,
docs/reference/relay-boards.md 1.9): fit an RC delay, and use this for momentary contacts only.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import termios
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import serial

from edged.board_family import BoardFamily
from edged.clock import Clock
from edged.errors import NeedsOperator, RetryLater
from edged.gate.board.port import SerialPort, open_error
from edged.gate.drivers.base import Capabilities, PlainBoard, no_such_relay

if TYPE_CHECKING:
    from edged.config import GateConfig

FAMILY = BoardFamily(name="control line", switched_by="control lines", most_inputs=4)

OUTPUTS = ("dtr", "rts")
"""Channel 1 and channel 2."""
INPUTS = ("cts", "dsr", "cd", "ri")
"""Input 1 to 4. RI and short pulses are unreliable on USB (docs/reference/relay-boards.md 2.4)."""
_UNPLUGGED = (OSError, termios.error, ValueError)


class ControlLines(Protocol):
    """The part of `serial.Serial` that is used here."""

    dtr: bool
    rts: bool

    @property
    def cts(self) -> bool: ...

    @property
    def dsr(self) -> bool: ...

    @property
    def cd(self) -> bool: ...

    @property
    def ri(self) -> bool: ...

    def fileno(self) -> int:
        """The descriptor of the open port."""
        ...

    def close(self) -> None:
        """Close the port; the kernel lowers both outputs."""
        ...


def open_lines(path: str) -> ControlLines:
    """Open a real port exclusively, both outputs low as early as possible. Raises what pyserial raises."""
    port = serial.Serial()
    port.port = path
    port.exclusive = True
    port.dtr = port.rts = False
    port.open()
    try:
        fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
    except OSError:
        port.close()
        raise
    return port


def make(config: GateConfig, port: SerialPort, clock: Clock) -> LineDriver:
    """The driver as configured. Raises Misconfigured (`relay_board_size`) for a third line."""
    if config.channel > len(OUTPUTS):
        raise no_such_relay(
            config.channel,
            "a serial port has two lines that can be switched.",
            "Use gate.channel 1 for DTR or 2 for RTS.",
        )
    return LineDriver(port.path, clock)


class LineDriver(PlainBoard):
    """Switches DTR (channel 1) and RTS (channel 2). The relay itself cannot be read.

    Args:
        open_port: opens the port at a path.
    """

    capabilities = Capabilities(inputs=len(INPUTS))

    def __init__(
        self, path: str, clock: Clock, *, open_port: Callable[[str], ControlLines] = open_lines
    ) -> None:
        self._path = path
        self._clock = clock
        self._open_port = open_port
        self._port: ControlLines | None = None
        self.written_s: float | None = None

    def open(self) -> None:
        """Open the port and lower both lines.

        Raises:
            RetryLater: `relay_port_missing`.
            NeedsOperator: `relay_port_busy`, `relay_port_denied`; `relay_no_lines`: the port has none.
        """
        self.close()
        try:
            self._port = self._open_port(self._path)
            self._port.dtr = self._port.rts = False
            self._read(INPUTS[0])
        except _UNPLUGGED as error:
            self.close()
            if getattr(error, "errno", None) in (errno.ENOTTY, errno.EINVAL):
                raise NeedsOperator(
                    f"The port {self._path} has no control lines.",
                    code="relay_no_lines",
                    hint="Use a serial port or USB adapter with DTR and RTS; a simulated board has none.",
                ) from error
            raise open_error(self._path, error) from error

    def close(self) -> None:
        """Lower both lines and close; harmless when closed or unplugged."""
        port, self._port = self._port, None
        if port is None:
            return
        for name in OUTPUTS:
            with contextlib.suppress(*_UNPLUGGED):
                setattr(port, name, False)
        with contextlib.suppress(*_UNPLUGGED, AttributeError):  # a port that is no file has no fileno
            fcntl.ioctl(port.fileno(), termios.TIOCNXCL)
        with contextlib.suppress(*_UNPLUGGED):
            port.close()

    def set(self, channel: int, on: bool) -> bool | None:
        """Raise or lower a line. Always None; a lost port raises."""
        try:
            setattr(self._opened(), OUTPUTS[channel - 1], on)
            self._read(INPUTS[0])
        except _UNPLUGGED as error:
            raise self._lost(error) from error
        self.written_s = self._clock.monotonic()
        return None

    def read_output(self, channel: int) -> bool | None:
        """None: the relay cannot be read. Raises RetryLater when the port is gone."""
        self.read_inputs()
        return None

    def read_inputs(self) -> tuple[bool, ...] | None:
        """CTS, DSR, DCD and RI, True: raised."""
        try:
            return tuple(self._read(name) for name in INPUTS)
        except _UNPLUGGED as error:
            raise self._lost(error) from error

    def _read(self, name: str) -> bool:
        return bool(getattr(self._opened(), name))

    def _opened(self) -> ControlLines:
        if self._port is None:
            raise ValueError("it is not open")
        return self._port

    def _lost(self, error: Exception) -> RetryLater:
        return RetryLater(
            f"The port {self._path} is gone: {error}.",
            code="relay_port_lost",
            hint="Check its plug and cable; it is tried again by itself.",
        )
