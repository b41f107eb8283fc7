"""ICP DAS / B&B I-7060 and relatives: DCON text lines with an address.

Words: docs/reference/relay-boards.md 1.7.

The module has a host watchdog: when `~**` does not come for a while it takes its safe value and refuses
commands until the host acknowledges that. It makes a dead host harmless, so the driver arms it at open, sets
its safe and power-on values to "all off", and reads its status with every feed.

Adlink's ND modules use other words for the watchdog; this driver does not support them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from edged.board_family import BoardFamily
from edged.clock import Clock
from edged.errors import RetryLater
from edged.gate.drivers.base import Capabilities, PlainBoard, no_such_relay
from edged.gate.drivers.dialogue import ANSWER_S, Dialogue

if TYPE_CHECKING:
    from edged.config import GateConfig
    from edged.gate.board.port import SerialPort

FAMILY = BoardFamily(
    name="DCON",
    simulator="edged.gate.sim.dcon",
    settings=("address", "board_inputs", "channels", "checksum", "strip_echo"),
    most_inputs=8,
    inputs_counted_by="board_inputs",
    ends_on_time=True,
    rs485=True,
)

END = b"\r"
HOST_OK = "~**"
TIMED_OUT = 0x04
"""Bit of the module's status: the watchdog has timed out."""
WATCHDOG_S = 5.0
"""Seconds: three beats of the gate's thread; the module counts tenths of a second up to 25.5."""
MOST_CHANNELS = 8

T = TypeVar("T")


def line(text: str, *, checksum: bool = False) -> bytes:
    """`text`, its check sum if the module wants one (low byte of the sum, two digits), and CR."""
    body = text.encode("ascii")
    return body + (f"{sum(body) & 0xFF:02X}".encode("ascii") if checksum else b"") + END


def parse_line(reply: bytes, *, checksum: bool = False) -> str:
    """The text of one reply. ValueError when CR is missing, a byte is not text, or the check sum is wrong."""
    body, end, rest = reply.partition(END)
    if not end or rest or not body.isascii():
        raise ValueError(f"expected one line, got {reply[:40]!r}")
    text = body.decode("ascii")
    if not checksum:
        return text
    if line(text[:-2], checksum=True) != reply:
        raise ValueError(f"wrong check sum in {text!r}")
    return text[:-2]


def parse_hex(text: str, head: str, digits: int) -> str:
    """The `digits` hexadecimal digits after `head`. ValueError for anything else."""
    value = text.removeprefix(head)
    if not text.startswith(head) or len(value) != digits or set(value) - set("0123456789ABCDEF"):
        raise ValueError(f"expected {head} and {digits} digits, got {text!r}")
    return value


def parse_io(text: str) -> tuple[int, int]:
    """Outputs and inputs from the answer `!OOII00` to `$AA6`; bit n is channel n+1. ValueError otherwise.

    Outputs first is what Adlink's and Advantech's manuals say of the same command; one example in B&B's
    manual of the I-7060 reads the other way round. On such a module a relay that is switched on would read
    back as off: an alarm, and no open door. `edged gate test` shows it at commissioning.
    """
    value = parse_hex(text, "!", 6)
    if value[4:] != "00":
        raise ValueError(f"expected 00 at the end of {text!r}")
    return int(value[:2], 16), int(value[2:4], 16)


def make(config: GateConfig, port: SerialPort, clock: Clock) -> DconDriver:
    """The driver as configured. Raises Misconfigured (`relay_board_size`) for a relay it cannot name."""
    if config.channel > MOST_CHANNELS:
        raise no_such_relay(config.channel, f"DCON modules are spoken to up to relay {MOST_CHANNELS}.")
    return DconDriver(
        port,
        address=config.address,
        inputs=min(config.board_inputs, MOST_CHANNELS),
        checksum=config.checksum,
        strip_echo=config.strip_echo,
    )


class DconDriver(PlainBoard):
    """Speaks to one module.

    Args:
        address: of the module, 0 to 255.
        inputs: contacts on the module.
        checksum: the module uses check sums.
        strip_echo: the RS485 adapter returns every byte sent.
        watchdog_s: the module drops its relays after this time without feeding; 0.1 to 25.5.
    """

    def __init__(
        self,
        port: SerialPort,
        *,
        address: int,
        inputs: int = 0,
        checksum: bool = False,
        strip_echo: bool = False,
        watchdog_s: float = WATCHDOG_S,
    ) -> None:
        self._port = port
        self._address = f"{address:02X}"
        self._inputs = inputs
        self._checksum = checksum
        self._strip_echo = strip_echo
        self._watchdog = f"{round(watchdog_s * 10):02X}"
        self._armed = False
        self._dialogue = Dialogue(
            port,
            check="gate.protocol, gate.address, gate.baud, gate.checksum and gate.strip_echo",
            silent_hint="Check its supply, the two wires (A and B swapped?), gate.address, gate.baud and "
            "gate.checksum.",
        )

    @property
    def capabilities(self) -> Capabilities:
        """Watchdog: once it is armed."""
        return Capabilities(readback=True, inputs=self._inputs, watchdog=self._armed)

    @property
    def written_s(self) -> float | None:
        """Monotonic time of the last command."""
        return self._dialogue.written_s

    def open(self) -> None:
        """Open the line, acknowledge a watchdog that has timed out, arm it. Moves no relay.

        Raises:
            RetryLater: `relay_no_answer`, `relay_bad_answer`, besides those of the port.
        """
        self._armed = False
        self._dialogue.open()
        if self._surely(self._status) & TIMED_OUT:
            self._surely(lambda: self._setting(f"~{self._address}1", digits=0))
        self._arm()

    def close(self) -> None:
        """Close the line. The watchdog stays armed: should an off have been lost, it does it again."""
        self._dialogue.close()

    def set(self, channel: int, on: bool) -> bool | None:
        """Switch. The module says that it obeys, but not what the relay does: that must be asked for.

        Raises:
            RetryLater: `relay_watchdog`: the module refuses, its watchdog has struck.
        """
        request = self._line(f"#{self._address}1{channel - 1:X}{int(on):02X}")
        self._dialogue.order(request, lambda reply: self._obeyed(reply, request), done=self._complete)
        return None

    def read_output(self, channel: int) -> bool | None:
        """Ask for the relay's state; None for a missed answer.

        Raises:
            RetryLater: `relay_no_answer` or `relay_bad_answer`, for the third miss in a row.
        """
        io = self._io()
        if io is not None and io[0] == 0 and not self._armed:
            self._arm()
        return None if io is None else bool(io[0] >> (channel - 1) & 1)

    def read_inputs(self) -> tuple[bool, ...] | None:
        """The contacts, first input first, True: high. Whether that is open or closed is up to the wiring."""
        io = self._io() if self._inputs else None
        return None if io is None else tuple(bool(io[1] >> bit & 1) for bit in range(self._inputs))

    def feed_watchdog(self) -> None:
        """Tell all modules on the line that the host lives, and look whether this one believed it in time.

        Raises:
            RetryLater: `relay_watchdog`: it has struck since the last time.
        """
        if not self._armed:
            return
        self._port.write(self._line(HOST_OK))
        if self._strip_echo:
            self._port.read(self._complete_echo, ANSWER_S)
        status = self._status()
        if status is not None and status & TIMED_OUT:
            raise self._struck()

    # -- the watchdog

    def _arm(self) -> None:
        """Arm the watchdog; before that, make safe and power-on values "all off".

        The module stores these values only from its present outputs, so this waits until all read off.
        """
        for kind in "SP":
            read, write = f"~{self._address}4{kind}", f"~{self._address}5{kind}"
            if self._surely(partial(self._setting, read, digits=4)) != "0000":
                if self._surely(self._io)[0] != 0:
                    return
                self._surely(partial(self._setting, write, digits=0))
        if self._armed_for() != f"1{self._watchdog}":  # written only when needed: the value is in an EEPROM
            self._surely(lambda: self._setting(f"~{self._address}31{self._watchdog}", digits=0))
        self._armed = self._armed_for().endswith(self._watchdog)

    def _armed_for(self) -> str:
        """Flag and time as the module reports them; older firmware leaves the flag out."""
        return self._surely(lambda: self._ask(f"~{self._address}2", self._after_address))

    def _status(self) -> int | None:
        value = self._setting(f"~{self._address}0", digits=2)
        return None if value is None else int(value, 16)

    def _struck(self) -> RetryLater:
        return RetryLater(
            f"The relay module at {self._port.path} has dropped its relays by itself: its host watchdog "
            "was not fed in time.",
            code="relay_watchdog",
            hint="edged connects again by itself. If it repeats, the machine is overloaded or the line bad.",
        )

    # -- questions and answers

    def _surely(self, ask: Callable[[], T | None]) -> T:
        """Repeat the question until its answer; the third miss in a row raises."""
        while (answer := ask()) is None:
            pass
        return answer

    def _setting(self, text: str, *, digits: int) -> str | None:
        return self._ask(text, lambda reply: parse_hex(reply, f"!{self._address}", digits))

    def _io(self) -> tuple[int, int] | None:
        return self._ask(f"${self._address}6", parse_io)

    def _after_address(self, reply: str) -> str:
        head = f"!{self._address}"
        return parse_hex(reply, head, 3 if len(reply) - len(head) == 3 else 2)

    def _ask(self, text: str, understand: Callable[[str], T]) -> T | None:
        request = self._line(text)
        return self._dialogue.ask(
            request, lambda reply: understand(self._text(reply, request)), done=self._complete
        )

    def _obeyed(self, reply: bytes, request: bytes) -> None:
        text = self._text(reply, request)
        if text == "!":
            raise self._struck()
        if text != ">":
            raise ValueError(f"expected >, got {text!r}")

    def _line(self, text: str) -> bytes:
        return line(text, checksum=self._checksum)

    def _text(self, reply: bytes, request: bytes) -> str:
        if self._strip_echo:
            if not reply.startswith(request):
                raise ValueError(f"expected {request!r} returned first, got {reply[:40]!r}")
            reply = reply.removeprefix(request)
        return parse_line(reply, checksum=self._checksum)

    def _complete(self, data: bytes) -> bool:
        return data.count(END) >= (2 if self._strip_echo else 1)

    def _complete_echo(self, data: bytes) -> bool:
        return END in data
