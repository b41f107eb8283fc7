"""Bytes of the Velleman K8090, against docs/reference/relay-boards.md 1.6."""

from __future__ import annotations

import pytest
from gate_bench import DEADLINE_S
from hypothesis import given
from hypothesis import strategies as st
from leaping_clock import LeapingClock
from wire import Wire, sent

from edged.clock import SystemClock
from edged.config import GateConfig
from edged.errors import Misconfigured
from edged.events import DoorUnlocked
from edged.gate.board.port import SerialPort
from edged.gate.drivers.k8090 import K8090Driver, Relays, frame, parse_frames, parse_state
from edged.gate.drivers.registry import make_driver

ASK = "04 18 00 00 00 E4 0F 04 71 00 00 00 8B 0F"
VERSION = "04 71 00 10 15 66 0F"


@pytest.mark.parametrize(
    ("arguments", "vector"),
    [
        ((0x11, 1), "04 11 01 00 00 EA 0F"),
        ((0x12, 1), "04 12 01 00 00 E9 0F"),
        ((0x41, 1, 0, 5), "04 41 01 00 05 B5 0F"),
        ((0x18,), "04 18 00 00 00 E4 0F"),
    ],
)
def test_frames_are_those_of_the_manual(arguments, vector):
    assert frame(*arguments) == bytes.fromhex(vector)


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_every_frame_is_understood_again(command, mask, first, second):
    assert parse_frames(frame(command, mask, first, second)) == [(command, mask, first, second)]


@given(st.binary(min_size=1, max_size=28))
def test_noise_is_refused_and_nothing_else_happens(noise):
    try:
        frames = parse_frames(noise)
    except ValueError:
        return
    assert noise == b"".join(frame(*each) for each in frames)


@given(st.integers(0, 6), st.integers(0, 7))
def test_one_wrong_bit_anywhere_is_seen(byte, bit):
    damaged = bytearray(bytes.fromhex("04 51 00 01 00 AA 0F") + bytes.fromhex(VERSION))
    damaged[byte] ^= 1 << bit
    with pytest.raises(ValueError, match="expected"):
        parse_state(bytes(damaged))


def test_the_last_report_before_the_version_is_the_state():
    answer = bytes.fromhex("04 51 00 01 00 AA 0F04 51 01 03 02 A5 0F" + VERSION)
    assert parse_state(answer) == Relays(on=0b11, timed=0b10)


@pytest.mark.parametrize(
    "answer", [VERSION, "04 51 00 01 00 AA 0F", ASK, "", VERSION + "04 51 00 01 00 AA 0F"]
)
def test_a_report_without_the_version_after_it_is_not_believed(answer):
    with pytest.raises(ValueError, match="expected a report"):
        parse_state(bytes.fromhex(answer))


def test_exactly_these_bytes_are_on_the_line():
    script = (
        ("04 11 01 00 00 EA 0F", "04 51 00 01 00 AA 0F"),
        (ASK, "04 51 01 01 00 A9 0F" + VERSION),
        ("04 12 01 00 00 E9 0F", "04 51 01 00 00 AA 0F"),
        (ASK, "04 51 00 00 00 AB 0F" + VERSION),
        ("04 41 01 00 05 B5 0F", "04 51 00 01 01 A9 0F"),
        (ASK, "04 51 01 01 01 A8 0F" + VERSION),
    )
    with Wire(*script) as wire:
        driver = K8090Driver(SerialPort(wire.path, 19200, LeapingClock()))
        driver.open()
        assert driver.set(1, True) is True
        assert driver.set(1, False) is True
        assert driver.pulse(1, 5.0) is True
        driver.close()
        questions = [question for question, _ in script]
        assert wire.carried(*questions) == sent(*questions)


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.5, 65536.0])
def test_a_pulse_the_card_cannot_make_is_refused_and_not_rounded(seconds):
    driver = make_driver(GateConfig(protocol="k8090"), "/dev/null", SystemClock())
    assert not driver.capabilities.pulse.fits(seconds)
    with pytest.raises(ValueError, match="cannot make a pulse"):
        driver.pulse(1, seconds)


def test_a_long_pulse_is_two_bytes():
    with Wire(("04 41 02 01 2C 8C 0F", ""), (ASK, "04 51 00 02 02 A7 0F" + VERSION)) as wire:
        driver = K8090Driver(SerialPort(wire.path, 19200, LeapingClock()))
        driver.open()
        assert driver.pulse(2, 300.0) is True
        driver.close()
        assert wire.carried("04 41 02 01 2C 8C 0F", ASK) == sent("04 41 02 01 2C 8C 0F", ASK)


def test_a_ninth_relay_is_refused():
    with pytest.raises(Misconfigured, match="has 8 relays"):
        make_driver(GateConfig(protocol="k8090", channels=16, channel=9), "/dev/null", SystemClock())


@pytest.fixture
def board(make_board):
    return make_board("sim:k8090?self_powered=1&baud=115200")


@pytest.fixture
def driver(board, open_driver):
    return open_driver(board, protocol="k8090")


def test_a_pulse_ends_by_itself_after_an_unplug(board, driver):
    assert driver.pulse(1, 1.0) is True
    board.unplug()
    assert board.relays[0] is True
    assert board.wait_for(lambda b: b.relays[0] is False, DEADLINE_S)


def test_a_pulse_of_a_relay_that_does_not_move_is_seen(board, driver):
    board.stuck = {1}
    assert driver.pulse(1, 1.0) is False


def test_a_pulse_whose_answer_is_lost_is_not_sent_again(board, driver):
    board.silent = True
    assert driver.pulse(1, 1.0) is None
    assert board.received().count(bytes.fromhex("04 41")) == 1
    board.silent = False
    assert driver.read_output(1) is True


def test_an_off_ends_a_pulse_for_good(board, driver):
    driver.pulse(1, 1.0)
    assert driver.set(1, False) is True
    assert driver.set(1, True) is True
    driver.pulse(2, 1.0)
    assert board.wait_for(lambda b: b.relays[1] is False, DEADLINE_S)
    assert driver.read_output(1) is True


def test_a_report_nobody_asked_for_is_not_taken_for_an_answer(board, driver):
    """A button on the card was pressed: an old report is still in the buffer."""
    board.say(bytes.fromhex("04 51 00 01 00 AA 0F"))
    assert board.wait_for(lambda b: any(entry.direction == "tx" for entry in b.log), DEADLINE_S)
    assert driver.read_output(1) is False


def test_the_card_with_timers_ends_the_pulse_itself(bench):
    board = bench.board("sim:k8090")
    bench.service(board.link, mode="pulse", pulse_s=1.0, protocol="k8090")
    bench.decide("d1")
    bench.wait_for(DoorUnlocked, decision_id="d1")
    assert bytes.fromhex("04 41 01 00 01 B9 0F") in board.received()
