"""Modbus RTU relay boards: register maps. Frames and silences are in `rtu`.

Source: docs/reference/relay-boards.md 1.8.

Profiles:

- `waveshare`: coils, pulses timed by the board ("flash"), inputs on the models that have them;
- `coils`: boards that know coils only (KMTronic, the Chinese "FF" boards, most PLC outputs);
- `fc06`: Eletechsup, LaskaKit and their kin, whose relays are registers, with pulses of whole seconds.

The answer to a write only repeats it, so a write counts only after the relay reads back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from edged.board_family import BoardFamily, BoardProfile
from edged.clock import Clock
from edged.errors import NeedsOperator, RetryLater
from edged.gate.drivers.base import Capabilities, PulseRange
from edged.gate.drivers.exchange import Exchanges
from edged.gate.drivers.rtu import (
    READ_COILS,
    READ_INPUTS,
    WRITE_COIL,
    WRITE_REGISTER,
    AnswerPending,
    ModbusRefused,
    RtuMaster,
)

if TYPE_CHECKING:
    from edged.config import GateConfig
    from edged.gate.board.port import SerialPort

FAMILY = BoardFamily(
    name="Modbus",
    simulator="edged.gate.sim.modbus",
    settings=("address", "channels", "profile", "strip_echo"),
    profiles=(
        BoardProfile("waveshare"),
        BoardProfile("coils", has_inputs=False, ends_on_time=False),
        BoardProfile("fc06", has_inputs=False),
    ),
    most_inputs=32,
    inputs_counted_by="channels",
    ends_on_time=True,
    rs485=True,
)

COIL_ON, COIL_OFF = 0xFF00, 0x0000
FLASH_ON = 0x0200
"""Waveshare: this plus the coil, written with tenths of a second, is a pulse the board ends itself."""
INPUT_MODES = 0x1000
"""Waveshare: one register per input; 0: it does not move any relay."""
REGISTER_ON, REGISTER_OFF, REGISTER_TIMED = 0x0100, 0x0200, 0x0600
"""fc06: high byte command, low byte seconds of the timed one."""


class ModbusProfile(Protocol):
    """Registers of a family. Coil numbers count from 1; raises what `RtuMaster.call` raises."""

    pulse: PulseRange | None

    def switch(self, channel: int, on: bool) -> None: ...

    def start_pulse(self, channel: int, seconds: float) -> None: ...

    def state(self, channel: int) -> bool: ...


class Coils:
    """One coil per relay, and nothing else."""

    pulse: PulseRange | None = None

    def __init__(self, master: RtuMaster, address: int, channels: int) -> None:
        self._master = master
        self._address = address
        self._channels = channels

    def switch(self, channel: int, on: bool) -> None:
        """Write one coil."""
        self._master.write(self._address, WRITE_COIL, channel - 1, COIL_ON if on else COIL_OFF)

    def start_pulse(self, channel: int, seconds: float) -> None:
        """Raises NotImplementedError: coils have no timer."""
        raise NotImplementedError("gate.profile coils has no hardware pulse")

    def state(self, channel: int) -> bool:
        """Read all coils, as in the makers' examples, and return one."""
        return self._master.read_bits(self._address, READ_COILS, 0, self._channels)[channel - 1]


class Waveshare(Coils):
    """Coils and the maker's flash command, in tenths of a second, 0.1 s to 3276.7 s."""

    pulse: PulseRange | None = PulseRange(0.1, 3276.7, 0.1)

    def start_pulse(self, channel: int, seconds: float) -> None:
        """Write the flash-on coil of this channel."""
        self._master.write(self._address, WRITE_COIL, FLASH_ON + channel - 1, round(seconds * 10))


class Registers:
    """One register per relay, numbered from 1, written with a command and read as 0 or 1."""

    pulse: PulseRange | None = PulseRange(1.0, 255.0, 1.0)

    def __init__(self, master: RtuMaster, address: int, channels: int) -> None:
        self._master = master
        self._address = address

    def switch(self, channel: int, on: bool) -> None:
        """Write the relay's register."""
        self._write(channel, REGISTER_ON if on else REGISTER_OFF)

    def start_pulse(self, channel: int, seconds: float) -> None:
        """Write the timed command."""
        self._write(channel, REGISTER_TIMED + round(seconds))

    def state(self, channel: int) -> bool:
        """Read the relay's register."""
        (value,) = self._master.read_registers(self._address, channel, 1)
        if value not in (0, 1):
            raise ValueError(f"relay register {channel} holds {value:04X}, expected 0000 or 0001")
        return value == 1

    def _write(self, channel: int, value: int) -> None:
        self._master.write(self._address, WRITE_REGISTER, channel, value)


PROFILES: dict[str, Callable[[RtuMaster, int, int], ModbusProfile]] = {
    "waveshare": Waveshare,
    "coils": Coils,
    "fc06": Registers,
}

T = TypeVar("T")


def make(config: GateConfig, port: SerialPort, clock: Clock) -> ModbusDriver:
    """The driver as configured."""
    return ModbusDriver(
        port,
        profile=FAMILY.profile(config.profile).name,
        address=config.address,
        channels=config.channels,
        strip_echo=config.strip_echo,
    )


class ModbusDriver:
    """Speaks to one Modbus RTU board.

    Args:
        profile: a key of `PROFILES`.
        address: 1..247; 255 for some boards that have left the standard.
        channels: relays on the board, and inputs where it has any.
        strip_echo: the adapter returns every byte sent.
    """

    def __init__(
        self, port: SerialPort, *, profile: str, address: int, channels: int, strip_echo: bool = False
    ) -> None:
        self._port = port
        self._master = RtuMaster(port, strip_echo=strip_echo)
        self._profile: ModbusProfile = PROFILES[profile](self._master, address, channels)
        self._has_inputs = FAMILY.profile(profile).has_inputs
        self._address = address
        self._channels = channels
        self._inputs: int | None = None  # None before the first count; kept over reconnects
        self._exchanges = Exchanges(
            port,
            check="gate.protocol, gate.profile, gate.address, gate.baud and, on RS485, gate.strip_echo",
            silent_hint="Check its supply, the two wires of RS485 (they may be swapped), gate.address and "
            "gate.baud.",
        )

    @property
    def capabilities(self) -> Capabilities:
        """The number of inputs is known after connecting."""
        return Capabilities(pulse=self._profile.pulse, readback=True, inputs=self._inputs or 0)

    @property
    def written_s(self) -> float | None:
        """Monotonic time of the last frame."""
        return self._master.written_s

    def open(self) -> None:
        """Open the port, count the inputs, and detach any input that moves a relay by itself.

        Raises:
            RetryLater: as every driver, but already for the first missed answer.
            NeedsOperator: also `relay_input_linked`, `relay_refused`.
        """
        self._exchanges.reset()
        self._port.open()
        self._insist(lambda: self._profile.state(1))
        if self._has_inputs and self._inputs != 0:
            self._inputs = self._count_inputs()
            if self._inputs:
                self._insist(self._free_inputs)

    def close(self) -> None:
        """Close the port."""
        self._port.close()

    def set(self, channel: int, on: bool) -> bool | None:
        """Switch. The answer repeats the command and says nothing about the relay: always None."""
        self._ask(lambda: self._profile.switch(channel, on))
        return None

    def pulse(self, channel: int, seconds: float) -> bool | None:
        """Start a pulse the board ends. Always None, as `set`."""
        self._ask(lambda: self._profile.start_pulse(channel, seconds))
        return None

    def read_output(self, channel: int) -> bool | None:
        """The relay; None also while the answer to an older question may still come."""
        return self._ask(lambda: self._profile.state(channel))

    def read_inputs(self) -> tuple[bool, ...] | None:
        """The contacts of a board that has them."""
        return self._ask(self._read_all_inputs) if self._inputs else None

    def feed_watchdog(self) -> None:
        """There is none."""

    # -- inside

    def _ask(self, question: Callable[[], T]) -> T | None:
        try:
            return self._exchanges.ask(lambda: self._allowed(question))
        except AnswerPending:
            return None

    def _insist(self, question: Callable[[], T]) -> T:
        try:
            return self._exchanges.insist(lambda: self._allowed(question))
        except AnswerPending as error:
            raise RetryLater(
                f"The relay board at {self._port.path} may still answer an old question.",
                code="relay_no_answer",
                hint="It is tried again by itself.",
            ) from error

    def _allowed(self, question: Callable[[], T]) -> T:
        """Turns an exception answer to a standard request into an error about settings."""
        try:
            return question()
        except ModbusRefused as refused:
            if refused.code not in (1, 2, 3):
                raise ValueError(str(refused)) from refused
            raise NeedsOperator(
                f"The relay board at {self._port.path} does not do what was asked: {refused}.",
                code="relay_refused",
                hint="Check gate.profile, gate.channel and gate.channels against the board.",
            ) from refused

    def _count_inputs(self) -> int:
        """Number of inputs: 0 for a board that never answered the question; later as before."""
        if self._inputs:
            return len(self._insist(self._read_all_inputs))
        try:
            return len(self._read_all_inputs())
        except ModbusRefused:
            return 0
        except (ValueError, AnswerPending):
            self._insist(lambda: self._profile.state(1))  # it lives; no older answer can come now
        try:
            return len(self._read_all_inputs())
        except (ModbusRefused, ValueError, AnswerPending):
            self._insist(lambda: self._profile.state(1))
            return 0

    def _read_all_inputs(self) -> tuple[bool, ...]:
        return self._master.read_bits(self._address, READ_INPUTS, 0, self._channels)

    def _free_inputs(self) -> None:
        """Detach inputs that move a relay by themselves (the factory setting of some models).

        A door contact would otherwise open the gate.
        """
        count = self._inputs or 0
        try:
            modes = self._master.read_registers(self._address, INPUT_MODES, count)
            for number, mode in enumerate(modes):
                if mode:
                    self._master.write(self._address, WRITE_REGISTER, INPUT_MODES + number, 0)
            modes = self._master.read_registers(self._address, INPUT_MODES, count) if any(modes) else modes
        except ModbusRefused as refused:
            raise self._linked(f"their modes cannot be read or set ({refused})") from refused
        if any(modes):
            raise self._linked(f"their modes stay {', '.join(map(str, modes))}")

    def _linked(self, what: str) -> NeedsOperator:
        return NeedsOperator(
            f"Inputs of the relay board at {self._port.path} may move its relays by themselves: {what}.",
            code="relay_input_linked",
            hint="Set registers 1000 hex and up to 0 with the maker's tool, or wire no inputs and use "
            "gate.profile: coils.",
        )
