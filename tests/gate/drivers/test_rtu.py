"""Bytes of Modbus RTU: makers' examples (docs/reference/relay-boards.md 1.8); what counts as an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.gate.drivers.rtu import crc16, find_answer, frame, request

MAKERS_REQUESTS = [
    # Waveshare Modbus RTU Relay
    ((1, 0x05, 0x0000, 0xFF00), "01 05 00 00 FF 00 8C 3A"),
    ((1, 0x05, 0x0000, 0x0000), "01 05 00 00 00 00 CD CA"),
    ((1, 0x05, 0x0200, 7), "01 05 02 00 00 07 8D B0"),
    ((1, 0x05, 0x0200, 5), "01 05 02 00 00 05 0C 71"),
    ((1, 0x05, 0x0201, 8), "01 05 02 01 00 08 9C 74"),
    ((1, 0x01, 0, 8), "01 01 00 00 00 08 3D CC"),
    ((1, 0x02, 0, 8), "01 02 00 00 00 08 79 CC"),
    ((0, 0x03, 0x4000, 1), "00 03 40 00 00 01 90 1B"),
    ((0, 0x06, 0x4000, 2), "00 06 40 00 00 02 1C 1A"),
    ((1, 0x03, 0x8000, 1), "01 03 80 00 00 01 AD CA"),
    ((1, 0x06, 0x1000, 0), "01 06 10 00 00 00 8D 0A"),
    # Eletechsup, LaskaKit
    ((1, 0x06, 1, 0x0100), "01 06 00 01 01 00 D9 9A"),
    ((1, 0x06, 1, 0x0200), "01 06 00 01 02 00 D9 6A"),
    ((1, 0x06, 1, 0x0605), "01 06 00 01 06 05 1B A9"),
    ((1, 0x03, 1, 1), "01 03 00 01 00 01 D5 CA"),
]
READ_8_COILS = request(0x01, 0, 8)
COIL_0_ON = request(0x05, 0, 0xFF00)


@pytest.mark.parametrize(("numbers", "expected"), MAKERS_REQUESTS)
def test_requests_are_the_makers_own_bytes(numbers, expected):
    address, *rest = numbers
    assert frame(address, request(*rest)) == bytes.fromhex(expected)


@pytest.mark.parametrize(
    "example",
    [
        "01 01 01 00 51 88",
        "01 01 01 01 90 48",
        "01 0F 00 00 00 08 54 0D",
        "01 0F 00 00 00 08 01 00 FE 95",
        "01 05 00 00 55 00 F2 9A",
        "01 05 04 00 00 05 0C F9",
    ],
)
def test_the_check_sum_is_that_of_the_makers_frames(example):
    data = bytes.fromhex(example)
    assert crc16(data[:-2]) == data[-2:]


def test_an_answer_is_found_only_when_it_is_whole():
    answer = bytes.fromhex("01 01 01 01 90 48")
    for size in range(len(answer)):
        assert find_answer(answer[:size], 1, READ_8_COILS, 3) is None
    assert find_answer(answer, 1, READ_8_COILS, 3) == bytes.fromhex("01 01 01")


def test_an_exception_is_an_answer():
    refusal = frame(1, bytes([0x81, 2]))
    assert find_answer(refusal, 1, READ_8_COILS, 3) == bytes([0x81, 2])


@pytest.mark.parametrize(
    "data",
    [
        "01 01 01 01 90 49",  # check sum
        "02 01 01 01 90 48",  # another address
        "55 AA 01 01 01 01 90 48",  # noise in front
        "01 07 01 01 90 48",  # a function nobody asked for
        "01 01 00 00 00 08 3D CC",  # the question itself, as an adapter with echo returns it
    ],
)
def test_anything_else_is_no_answer(data):
    with pytest.raises(ValueError, match=r"check sum|expected an answer"):
        find_answer(bytes.fromhex(data), 1, READ_8_COILS, 3)


@pytest.mark.parametrize(
    "older",
    [
        request(0x05, 0, 0x0000),  # off, while on is waited for
        request(0x05, 0x0200, 5),  # a flash
        bytes([0x01, 1, 0]),  # coils
        bytes([0x03, 4, 0, 0, 0, 1]),  # registers
        request(0x06, 1, 0x0100),
        bytes([0x81, 2]),
    ],
)
def test_a_late_answer_to_an_older_question_is_passed_over(older):
    data = frame(1, older) + frame(1, COIL_0_ON)
    assert find_answer(frame(1, older), 1, COIL_0_ON, 5) is None
    assert find_answer(data, 1, COIL_0_ON, 5) == COIL_0_ON


@given(st.binary(max_size=40))
def test_noise_is_refused_or_waited_for_and_never_believed(noise):
    try:
        answer = find_answer(noise, 1, READ_8_COILS, 3)
    except ValueError:
        return
    assert answer is None or crc16(b"\x01" + answer) in noise


@given(st.binary(min_size=1, max_size=20), st.data())
def test_one_turned_bit_is_always_seen(body, data):
    whole = frame(1, body)
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    damaged = bytearray(whole)
    damaged[bit // 8] ^= 1 << bit % 8
    assert crc16(bytes(damaged[:-2])) != bytes(damaged[-2:])
