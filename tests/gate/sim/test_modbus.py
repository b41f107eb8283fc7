"""Simulated Modbus boards, byte for byte against makers' examples (docs/reference/relay-boards.md 1.8)."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import pytest

from edged.gate.sim.modbus import ModbusFirmware


class Bench:
    """Relays, contacts and a clockwork that runs only when told to."""

    def __init__(self, channels: int = 8) -> None:
        self.relays = [False] * channels
        self.inputs = [False] * channels
        self.plans: dict[Hashable, tuple[float, Callable[[], None]]] = {}

    def switch(self, channel: int, on: bool) -> None:
        self.relays[channel - 1] = on

    def later(self, name: Hashable, seconds: float, action: Callable[[], None]) -> None:
        self.plans[name] = (seconds, action)

    def cancel(self, name: Hashable) -> None:
        self.plans.pop(name, None)

    def say(self, data: bytes) -> None:
        raise AssertionError("a Modbus board only answers")


@pytest.fixture
def bench():
    return Bench()


def ask(firmware: ModbusFirmware, request: str) -> list[str]:
    return [answer.hex(" ").upper() for answer in firmware.feed(bytes.fromhex(request))]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("01 05 00 00 FF 00 8C 3A", "01 05 00 00 FF 00 8C 3A"),
        ("01 05 00 FF FF 00 BC 0A", "01 05 00 FF FF 00 BC 0A"),
        ("01 05 02 01 00 08 9C 74", "01 05 02 01 00 08 9C 74"),
        ("01 01 00 00 00 08 3D CC", "01 01 01 00 51 88"),
        ("01 0F 00 00 00 08 01 00 FE 95", "01 0F 00 00 00 08 54 0D"),
        ("01 06 10 00 00 00 8D 0A", "01 06 10 00 00 00 8D 0A"),
    ],
)
def test_waveshare_answers_as_its_manual_says(bench, request_, answer):
    assert ask(ModbusFirmware(bench, variant="waveshare", address=1), request_) == [answer]


def test_waveshare_shows_a_coil_that_was_switched_on(bench):
    firmware = ModbusFirmware(bench, variant="waveshare", address=1)
    ask(firmware, "01 05 00 00 FF 00 8C 3A")
    assert bench.relays == [True] + [False] * 7
    assert ask(firmware, "01 01 00 00 00 08 3D CC") == ["01 01 01 01 90 48"]
    ask(firmware, "01 05 00 00 55 00 F2 9A")
    assert bench.relays == [False] * 8


def test_a_flash_of_700_ms_ends_by_the_boards_own_clockwork(bench):
    ask(ModbusFirmware(bench, variant="waveshare", address=1), "01 05 02 00 00 07 8D B0")
    assert bench.relays[0] is True
    seconds, action = bench.plans[1]
    assert seconds == pytest.approx(0.7)
    action()
    assert bench.relays[0] is False


def test_a_command_ends_a_running_flash(bench):
    firmware = ModbusFirmware(bench, variant="waveshare", address=1)
    ask(firmware, "01 05 02 00 00 07 8D B0")
    ask(firmware, "01 05 00 00 00 00 CD CA")
    assert bench.relays[0] is False
    assert bench.plans == {}


def test_a_broadcast_is_carried_out_and_not_answered(bench):
    firmware = ModbusFirmware(bench, variant="waveshare", address=1)
    assert ask(firmware, "00 06 40 00 00 02 1C 1A") == []
    assert firmware.address == 2


@pytest.mark.parametrize(
    ("request_", "relays"),
    [("01 06 00 01 01 00 D9 9A", [True]), ("01 06 00 01 02 00 D9 6A", [False])],
)
def test_an_fc06_board_switches_by_register(request_, relays):
    bench = Bench(channels=1)
    assert ask(ModbusFirmware(bench, variant="fc06", address=1), request_) == [request_]
    assert bench.relays == relays


@pytest.mark.parametrize(
    ("request_", "after_s"), [("01 06 00 01 05 00 DB 5A", 1), ("01 06 00 01 06 05 1B A9", 5)]
)
def test_an_fc06_board_ends_its_pulse(bench, request_, after_s):
    ask(ModbusFirmware(bench, variant="fc06", address=1), request_)
    assert bench.relays[0] is True
    assert bench.plans[1][0] == after_s


@pytest.mark.parametrize(
    ("variant", "request_", "answer"),
    [
        ("waveshare", "01 01 00 00 00 09 FC 0C", "01 81 02 C1 91"),  # nine coils of eight
        ("waveshare", "01 05 00 08 FF 00 0D F8", "01 85 02 C3 51"),  # coil 9
        ("coils", "01 02 00 00 00 08 79 CC", "01 82 01 81 60"),  # no inputs
    ],
)
def test_what_a_board_does_not_have_is_refused_with_an_exception(bench, variant, request_, answer):
    assert ask(ModbusFirmware(bench, variant=variant, address=1), request_) == [answer]


def test_a_frame_in_pieces_is_put_together_and_noise_spoils_only_itself(bench):
    firmware = ModbusFirmware(bench, variant="waveshare", address=1)
    assert ask(firmware, "01 05 00 00") == []
    assert ask(firmware, "FF 00 8C 3A") == ["01 05 00 00 FF 00 8C 3A"]
    assert ask(firmware, "55 AA") == []
    bench.plans["half a frame"][1]()
    assert ask(firmware, "01 01 00 00 00 08 3D CC") == ["01 01 01 01 90 48"]


def test_another_address_is_none_of_its_business(bench):
    assert ask(ModbusFirmware(bench, variant="waveshare", address=2), "01 05 00 00 FF 00 8C 3A") == []
    assert bench.relays[0] is False
