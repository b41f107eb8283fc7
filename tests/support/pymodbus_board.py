"""Modbus relay boards that pymodbus plays, on a line of two ptys: judges our commands. No test is here."""

from __future__ import annotations

import asyncio
import os
import select
import struct
import threading
import tty
from collections.abc import Sequence

from gate_bench import DEADLINE_S
from pymodbus.pdu.bit_message import WriteSingleCoilRequest, WriteSingleCoilResponse
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice


class Cable:
    """Two ptys joined byte by byte: one end for the board, one for us."""

    def __init__(self) -> None:
        self._ends = [os.openpty(), os.openpty()]
        self._stop_r, self._stop_w = os.pipe()
        for _, slave in self._ends:
            tty.setraw(slave)
        self.board_end, self.host_end = (os.ttyname(slave) for _, slave in self._ends)
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def _carry(self) -> None:
        one, other = self._ends[0][0], self._ends[1][0]
        while True:
            ready, _, _ = select.select([one, other, self._stop_r], [], [])
            if self._stop_r in ready:
                return
            for fd in ready:
                os.write(other if fd == one else one, os.read(fd, 256))

    def close(self) -> None:
        os.write(self._stop_w, b"x")
        self._thread.join()
        for fd in [self._stop_r, self._stop_w, *self._ends[0], *self._ends[1]]:
            os.close(fd)


class WaveshareCoil(WriteSingleCoilRequest):
    """Write single coil with the maker's flash range, which pymodbus does not know: the value is kept.

    `flashed`: coil and value of every flash; `written`: address, coil and state of every other write.
    """

    flashed: list[tuple[int, int]] = []  # noqa: RUF012 - pymodbus makes one object per request
    written: list[tuple[int, int, bool]] = []  # noqa: RUF012

    def decode(self, data: bytes) -> None:
        self.address, self.value = struct.unpack(">HH", data[:4])
        self.bits = [bool(self.value)]

    async def datastore_update(self, context, device_id):
        if self.address < 0x0200:
            self.written.append((device_id, self.address, bool(self.value)))
            return await super().datastore_update(context, device_id)
        self.flashed.append((self.address, self.value))
        await context.async_setValues(device_id, self.function_code, self.address - 0x0200, [True])
        answer = FlashAnswer(address=self.address, dev_id=self.dev_id, transaction_id=self.transaction_id)
        answer.value = self.value
        return answer


class FlashAnswer(WriteSingleCoilResponse):
    """Its echo."""

    value = 0

    def encode(self) -> bytes:
        return struct.pack(">HH", self.address, self.value)


class PymodbusBoards:
    """Boards with 8 coils, 8 inputs and the input modes, served by pymodbus in a thread.

    Args:
        port: their end of the line.
        addresses: of the boards on it.
        inputs: what each of them reads at its inputs.
    """

    def __init__(self, port: str, addresses: Sequence[int], inputs: Sequence[bool]) -> None:
        self._port = port
        self._devices = [
            SimDevice(
                address,
                simdata=(
                    [SimData(0, values=[False] * 8, datatype=DataType.BITS)],
                    [SimData(0, values=list(inputs), datatype=DataType.BITS)],
                    [SimData(0x1000, values=[0] * 8, datatype=DataType.REGISTERS)],
                    [SimData(0, values=[0], datatype=DataType.REGISTERS)],
                ),
            )
            for address in addresses
        ]
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(DEADLINE_S)

    async def _serve(self) -> None:
        self._server = ModbusSerialServer(
            self._devices, port=self._port, baudrate=9600, custom_pdu=[WaveshareCoil]
        )
        await self._server.serve_forever(background=True)
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._stop.wait()
        await self._server.shutdown()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(DEADLINE_S)
