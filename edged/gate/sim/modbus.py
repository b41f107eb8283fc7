"""The firmware of a simulated Modbus RTU relay board (docs/reference/relay-boards.md 1.8).

Written against the register tables on its own, not with the driver's code. Variants: `waveshare` (coils,
flash, inputs, input modes), `coils` (coils only), `fc06` (relays as registers, timed by the board).
"""

from __future__ import annotations

import struct

from edged.gate.sim.firmware import Electronics, spoil_last_byte
from edged.gate.sim.url import BoardKind, SimUrl

KIND = BoardKind(firmwares=("waveshare", "coils", "fc06"), inputs=8)

NO_FUNCTION, NO_ADDRESS, NO_VALUE = 1, 2, 3
HALF_FRAME_S = 0.05
"""Seconds after which half a frame is forgotten; a real board waits for 3.5 characters of silence."""
SOFTWARE_VERSION = 200


def make(url: SimUrl, board: Electronics) -> ModbusFirmware:
    """The firmware as the URL wants it."""
    return ModbusFirmware(board, variant=url.firmware, address=url.address)


class _Refusal(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class ModbusFirmware:
    """Takes bytes, moves relays, gives answers.

    Attributes:
        address: may be changed by a command, as on the real board.
        input_modes: `waveshare`: registers 1000 hex and up; 0: the input moves no relay.
    """

    def __init__(self, board: Electronics, *, variant: str, address: int) -> None:
        self._board = board
        self._functions = {
            "waveshare": {
                1: self._read_coils,
                2: self._read_inputs,
                3: self._read_settings,
                5: self._write_coil,
                6: self._write_setting,
                15: self._write_coils,
            },
            "coils": {1: self._read_coils, 5: self._write_coil, 15: self._write_coils},
            "fc06": {3: self._read_relays, 6: self._write_relay},
        }[variant]
        self._can_flash = variant == "waveshare"
        self._waiting = b""
        self.address = address
        self.input_modes = [0] * len(board.inputs)

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; returns the answers in order."""
        self._waiting += data
        answers = []
        while len(self._waiting) >= 8:
            size = 9 + self._waiting[6] if self._waiting[1] == 15 else 8
            if len(self._waiting) < size:
                break
            request, self._waiting = self._waiting[:size], self._waiting[size:]
            if _crc(request[:-2]) != request[-2:]:
                self._waiting = b""  # no frame begins here: ignore all until the next silence
            elif request[0] in (0, self.address):
                answer = self._obey(request[1:-2])
                if request[0]:
                    answers.append(bytes([request[0]]) + answer)
        if self._waiting:
            self._board.later("half a frame", HALF_FRAME_S, self._forget_half)
        else:
            self._board.cancel("half a frame")
        return [answer + _crc(answer) for answer in answers]

    def reset(self) -> None:
        """Power-on: forget half a frame."""
        self._waiting = b""

    def spoil(self, answer: bytes) -> bytes:
        """The answer with a wrong check sum."""
        return spoil_last_byte(answer)

    def _forget_half(self) -> None:
        self._waiting = b""

    def _obey(self, pdu: bytes) -> bytes:
        try:
            if pdu[0] not in self._functions:
                raise _Refusal(NO_FUNCTION)
            return bytes(pdu[:1]) + self._functions[pdu[0]](pdu)
        except _Refusal as refusal:
            return bytes([pdu[0] | 0x80, refusal.code])

    # -- coils and inputs

    def _read_coils(self, pdu: bytes) -> bytes:
        return _bits(pdu, self._board.relays)

    def _read_inputs(self, pdu: bytes) -> bytes:
        return _bits(pdu, self._board.inputs)

    def _write_coil(self, pdu: bytes) -> bytes:
        target, value = struct.unpack(">HH", pdu[1:5])
        if self._can_flash and target >> 8 in (2, 4):
            self._flash(self._channel(target & 0xFF), value, on=target >> 8 == 2)
        elif self._can_flash and target == 0x00FF:
            for channel in range(1, len(self._board.relays) + 1):
                self._set(channel, _on_off(value))
        else:
            channel = self._channel(target)
            toggled = self._can_flash and value == 0x5500
            self._set(channel, not self._board.relays[channel - 1] if toggled else _on_off(value))
        return pdu[1:5]

    def _write_coils(self, pdu: bytes) -> bytes:
        first, count, size = struct.unpack(">HHB", pdu[1:6])
        if not count or size != (count + 7) // 8 or len(pdu) != 6 + size:
            raise _Refusal(NO_VALUE)
        self._channel(first + count - 1)
        for i in range(count):
            self._set(first + i + 1, bool(pdu[6 + i // 8] >> i % 8 & 1))
        return pdu[1:5]

    def _flash(self, channel: int, tenths: int, *, on: bool) -> None:
        if not 1 <= tenths <= 0x7FFF:
            raise _Refusal(NO_VALUE)
        self._set(channel, on)
        self._board.later(channel, tenths / 10, lambda: self._board.switch(channel, not on))

    # -- the board's settings

    def _read_settings(self, pdu: bytes) -> bytes:
        first, count = struct.unpack(">HH", pdu[1:5])
        settings = {0x4000: self.address, 0x8000: SOFTWARE_VERSION}
        settings.update({0x1000 + i: mode for i, mode in enumerate(self.input_modes)})
        return _registers(first, count, settings)

    def _write_setting(self, pdu: bytes) -> bytes:
        target, value = struct.unpack(">HH", pdu[1:5])
        if target == 0x4000 and 1 <= value <= 255:
            self.address = value
        elif 0 <= target - 0x1000 < len(self.input_modes):
            self.input_modes[target - 0x1000] = value
        else:
            raise _Refusal(NO_ADDRESS)
        return pdu[1:5]

    # -- relays as registers

    def _read_relays(self, pdu: bytes) -> bytes:
        first, count = struct.unpack(">HH", pdu[1:5])
        return _registers(first, count, {i: int(on) for i, on in enumerate(self._board.relays, start=1)})

    def _write_relay(self, pdu: bytes) -> bytes:
        channel, command, seconds = struct.unpack(">HBB", pdu[1:5])
        self._channel(channel - 1)
        if command in (1, 2):
            self._set(channel, command == 1)
        elif command == 3:
            self._set(channel, not self._board.relays[channel - 1])
        elif command in (5, 6):
            self._set(channel, True)
            after_s = 1 if command == 5 else seconds
            self._board.later(channel, after_s, lambda: self._board.switch(channel, False))
        else:
            raise _Refusal(NO_VALUE)
        return pdu[1:5]

    # -- relays

    def _channel(self, coil: int) -> int:
        if not 0 <= coil < len(self._board.relays):
            raise _Refusal(NO_ADDRESS)
        return coil + 1

    def _set(self, channel: int, on: bool) -> None:
        self._board.cancel(channel)
        self._board.switch(channel, on)


def _on_off(value: int) -> bool:
    if value not in (0xFF00, 0):
        raise _Refusal(NO_VALUE)
    return value == 0xFF00


def _bits(pdu: bytes, states: list[bool]) -> bytes:
    first, count = struct.unpack(">HH", pdu[1:5])
    if not count or first + count > len(states):
        raise _Refusal(NO_ADDRESS)
    number = sum(1 << i for i, on in enumerate(states[first : first + count]) if on)
    size = (count + 7) // 8
    return bytes([size]) + number.to_bytes(size, "little")


def _registers(first: int, count: int, known: dict[int, int]) -> bytes:
    if not count or any(first + i not in known for i in range(count)):
        raise _Refusal(NO_ADDRESS)
    return bytes([2 * count]) + b"".join(known[first + i].to_bytes(2, "big") for i in range(count))


def _crc(data: bytes) -> bytes:
    """CRC-16/MODBUS computed unlike the driver: polynomial 8005 over reflected bytes, low byte first."""
    register = 0xFFFF
    for byte in data:
        register ^= int(f"{byte:08b}"[::-1], 2) << 8
        for _ in range(8):
            register = (register << 1 ^ 0x8005 if register & 0x8000 else register << 1) & 0xFFFF
    return int(f"{register:016b}"[::-1], 2).to_bytes(2, "little")
