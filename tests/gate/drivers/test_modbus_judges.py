"""Our Modbus against other people's: pymodbus as board and as client, mbpoll (libmodbus) as client."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest
from pymodbus.client import ModbusSerialClient
from pymodbus_board import Cable, PymodbusBoards, WaveshareCoil

from edged.config import GateConfig
from edged.errors import NeedsOperator
from edged.events import DoorLocked, DoorUnlocked
from edged.gate.drivers.modbus import ModbusDriver
from edged.gate.drivers.registry import make_driver

# -- pymodbus as the board


@pytest.fixture
def pymodbus_port() -> Iterator[str]:
    cable = Cable()
    WaveshareCoil.flashed.clear()
    board = PymodbusBoards(cable.board_end, [1], [False, True] + [False] * 6)
    yield cable.host_end
    board.close()
    cable.close()


def test_pymodbus_as_board_understands_our_commands(real_bench, pymodbus_port):
    config = GateConfig(port=pymodbus_port, protocol="modbus")
    driver = make_driver(config, pymodbus_port, real_bench.clock)
    assert isinstance(driver, ModbusDriver)
    driver.open()
    assert driver.capabilities.inputs == 8
    assert driver.read_inputs() == (False, True, *[False] * 6)
    for channel in (1, 8):
        assert driver.read_output(channel) is False
        driver.set(channel, True)
        assert driver.read_output(channel) is True
        driver.set(channel, False)
        assert driver.read_output(channel) is False
    driver.pulse(3, 1.5)
    assert driver.read_output(3) is True
    assert WaveshareCoil.flashed == [(0x0202, 15)]
    driver.close()


def test_pymodbus_as_board_opens_and_closes_a_gate(real_bench, pymodbus_port):
    real_bench.service(pymodbus_port, protocol="modbus", profile="coils", pulse_s=0.5)
    real_bench.decide("d1")
    assert real_bench.wait_for(DoorUnlocked).acknowledged is True
    assert real_bench.wait_for(DoorLocked).acknowledged is True


def test_pymodbus_as_board_refuses_a_coil_it_has_not(real_bench, pymodbus_port):
    config = GateConfig(port=pymodbus_port, protocol="modbus", profile="coils", channels=64)
    with pytest.raises(NeedsOperator) as caught:
        make_driver(config, pymodbus_port, real_bench.clock).open()
    assert caught.value.code == "relay_refused"


# -- pymodbus as the client of our simulated board


@pytest.fixture
def client_of():
    clients = []

    def connect(board) -> ModbusSerialClient:
        client = ModbusSerialClient(str(board.link), baudrate=9600, timeout=1, retries=0)
        assert client.connect()
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


def test_pymodbus_as_client_moves_the_simulated_relays_and_reads_its_inputs(real_bench, client_of):
    board = real_bench.board("sim:modbus?inputs=00100000")
    client = client_of(board)
    assert not client.write_coil(4, True, device_id=1).isError()
    assert client.read_coils(0, count=8, device_id=1).bits == [False] * 4 + [True] + [False] * 3
    assert client.read_discrete_inputs(0, count=8, device_id=1).bits == [False, False, True] + [False] * 5
    assert not client.write_coils(0, [True] * 8, device_id=1).isError()
    assert board.relays == [True] * 8
    assert client.write_coil(8, True, device_id=1).exception_code == 2
    assert client.read_holding_registers(0x1000, count=8, device_id=1).registers == [0] * 8


def test_pymodbus_as_client_moves_the_simulated_register_relays(real_bench, client_of):
    board = real_bench.board("sim:modbus?firmware=fc06")
    client = client_of(board)
    assert not client.write_register(2, 0x0100, device_id=1).isError()
    assert board.relays[1] is True
    assert client.read_holding_registers(2, count=1, device_id=1).registers == [1]


# -- mbpoll


needs_mbpoll = pytest.mark.skipif(
    shutil.which("mbpoll") is None, reason="mbpoll is not installed (apt-get install mbpoll)"
)


def mbpoll(board, *options: str, write: tuple[str, ...] = ()) -> str:
    done = subprocess.run(
        ["mbpoll", "-m", "rtu", "-a1", "-b9600", "-Pnone", "-1", "-q", *options, str(board.link), *write],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout + done.stderr


@needs_mbpoll
def test_mbpoll_reads_and_writes_the_simulated_board(real_bench):
    board = real_bench.board("sim:modbus?inputs=10000001")
    assert "Written 1 references" in mbpoll(board, "-t", "0", "-r", "3", write=("1",))
    assert board.relays == [False, False, True, *[False] * 5]
    coils = [
        line.split()[-1]
        for line in mbpoll(board, "-t", "0", "-r", "1", "-c", "8").splitlines()
        if "[" in line
    ]
    assert coils == list("00100000")
    inputs = [
        line.split()[-1]
        for line in mbpoll(board, "-t", "1", "-r", "1", "-c", "8").splitlines()
        if "[" in line
    ]
    assert inputs == list("10000001")


@needs_mbpoll
def test_mbpoll_sees_the_exception_and_the_wrong_check_sum(real_bench):
    board = real_bench.board("sim:modbus")
    assert "Illegal data address" in mbpoll(board, "-t", "0", "-r", "9", "-c", "1")
    board.bad_sum = True
    assert "Invalid CRC" in mbpoll(board, "-t", "0", "-r", "1", "-c", "8")


@needs_mbpoll
def test_mbpoll_drives_the_simulated_register_board(real_bench):
    board = real_bench.board("sim:modbus?firmware=fc06")
    assert "Written 1 references" in mbpoll(board, "-t", "4", "-r", "2", write=("256",))  # counted from 1
    assert board.relays == [True] + [False] * 7
