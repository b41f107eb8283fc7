"""Bytes of the LCUS protocol, against the table of docs/reference/relay-boards.md 1.2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.gate.drivers.lcus import CRLF_FRAME_GAP_S, command_frame, parse_state_frame, parse_text_status
from edged.gate.sim.lcus import LcusFirmware


@pytest.mark.parametrize(
    ("channel", "op", "frame"),
    [
        (1, 0, "A0 01 00 A1"),
        (2, 0, "A0 02 00 A2"),
        (1, 1, "A0 01 01 A2"),
        (2, 1, "A0 02 01 A3"),
        (1, 2, "A0 01 02 A3"),
        (2, 2, "A0 02 02 A4"),
        (1, 3, "A0 01 03 A4"),
        (2, 3, "A0 02 03 A5"),
        (1, 5, "A0 01 05 A6"),
        (2, 5, "A0 02 05 A7"),
    ],
)
def test_frames_are_those_of_the_table(channel, op, frame):
    assert command_frame(channel, op) == bytes.fromhex(frame)


def test_boards_that_want_it_get_cr_lf_after_the_frame():
    assert command_frame(1, 1, crlf=True) == bytes.fromhex("A0 01 01 A2 0D 0A")


def test_a_state_frame_tells_the_state():
    assert parse_state_frame(bytes.fromhex("A0 01 01 A2"), channel=1) is True
    assert parse_state_frame(bytes.fromhex("A0 02 00 A2"), channel=2) is False


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "A0 01 01",
        "A0 01 01 A3",
        "A0 02 01 A3",
        "A0 01 02 A3",
        "55 A0 01 01",
        "A0 01 01 A2 00",
        "FF FF FF FF",
    ],
)
def test_anything_else_is_no_state_frame(answer):
    with pytest.raises(ValueError, match="expected A0 01"):
        parse_state_frame(bytes.fromhex(answer), channel=1)


@pytest.mark.parametrize(
    ("text", "relays"),
    [
        (b"CH1: OFF\r\n", (False,)),
        (b"CH1: ON \r\nCH2: OFF\r\n", (True, False)),
        (b"CH1:ON\nCH2:OFF\n", (True, False)),
    ],
)
def test_a_text_status_has_one_line_per_channel(text, relays):
    assert parse_text_status(text) == relays


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"CH1: O",
        b"CH1: ON \r\nCH2: OF",
        b"H1: ON \r\nCH2: OFF\r\n",
        b"CH2: ON \r\nCH1: OFF\r\n",
        b"CH1: ON \r\nCH1: ON \r\n",
        b"\x55CH1: ON \r\n",
        b"CH1: ONOFF\r\n",
        b"OK\r\n",
    ],
)
def test_a_damaged_text_status_is_not_believed(text):
    with pytest.raises(ValueError, match=r"expected lines|not numbered"):
        parse_text_status(text)


@given(st.binary(max_size=120))
def test_noise_is_refused_and_nothing_else_happens(noise):
    try:
        relays = parse_text_status(noise)
    except ValueError:
        return
    assert 1 <= len(relays) <= 8


@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_driver_and_simulated_firmware_agree_on_the_text_status(relays):
    firmware = LcusFirmware(relays, lambda channel, on: None, feedback=False, crlf=False)
    assert [parse_text_status(answer) for answer in firmware.feed(b"\xff")] == [tuple(relays)]


@given(st.integers(1, 8), st.sampled_from([2, 3, 5]), st.booleans())
def test_driver_and_simulated_firmware_agree_on_state_frames(channel, op, was_on):
    relays = [was_on] * 8

    def switch(number: int, on: bool) -> None:
        relays[number - 1] = on

    firmware = LcusFirmware(relays, switch, feedback=True, crlf=False)
    (answer,) = firmware.feed(command_frame(channel, op))
    assert parse_state_frame(answer, channel) is {2: False, 3: True, 5: was_on}[op]
    assert relays[channel - 1] is {2: False, 3: True, 5: was_on}[op]


def test_the_simulated_firmware_waits_for_the_rest_of_a_frame_and_ignores_a_wrong_sum():
    seen = []
    firmware = LcusFirmware(
        [False], lambda channel, on: seen.append((channel, on)), feedback=False, crlf=False
    )
    firmware.feed(bytes.fromhex("55 A0 01"))
    firmware.feed(bytes.fromhex("01 A2 A0 01 00 77"))
    assert seen == [(1, True)]


def test_a_board_that_wants_cr_lf_gets_it_and_a_pause_between_frames(make_board, open_driver):
    board = make_board("sim:lcus?firmware=feedback&crlf=1&baud=115200")
    driver = open_driver(board, protocol="lcus", firmware="feedback", append_crlf=True)
    sent_s = []
    for on in (True, False):
        assert driver.set(1, on) is True
        sent_s.append(driver.written_s)
    assert board.received() == bytes.fromhex("A0 01 03 A4 0D 0A A0 01 02 A3 0D 0A")
    assert sent_s[1] - sent_s[0] >= CRLF_FRAME_GAP_S
