"""Modbus boards through the driver and the service, on real ptys: bytes, pulses, inputs."""

from __future__ import annotations

import os
import threading
import tty

import pytest
from gate_bench import DEADLINE_S, GateBench

from edged.config import GateConfig
from edged.errors import NeedsOperator, RetryLater
from edged.events import DoorLocked, DoorUnlocked, GateConnected
from edged.gate.drivers.modbus import ModbusDriver
from edged.gate.drivers.registry import make_driver
from edged.gate.sim import SimBoard

PROFILES = ["waveshare", "coils", "fc06"]


def driver_on(bench: GateBench, board: SimBoard, **gate: object) -> ModbusDriver:
    """The configured driver, opened on a simulated board."""
    config = GateConfig(port=str(board.link), protocol="modbus", **gate)
    driver = make_driver(config, str(board.link), bench.clock)
    driver.open()
    bench.callback(driver.close)
    return driver


class Line:
    """The board's end of a bare pty, played by the test: requests it must get, answers it gives."""

    def __init__(self, *dialogue: tuple[str, str]) -> None:
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self.seen: list[str] = []
        self._dialogue = dialogue
        self._thread = threading.Thread(target=self._play)
        self._thread.start()

    def _play(self) -> None:
        for request, answer in self._dialogue:
            data = b""
            while len(data) < len(bytes.fromhex(request)):
                data += os.read(self.master, 64)
            self.seen.append(data.hex(" ").upper())
            os.write(self.master, bytes.fromhex(answer))

    def close(self) -> None:
        self._thread.join(DEADLINE_S)
        os.close(self._slave)
        os.close(self.master)


def test_the_bytes_on_the_wire_are_the_makers_examples_waveshare(bench):
    """Read on a bare pty by this test itself: no simulator takes part."""
    state = ("01 01 00 00 00 08 3D CC", "01 01 01 01 90 48")
    line = Line(
        state,
        ("01 02 00 00 00 08 79 CC", "01 82 01 81 60"),  # a model without inputs
        ("01 05 00 00 FF 00 8C 3A", "01 05 00 00 FF 00 8C 3A"),
        state,
        ("01 05 00 00 00 00 CD CA", "01 05 00 00 00 00 CD CA"),
        ("01 05 02 00 00 05 0C 71", "01 05 02 00 00 05 0C 71"),
        ("01 05 02 01 00 08 9C 74", "01 05 02 01 00 08 9C 74"),
    )
    driver = make_driver(GateConfig(port=line.path, protocol="modbus"), line.path, bench.clock)
    driver.open()
    driver.set(1, True)
    assert driver.read_output(1) is True
    driver.set(1, False)
    driver.pulse(1, 0.5)
    driver.pulse(2, 0.8)
    driver.close()
    line.close()
    assert line.seen == [request for request, _ in line._dialogue]


def test_the_bytes_on_the_wire_are_the_makers_examples_fc06(bench):
    state = ("01 03 00 01 00 01 D5 CA", "01 03 02 00 01 79 84")
    line = Line(
        state,
        ("01 06 00 01 01 00 D9 9A", "01 06 00 01 01 00 D9 9A"),
        ("01 06 00 01 02 00 D9 6A", "01 06 00 01 02 00 D9 6A"),
        ("01 06 00 01 06 05 1B A9", "01 06 00 01 06 05 1B A9"),
        state,
    )
    config = GateConfig(port=line.path, protocol="modbus", profile="fc06")
    driver = make_driver(config, line.path, bench.clock)
    driver.open()
    driver.set(1, True)
    driver.set(1, False)
    driver.pulse(1, 5.0)
    assert driver.read_output(1) is True
    driver.close()
    line.close()
    assert line.seen == [request for request, _ in line._dialogue]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("channel", [1, 8])
def test_every_profile_switches_its_relay_and_no_other(bench, profile, channel):
    board = bench.board(f"sim:modbus?firmware={profile}")
    driver = driver_on(bench, board, profile=profile, channel=channel)
    assert driver.read_output(channel) is False
    driver.set(channel, True)
    assert driver.read_output(channel) is True
    assert [n for n, on in enumerate(board.relays, start=1) if on] == [channel]
    driver.set(channel, False)
    assert driver.read_output(channel) is False


def test_a_board_with_32_relays_and_another_address_is_spoken_to(bench):
    board = bench.board("sim:modbus?firmware=coils&channels=32&address=255&baud=115200")
    driver = driver_on(bench, board, profile="coils", channels=32, address=255, baud=115200)
    driver.set(32, True)
    assert driver.read_output(32) is True
    assert board.relays[31] is True


@pytest.mark.parametrize(("profile", "seconds"), [("waveshare", 0.1), ("fc06", 1.0)])
def test_the_board_ends_its_pulse_by_itself(bench, profile, seconds):
    board = bench.board(f"sim:modbus?firmware={profile}")
    driver = driver_on(bench, board, profile=profile)
    assert driver.capabilities.pulse.fits(seconds)
    driver.pulse(1, seconds)
    assert board.wait_for(lambda b: len(b.edges) == 2, DEADLINE_S)
    assert [edge.on for edge in board.edges] == [True, False]


def test_coils_only_boards_have_no_pulse_of_their_own(bench):
    driver = driver_on(bench, bench.board("sim:modbus?firmware=coils"), profile="coils")
    assert driver.capabilities.pulse is None


def test_inputs_are_found_and_read(bench):
    board = bench.board("sim:modbus?inputs=01000001")
    driver = driver_on(bench, board)
    assert driver.capabilities.inputs == 8
    assert driver.read_inputs() == (False, True, *[False] * 5, True)
    board.set_input(1, True)
    assert driver.read_inputs()[0] is True


@pytest.mark.parametrize("silent_about_inputs", [False, True])
def test_a_model_without_inputs_is_found_out(bench, silent_about_inputs):
    board = bench.board("sim:modbus?firmware=coils")
    if silent_about_inputs:
        answer = board.firmware.feed
        board.firmware.feed = lambda data: [] if data[1] == 2 else answer(data)
    driver = driver_on(bench, board, profile="waveshare")
    assert driver.capabilities.inputs == 0
    assert driver.read_inputs() is None
    assert driver.read_output(1) is False


def test_an_input_that_moves_a_relay_by_itself_is_set_free_at_the_start(bench):
    board = bench.board("sim:modbus")
    board.firmware.input_modes[2] = 1
    driver = driver_on(bench, board)
    assert board.firmware.input_modes == [0] * 8
    assert driver.capabilities.inputs == 8


def test_a_board_whose_input_cannot_be_set_free_is_not_used(bench):
    class Stubborn(list):
        def __setitem__(self, index, value):
            pass

    board = bench.board("sim:modbus")
    board.firmware.input_modes = Stubborn([1] * 8)
    with pytest.raises(NeedsOperator) as caught:
        driver_on(bench, board)
    assert caught.value.code == "relay_input_linked"


def test_a_wrong_profile_is_said_with_what_to_check(bench):
    with pytest.raises(NeedsOperator) as caught:
        driver_on(bench, bench.board("sim:modbus?firmware=fc06"), profile="coils")
    assert caught.value.code == "relay_refused"
    assert "gate.profile" in caught.value.hint


def test_a_wrong_address_is_a_board_that_does_not_answer(bench):
    with pytest.raises(RetryLater) as caught:
        driver_on(bench, bench.board("sim:modbus"), address=2)
    assert caught.value.code == "relay_no_answer"
    assert "gate.address" in caught.value.hint


def test_an_adapter_with_echo_is_used_when_that_is_configured(bench):
    driver = driver_on(bench, bench.board("sim:modbus?echo=1"), strip_echo=True)
    driver.set(1, True)
    assert driver.read_output(1) is True


def test_the_gate_lets_the_board_time_the_pulse_and_reads_that_it_has_ended(bench):
    board = bench.board("sim:modbus")
    service = bench.service(board.link, protocol="modbus", pulse_s=0.3)
    assert service.health()["pulse"] == "hardware"
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked).acknowledged is True
    locked = bench.wait_for(DoorLocked)
    assert locked.acknowledged is True
    assert locked.on_ms == pytest.approx(300)
    assert [edge.on for edge in board.edges] == [True, False]
    flash = bytes.fromhex("01 05 02 00 00 03")
    assert board.received().count(flash) == 1
    assert bytes.fromhex("01 05 00 00 FF 00") not in board.received()


@pytest.mark.parametrize(
    ("profile", "pulse_s", "pulse"),
    [
        ("waveshare", 0.25, "software"),
        ("fc06", 0.5, "software"),
        ("fc06", 1, "hardware"),
        ("coils", 1, "software"),
    ],
)
def test_a_pulse_the_board_cannot_make_is_timed_here_and_said_so(bench, profile, pulse_s, pulse):
    board = bench.board(f"sim:modbus?firmware={profile}")
    service = bench.service(board.link, protocol="modbus", profile=profile, pulse_s=pulse_s)
    assert service.health()["pulse"] == pulse
    bench.decide("d1")
    bench.wait_for(DoorLocked)
    assert [edge.on for edge in board.edges] == [True, False]


@pytest.mark.parametrize(
    ("profile", "limit"), [("waveshare", "hardware"), ("fc06", "hardware"), ("coils", "software")]
)
def test_a_hold_is_timed_here_because_it_may_be_extended_and_limited_by_the_board(bench, profile, limit):
    board = bench.board(f"sim:modbus?firmware={profile}")
    service = bench.service(board.link, protocol="modbus", profile=profile, mode="hold", hold_s=0.5)
    assert (service.health()["pulse"], service.health()["max_on"]) == ("software", limit)
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked).acknowledged is True
    locked = bench.wait_for(DoorLocked)
    assert (locked.reason, locked.acknowledged) == ("time_over", True)
    assert [edge.on for edge in board.edges] == [True, False]


def test_connecting_finds_a_relay_that_is_on_and_switches_it_off(bench):
    board = bench.board("sim:modbus")
    board.force(1, True)
    bench.service(board.link, protocol="modbus")
    assert bench.wait_for(GateConnected).relay_was_on is True
    assert board.relays[0] is False
