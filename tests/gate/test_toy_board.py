"""A relay board is added by one driver file, one simulator file and one line in the registry, and no more."""

from __future__ import annotations

import pytest
from command_line import run_edged
from gate_bench import moved
from serial.tools.list_ports_common import ListPortInfo

from edged.config import GateConfig
from edged.config.advice import summary
from edged.config.export import json_schema
from edged.config.fields import keys
from edged.config.load import parse_config
from edged.config.problems import ConfigProblems
from edged.events import DoorUnlocked, GateConnected
from edged.gate.commissioning.ports import find_ports
from edged.gate.drivers.registry import DRIVERS

TOY = b"gate: {protocol: toy, port: 'sim:toy'}\n"


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    """The line in the registry."""
    monkeypatch.setitem(DRIVERS, "toy", "toy_board")
    keys.cache_clear()
    yield
    keys.cache_clear()


def test_the_configuration_takes_its_protocol_and_its_firmware():
    config, _ = parse_config(b"gate: {protocol: toy, port: 'sim:toy', firmware: tin}\n", "x")
    assert (config.gate.protocol, config.gate.firmware) == ("toy", "tin")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("protocol: toi", "did you mean toy? Choices: lcus, "),
        ("protocol: toy, firmware: steel", "Choices: basic, feedback, wood, tin"),
        ("protocol: toy, firmware: feedback", "firmware (feedback) is not of a toy board: wood, tin"),
        ("protocol: lcus, firmware: tin", "firmware (tin) is not of a lcus board: basic, feedback"),
        ("protocol: toy, board_inputs: 3, fire: board:4", "a toy board has 3 inputs here; see board_inputs"),
        ("protocol: toy, board_inputs: 9, fire: board:4", "a toy board has 3 inputs here; see board_inputs"),
    ],
)
def test_mistakes_about_it_are_explained_as_for_any_board(settings, message):
    with pytest.raises(ConfigProblems) as mistake:
        parse_config(f"gate: {{{settings}}}\n".encode(), "x")
    assert message in str(mistake.value)


def test_two_of_them_with_addresses_of_their_own_share_a_line():
    first, second = b"protocol: toy, port: /dev/x", b"id: b, protocol: toy, port: /dev/x, address: 2"
    config, _ = parse_config(b"gate: {%b}\nmore_gates: [{%b}]\n" % (first, second), "x")
    assert summary(config)["gate 2"].startswith("b: toy board 2 at /dev/x")


def test_the_schema_for_editors_and_people_names_it():
    gate = json_schema()["$defs"]["GateConfig"]["properties"]
    assert gate["protocol"]["enum"][-1] == "toy"
    assert gate["address"]["description"].startswith("modbus, dcon, toy:")
    assert gate["board_inputs"]["description"].startswith("numato (to 16), dcon (to 8), toy (to 3):")
    assert keys()["gate", "protocol"].allowed.endswith(", toy")


def test_check_describes_it(tmp_path):
    file = tmp_path / "edged.yaml"
    file.write_bytes(TOY + f"data_dir: {tmp_path}\n".encode())
    done = run_edged("check", "-c", file)
    assert done.returncode == 0
    assert "door1: toy board 1 at sim:toy, relay 1, pulse 0.5 s" in done.stdout + done.stderr


def test_settings_that_it_does_not_read_are_remarked_on(tmp_path):
    file = tmp_path / "edged.yaml"
    file.write_bytes(TOY.replace(b"}", b", checksum: true, mode: hold}") + f"data_dir: {tmp_path}\n".encode())
    done = run_edged("check", "-c", file)
    output = " ".join((done.stdout + done.stderr).split())
    assert "checksum: has no effect with protocol toy" in output
    assert "this board cannot end the on-time itself" in output


def test_its_usb_id_suggests_it(tmp_path):
    info = ListPortInfo("/dev/ttyACM0", skip_link_detection=True)
    info.vid, info.pid = 0x1209, 0x0001
    (seen,) = find_ports([info], by_id=tmp_path, by_path=tmp_path)
    assert (seen.known.boards, seen.known.protocols) == ("Toy board", ("toy",))
    assert seen.known.remark == "Not for children."


def test_a_grant_moves_its_relay(bench):
    board = bench.board("sim:toy")
    bench.service(board.link, protocol="toy", pulse_s=0.1)
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked).acknowledged
    assert moved(board, True, False)


def test_the_gate_plays_it_by_itself(bench):
    bench.service("sim:toy?stuck=1", protocol="toy", wait_until_ready=False)
    assert bench.wait_for(GateConnected).protocol == "toy"


def test_it_is_gone_with_its_line(monkeypatch):
    monkeypatch.delitem(DRIVERS, "toy")
    with pytest.raises(ValueError, match="literal_error"):
        GateConfig(protocol="toy")
