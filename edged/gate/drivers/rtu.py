"""A small Modbus RTU master: frames, check sums, silences, late answers. No register maps.

Modbus RTU has no transaction number: an answer that comes after its time-out looks like the answer to the
next question of the same kind (docs/reference/relay-boards.md 1.8). So the master remembers an unanswered
question while its answer may still come, and sends no other of its kind until then, or until the board, which
answers in order, has answered a later one of another kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edged.errors import RetryLater

if TYPE_CHECKING:
    from edged.gate.board.port import SerialPort

READ_COILS, READ_INPUTS, READ_REGISTERS = 0x01, 0x02, 0x03
WRITE_COIL, WRITE_REGISTER = 0x05, 0x06
BROADCAST = 0
_READS = (READ_COILS, READ_INPUTS, READ_REGISTERS)

BITS_PER_BYTE = 11
SHORTEST_FRAME = 5
"""Address, function code, one byte, check sum: an exception."""
SILENCE_BYTES, SHORTEST_SILENCE_S = 3.5, 0.00175
"""Silence that separates frames; above 19200 baud it stays as it is (Modbus over serial line 2.5.1.1)."""
ANSWER_S = 0.3
"""A board has answered by then (docs/reference/relay-boards.md 6.2)."""
LATEST_ANSWER_S = 1.0
"""Seconds from the question after which no answer comes any more."""
QUIET_S = 0.15
"""Silence before the next exchange after a failed one, seconds."""
BROADCAST_PAUSE_S = 0.1
"""Seconds for boards to carry out a broadcast, which none of them answers."""

EXCEPTIONS = {1: "no such function", 2: "no such address", 3: "no such value", 4: "device failure"}


class ModbusRefused(Exception):
    """The board answered with an exception: it understood the request and refuses it.

    Args:
        code: Modbus exception code.
    """

    def __init__(self, function: int, code: int) -> None:
        super().__init__(f"function {function:02X} is refused: {EXCEPTIONS.get(code, 'exception')} ({code})")
        self.code = code


class AnswerPending(Exception):
    """An older question of this kind is unanswered, and its answer may still come. Nothing was sent."""


def crc16(data: bytes) -> bytes:
    """CRC-16/MODBUS, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


def frame(address: int, request: bytes) -> bytes:
    """`request` (function code and data) as it goes onto the line."""
    body = bytes([address]) + request
    return body + crc16(body)


def request(function: int, first: int, second: int) -> bytes:
    """Function code and two 16-bit numbers: the shape of every request made here."""
    return bytes([function]) + first.to_bytes(2, "big") + second.to_bytes(2, "big")


class RtuMaster:
    """Asks the boards on one line, one question at a time.

    Args:
        port: the line; opened and closed by the caller.
        strip_echo: the adapter returns every byte sent; these are expected and dropped.
    """

    def __init__(self, port: SerialPort, *, strip_echo: bool = False) -> None:
        self._port = port
        self._clock = port.clock
        self._strip_echo = strip_echo
        self._byte_s = BITS_PER_BYTE / port.baud
        self._silence_s = max(SHORTEST_SILENCE_S, SILENCE_BYTES * self._byte_s)
        self._free_at = 0.0
        self._failed = False
        self._pending: dict[bytes, float] = {}  # kind of question -> when its answer can come no more
        self.written_s: float | None = None

    def read_bits(self, address: int, function: int, first: int, count: int) -> tuple[bool, ...]:
        """Coils (01) or discrete inputs (02). Raises as `call`."""
        size = (count + 7) // 8
        answer = self.call(address, request(function, first, count), 2 + size)
        if answer[1] != size:
            raise ValueError(f"expected {size} bytes of states, got {answer[1]}")
        return tuple(bool(answer[2 + i // 8] >> i % 8 & 1) for i in range(count))

    def read_registers(self, address: int, first: int, count: int) -> tuple[int, ...]:
        """Holding registers (03). Raises as `call`."""
        answer = self.call(address, request(READ_REGISTERS, first, count), 2 + 2 * count)
        if answer[1] != 2 * count:
            raise ValueError(f"expected {2 * count} bytes of registers, got {answer[1]}")
        return tuple(int.from_bytes(answer[i : i + 2], "big") for i in range(2, 2 + 2 * count, 2))

    def write(self, address: int, function: int, target: int, value: int) -> None:
        """Write a coil (05) or a register (06). The answer says only that it was understood. See `call`."""
        command = request(function, target, value)
        if self.call(address, command, len(command)) != command:
            raise ValueError("the answer to a write is not its echo")

    def call(self, address: int, request: bytes, answer_bytes: int) -> bytes:
        """Send a request and wait for its answer.

        Args:
            answer_bytes: length of function code and data of the answer; not used for a broadcast.

        Returns:
            Function code and data of the answer; empty for a broadcast.

        Raises:
            AnswerPending: nothing was sent (reads only; absolute writes are sent whatever is pending).
            ValueError: no answer, or one that makes no sense.
            ModbusRefused: an exception answer.
            RetryLater: the port is gone.
        """
        kind = self._kind(address, request)
        doubtful = self._still_pending(kind)
        if doubtful and request[0] in _READS:
            self._port.discard_until_quiet(QUIET_S, QUIET_S)
            if self._still_pending(kind):
                raise AnswerPending
            doubtful = False
        self._wait_for_silence()
        if address == BROADCAST:
            self._send(frame(address, request))
            self._free_at = self._clock.monotonic() + BROADCAST_PAUSE_S
            return b""
        self._failed = True
        self._pending[kind] = self._clock.monotonic() + LATEST_ANSWER_S
        try:
            self._send(frame(address, request))
            answer = self._receive(address, request, answer_bytes)
        except RetryLater:
            self._pending.clear()  # the adapter is gone, and with it any held answer
            raise
        finally:
            self._free_at = self._clock.monotonic() + self._silence_s
        self._failed = False
        if not doubtful:  # boards answer in order: no older answer can come
            self._pending.clear()
        if answer[0] & 0x80:
            raise ModbusRefused(request[0], answer[1])
        return answer

    # -- the line

    def _still_pending(self, kind: bytes) -> bool:
        """Whether an unanswered question of this kind may still be answered."""
        now = self._clock.monotonic()
        self._pending = {k: until_s for k, until_s in self._pending.items() if now < until_s}
        return kind in self._pending

    def _kind(self, address: int, request: bytes) -> bytes:
        """Key shared by requests whose answers look alike."""
        return bytes([address]) + (request[:1] if request[0] in _READS else request)

    def _wait_for_silence(self) -> None:
        if self._failed:
            self._port.discard_until_quiet(QUIET_S, LATEST_ANSWER_S)
        pause_s = self._free_at - self._clock.monotonic()
        if pause_s > 0:
            self._clock.sleep(pause_s)
        self._port.discard()

    def _send(self, data: bytes) -> None:
        self.written_s = self._port.write(data)
        if self._strip_echo:
            echo = self._port.read(lambda got: len(got) >= len(data), ANSWER_S + self._byte_s * len(data))
            if echo[: len(data)] != data:
                raise ValueError(f"the adapter returned {_hex(echo)} instead of what was sent")

    def _receive(self, address: int, request: bytes, answer_bytes: int) -> bytes:
        def done(got: bytes) -> bool:
            try:
                return find_answer(got, address, request, answer_bytes) is not None
            except ValueError:
                return True

        within_s = ANSWER_S + self._byte_s * (len(request) + answer_bytes + 6)
        data = self._port.read(done, within_s)
        answer = find_answer(data, address, request, answer_bytes)
        if answer is None:
            raise ValueError(f"no whole answer: {_hex(data) or 'nothing'}")
        return answer


def find_answer(data: bytes, address: int, request: bytes, answer_bytes: int) -> bytes | None:
    """The answer to `request` in what came so far; whole answers to older requests are passed over.

    Args:
        answer_bytes: length of function code and data of the answer.

    Returns:
        Function code and data, possibly an exception; None: it is not whole yet.

    Raises:
        ValueError: this cannot become an answer.
    """
    while len(data) >= SHORTEST_FRAME:
        size = _frame_bytes(data, address, request[0], answer_bytes)
        if len(data) < size:
            return None
        whole, data = data[:size], data[size:]
        if crc16(whole[:-2]) != whole[-2:]:
            raise ValueError(f"wrong check sum in {_hex(whole)}")
        answer = whole[1:-2]
        if answer[0] == request[0] | 0x80 or (answer[0] == request[0] in _READS) or answer == request:
            return answer
    return None


def _frame_bytes(data: bytes, address: int, function: int, answer_bytes: int) -> int:
    """Length of the frame that begins `data`. Raises ValueError for noise."""
    if data[0] == address and data[1] & 0x80:
        return SHORTEST_FRAME
    if data[0] == address and data[1] == function:
        return answer_bytes + 3
    if data[0] == address and data[1] in _READS:
        return 5 + data[2]
    if data[0] == address and data[1] in (WRITE_COIL, WRITE_REGISTER):
        return 8
    raise ValueError(f"expected an answer of address {address} to function {function:02X}, got {_hex(data)}")


def _hex(data: bytes) -> str:
    return data[:16].hex(" ").upper()
