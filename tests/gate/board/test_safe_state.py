"""What the gate guard sends to switch off: the driver's own bytes."""

import pytest

from edged.clock import SystemClock
from edged.config import GateConfig
from edged.errors import Misconfigured
from edged.gate.board.safe_state import off_bytes

VECTORS = {
    "lcus": ({"channel": 2}, "A00200A2"),
    "kmtronic": ({"channel": 3, "channels": 4}, "FF0300"),
    "devantech": ({"channel": 1}, "6F"),
    "k8090": ({"channel": 1}, "04120100 00E90F"),
    "modbus": ({"channel": 1}, "01050000 0000CDCA"),
}


@pytest.mark.parametrize("protocol", VECTORS)
def test_they_are_the_vendors_bytes(protocol):
    more, expected = VECTORS[protocol]
    _, sent = off_bytes(GateConfig(protocol=protocol, **more), SystemClock())
    assert bytes.fromhex(expected) in sent


@pytest.mark.parametrize("protocol", ["numato", "dcon"])
def test_boards_that_are_spoken_to_in_text_get_a_whole_line(protocol):
    _, sent = off_bytes(GateConfig(protocol=protocol), SystemClock())
    assert sent
    assert all(frame.endswith(b"\r") for frame in sent)


def test_the_speed_is_that_of_the_board():
    assert off_bytes(GateConfig(protocol="k8090"), SystemClock())[0] == 19200


@pytest.mark.parametrize("protocol", ["line", "dummy"])
def test_what_is_not_switched_by_bytes_is_refused(protocol):
    with pytest.raises(Misconfigured, match="cannot switch off"):
        off_bytes(GateConfig(protocol=protocol), SystemClock())
