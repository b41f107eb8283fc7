"""Bytes of the Devantech modules, against docs/reference/relay-boards.md 1.5."""

from __future__ import annotations

import pytest
from board_contract import answers_until_lost
from hypothesis import given
from hypothesis import strategies as st
from leaping_clock import LeapingClock
from wire import Wire, sent

from edged.clock import SystemClock
from edged.config import GateConfig
from edged.errors import Misconfigured, RetryLater
from edged.events import GateLost
from edged.gate.board.port import SerialPort
from edged.gate.drivers.base import Capabilities
from edged.gate.drivers.devantech import DevantechDriver, parse_bits, switch_byte
from edged.gate.drivers.registry import make_driver


def on_wire(wire: Wire, channel: int = 1) -> DevantechDriver:
    return DevantechDriver(SerialPort(wire.path, 9600, LeapingClock()), channel=channel)


@pytest.mark.parametrize(
    ("channel", "on", "byte"),
    [(1, True, "65"), (8, True, "6C"), (1, False, "6F"), (2, False, "70"), (8, False, "76")],
)
def test_each_relay_has_a_byte_for_on_and_one_for_off(channel, on, byte):
    assert switch_byte(channel, on) == bytes.fromhex(byte)


@pytest.mark.parametrize("channel", [0, 9])
def test_the_bytes_beside_them_switch_all_relays_and_are_never_sent(channel):
    with pytest.raises(ValueError, match="no relay"):
        switch_byte(channel, True)


def test_a_set_bit_before_the_id_is_a_relay_that_is_on():
    assert parse_bits(bytes.fromhex("81 0C 02"), module_id=12) == (True, *(False,) * 6, True)


@pytest.mark.parametrize("answer", ["", "81", "81 0C", "81 08 02", "55 81 0C", "81 0C 02 00"])
def test_bits_without_the_right_id_are_not_believed(answer):
    with pytest.raises(ValueError, match="expected a byte, 0C"):
        parse_bits(bytes.fromhex(answer), module_id=12)


@given(st.binary(max_size=6))
def test_noise_is_refused_unless_it_carries_the_id(noise):
    try:
        parse_bits(noise, module_id=9)
    except ValueError:
        return
    assert noise[1] == 9


def test_exactly_these_bytes_are_on_the_line():
    script = (
        ("5A 5A", "0C 03 0C 03"),
        ("65", ""),
        ("5B 5A", "01 0C 03"),
        ("19 5A", "80 0C 03"),
        ("6F", ""),
        ("5B 5A", "00 0C 03"),
    )
    with Wire(*script) as wire:
        driver = on_wire(wire)
        driver.open()
        assert driver.capabilities == Capabilities(readback=True, inputs=8)
        assert driver.set(1, True) is None
        assert driver.read_output(1) is True
        assert driver.read_inputs() == (*(False,) * 7, True)
        assert driver.set(1, False) is None
        assert driver.read_output(1) is False
        driver.close()
        questions = [question for question, _ in script]
        assert wire.carried(*questions) == sent(*questions)


@pytest.mark.parametrize("module_id", ["08", "09", "0A"])
def test_modules_without_contacts_are_not_asked_for_any(module_id):
    with Wire(("5A 5A", f"{module_id} 01 {module_id} 01")) as wire:
        driver = on_wire(wire)
        driver.open()
        assert driver.capabilities == Capabilities(readback=True)
        assert driver.read_inputs() is None
        driver.close()
        assert wire.carried("5A 5A") == sent("5A 5A")


@pytest.mark.parametrize(("module_id", "why"), [("0F", "latch"), ("0D", "unknown module id 13")])
def test_latching_and_unknown_modules_are_refused_by_their_id(module_id, why):
    with Wire(("5A 5A", f"{module_id} 01 {module_id} 01")) as wire:
        driver = on_wire(wire)
        with pytest.raises(Misconfigured, match=why) as refused:
            driver.open()
        driver.close()
        assert refused.value.code == "relay_wrong_board"
        assert refused.value.hint
        assert wire.carried("5A 5A") == sent("5A 5A")


def test_before_it_is_open_nothing_is_known_of_contacts():
    driver = make_driver(GateConfig(protocol="devantech"), "/dev/null", SystemClock())
    assert driver.capabilities == Capabilities(readback=True)
    driver.close()


def test_contacts_with_a_damaged_answer_are_unknown(make_board, open_driver):
    board = make_board("sim:devantech?firmware=opto88")
    driver = open_driver(board, protocol="devantech")
    board.set_input(8, True)
    assert driver.read_inputs() == (False,) * 7 + (True,)
    board.garbage = b"\x01"
    assert driver.read_inputs() is None


def test_a_latching_module_is_refused_and_nothing_is_switched(make_board, open_driver):
    board = make_board("sim:devantech?firmware=rly16l&self_powered=1")
    with pytest.raises(Misconfigured, match="latch") as refused:
        open_driver(board, protocol="devantech")
    assert refused.value.code == "relay_wrong_board"
    assert set(board.received()) == {0x5A}
    assert not board.edges


def test_a_relay_the_module_does_not_have_is_refused(make_board, open_driver):
    board = make_board("sim:devantech?firmware=rly02&channels=2")
    with pytest.raises(Misconfigured, match=r"2 relays, gate\.channel is 3"):
        open_driver(board, protocol="devantech", channel=3)
    assert not board.edges


def test_a_module_that_does_not_say_what_it_is_gets_no_commands(make_board, open_driver):
    board = make_board("sim:devantech?silent=1")
    with pytest.raises(RetryLater) as lost:
        open_driver(board, protocol="devantech")
    assert lost.value.code == "relay_no_answer"
    assert set(board.received()) == {0x5A}


def test_a_question_in_the_words_of_another_board_switches_every_relay_on_here(make_board, open_driver):
    """Why protocols are configured and never probed (docs/reference/relay-boards.md 1.5): to a Numato module
    this is a harmless question, to a Devantech its letters are commands, and `d` means all relays on."""
    board = make_board("sim:devantech")
    numato = open_driver(board, protocol="numato")
    assert numato.read_output(1) is None
    assert board.received() == b"\rrelay read 0\r"
    assert board.relays == [True] * 8


def test_a_command_in_the_words_of_another_board_moves_the_wrong_relays_here(make_board, open_driver):
    """`relay on 0` contains `e` (1 on), `l` (8 on), `o` (1 off) and `n` (all off)."""
    board = make_board("sim:devantech")
    numato = open_driver(board, protocol="numato")
    numato.set(1, True)
    assert [(edge.channel, edge.on) for edge in board.edges] == [(1, True), (8, True), (1, False), (8, False)]


@pytest.mark.parametrize("protocol", ["lcus", "kmtronic", "k8090", "dcon"])
def test_a_wrong_protocol_never_reads_a_state_out_of_this_module(make_board, open_driver, protocol):
    board = make_board("sim:devantech")
    try:
        driver = open_driver(board, protocol=protocol, firmware="feedback")
    except RetryLater as lost:
        states, code = [], lost.code
    else:
        states, code = answers_until_lost(driver)
    assert set(states) <= {None}
    assert code in ("relay_no_answer", "relay_bad_answer")


@pytest.mark.parametrize(
    "url", ["sim:lcus", "sim:kmtronic", "sim:numato", "sim:k8090", "sim:dcon", "sim:modbus"]
)
def test_this_protocol_never_believes_another_board_and_moves_nothing_there(make_board, open_driver, url):
    board = make_board(url)
    with pytest.raises(RetryLater) as lost:
        open_driver(board, protocol="devantech")
    assert lost.value.code in ("relay_no_answer", "relay_bad_answer")
    assert not board.edges


def test_a_latching_module_never_gets_into_service(bench):
    board = bench.board("sim:devantech?firmware=rly16l")
    service = bench.service(board.link, protocol="devantech", wait_until_ready=False)
    lost = bench.wait_for(GateLost)
    assert lost.code == "relay_wrong_board"
    assert "latch" in lost.reason
    assert not service.ready
    assert not board.edges
