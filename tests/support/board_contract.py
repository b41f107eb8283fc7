"""The boards on which tests try the contract of every relay driver, and what such a test needs. No tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from edged.clock import Clock
from edged.config import GateConfig
from edged.errors import RetryLater
from edged.gate.drivers.base import RelayDriver
from edged.gate.drivers.registry import make_driver
from edged.gate.sim import SimBoard

MOST_READS = 50
"""More than any driver needs to become sure of a state, or of a lost board."""


@dataclass(frozen=True)
class Row:
    """One simulated board and the settings that fit it.

    Attributes:
        url: the board; the plug feeds it.
        gate: settings of the gate section besides the port.
        noise: bytes that may come in front of an answer, in hexadecimal.
        slow_s: delay of an answer that is late but in time.
        late_s: delays of answers that come after the driver has stopped waiting.
        opens: attempts after which it is open again, when an old answer may still come at first.
        reads_until_lost: questions to a board that answers nothing, the one that finds it lost included.
        damage_code: with what a board is lost whose answers are damaged from the start.
    """

    url: str
    gate: dict[str, Any] = field(hash=False)
    noise: tuple[str, ...] = ("55AA", "00", "FF", "0D0A")
    slow_s: float = 0.05
    late_s: tuple[float, ...] = (0.22, 0.26, 0.33, 0.45)
    reads_until_lost: int = 3
    opens: int = 1
    damage_code: str = "relay_bad_answer"

    def with_options(self, *options: str) -> str:
        """The URL with further options, e.g. `self_powered=1`, on a fast line."""
        return f"{self.url}{'&' if '?' in self.url else '?'}{'&'.join(['baud=115200', *options])}"

    @property
    def echoes(self) -> bool:
        """The adapter returns what is sent, and the driver expects that."""
        return bool(self.gate.get("strip_echo"))

    @property
    def silence_code(self) -> str:
        """What a silent board is lost with. An echo is heard, so the answer counts as one without sense."""
        return "relay_bad_answer" if self.echoes else "relay_no_answer"


_TEXT_NOISE = ("55AA", "00", "FF", "0D")
_MODBUS: dict[str, Any] = {
    "slow_s": 0.2,
    "late_s": (0.4, 0.65, 0.9),
    "reads_until_lost": MOST_READS,
    "opens": 10,
}

ROWS = {
    "lcus": Row("sim:lcus?channels=2", {"protocol": "lcus"}),
    "lcus-feedback": Row("sim:lcus?firmware=feedback", {"protocol": "lcus", "firmware": "feedback"}),
    "lcus-feedback-crlf": Row(
        "sim:lcus?firmware=feedback&crlf=1", {"protocol": "lcus", "firmware": "feedback", "append_crlf": True}
    ),
    "modbus-waveshare": Row("sim:modbus", {"protocol": "modbus"}, **_MODBUS),
    "modbus-coils": Row("sim:modbus?firmware=coils", {"protocol": "modbus", "profile": "coils"}, **_MODBUS),
    "modbus-fc06": Row("sim:modbus?firmware=fc06", {"protocol": "modbus", "profile": "fc06"}, **_MODBUS),
    "kmtronic-2": Row("sim:kmtronic?channels=2", {"protocol": "kmtronic", "channels": 2}),
    "kmtronic-8": Row("sim:kmtronic?channels=8", {"protocol": "kmtronic", "channels": 8}),
    "numato": Row("sim:numato", {"protocol": "numato", "board_inputs": 4}, noise=("55AA", "00", "FF", "3E")),
    "devantech": Row(
        "sim:devantech?firmware=opto88", {"protocol": "devantech"}, damage_code="relay_wrong_board"
    ),
    "k8090": Row("sim:k8090", {"protocol": "k8090"}),
    "dcon": Row("sim:dcon", {"protocol": "dcon"}, noise=_TEXT_NOISE),
    "dcon-checksum": Row(
        "sim:dcon?firmware=checksum", {"protocol": "dcon", "checksum": True}, noise=_TEXT_NOISE
    ),
    "dcon-echo": Row(
        "sim:dcon?firmware=checksum&echo=1",
        {"protocol": "dcon", "checksum": True, "strip_echo": True},
        noise=_TEXT_NOISE,
    ),
}


def driver_on(board: SimBoard, clock: Clock, **gate: Any) -> RelayDriver:
    """The driver for these settings of the gate section, not yet opened."""
    return make_driver(GateConfig(port=str(board.link), **gate), str(board.link), clock)


def answers_until_lost(driver: RelayDriver) -> tuple[list[bool | None], str]:
    """What is read until the driver gives the board up, and the code it does that with."""
    states: list[bool | None] = []
    try:
        while len(states) < MOST_READS:
            states.append(driver.read_output(1))
    except RetryLater as lost:
        return states, lost.code
    return states, "not lost"


def first_sure_state(driver: RelayDriver) -> bool | None:
    """The first state the driver is sure of; None: it never is."""
    return next((state for _ in range(MOST_READS) if (state := driver.read_output(1)) is not None), None)
