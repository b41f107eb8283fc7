"""`edged gate` on simulated boards and on ptys that stand for real ones. Signals need a real process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
from command_line import Ended, run_edged, run_process, surroundings
from gate_bench import DEADLINE_S, GateBench
from places import PROJECT
from processes import start_process

ENTRY = [sys.executable, "-c", "from edged.cli import main; main()", "gate"]


@pytest.fixture
def bench():
    with GateBench() as made:
        yield made


@pytest.fixture
def write(tmp_path):
    def _write(**gate: object) -> str:
        path = tmp_path / "edged.yaml"
        path.write_text("gate: " + json.dumps({k: str(v) if k == "port" else v for k, v in gate.items()}))
        return str(path)

    return _write


def gate(*arguments: str, answers: str = "") -> Ended:
    return run_edged("gate", *arguments, answers=answers)


def steps_of(done: Ended) -> dict[str, str]:
    return {step["step"]: step["outcome"] for step in json.loads(done.stdout)["steps"]}


# -- looking


def test_list_ports_answers_on_a_machine_without_any(write):
    done = gate("list-ports", "--json")
    assert done.returncode == 0
    assert isinstance(json.loads(done.stdout)["ports"], list)


def test_status_reads_the_board_and_switches_nothing(bench, write):
    board = bench.board("sim:modbus?inputs=01000000")
    board.force(1, True)
    done = gate("status", "--json", "-c", write(port=board.link, protocol="modbus"))
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["relay_on"] is True
    assert seen["inputs"] == [False, True, *[False] * 6]
    assert (seen["readback"], seen["pulse"], seen["simulated"]) == (True, "hardware", False)
    assert len(board.edges) == 1
    assert not any(frame in board.received() for frame in (b"\x01\x05", b"\x01\x0f"))


def test_status_says_why_contacts_cannot_be_read_and_shows_the_rest(write):
    done = gate("status", "--json", "-c", write(port="sim:lcus", exit_button="line:cts"))
    seen = json.loads(done.stdout)
    assert (seen["relay_on"], seen["contacts"]) == (False, None)
    assert "no lines for contacts" in seen["contacts_error"]


def test_status_is_readable_too(write):
    done = run_process("gate", "status", "-c", write(port="sim:modbus", protocol="modbus"))
    assert "relay_on          no" in done.stdout
    assert "inputs            00000000" in done.stdout


def test_watch_shows_each_change_until_it_is_told_to_end(bench, write):
    board = bench.board("sim:modbus")
    path = write(port=board.link, protocol="modbus")
    process = start_process(
        [*ENTRY, "watch", "--json", "-c", path],
        cwd=PROJECT,
        env=surroundings(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        first = json.loads(process.stdout.readline())
        assert (first["relay_on"], first["inputs"][2]) == (False, False)
        board.set_input(3, True)
        assert json.loads(process.stdout.readline())["inputs"][2] is True
        board.force(1, True)
        assert json.loads(process.stdout.readline())["relay_on"] is True
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == 0
    finally:
        process.kill()
        process.stdout.close()
    assert board.relays[0] is True


def test_watch_ends_by_itself_when_asked_to(write):
    done = gate("watch", "--for", "0.2", "--json", "-c", write(port="sim:lcus"))
    assert done.returncode == 0
    assert json.loads(done.stdout.splitlines()[0])["relay_on"] is False


# -- moving


@pytest.mark.parametrize(
    ("url", "settings", "timer"),
    [
        ("sim:modbus", {"protocol": "modbus"}, "by the board"),
        ("sim:lcus?firmware=feedback", {"firmware": "feedback"}, "by this program"),
    ],
)
def test_pulse_moves_the_relay_once_and_measures_it(bench, write, url, settings, timer):
    board = bench.board(url)
    done = gate("pulse", "--yes", "--seconds", "0.4", "--json", "-c", write(port=board.link, **settings))
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["outcome"] == "ok"
    assert timer in answer["text"]
    assert [edge.on for edge in board.edges] == [True, False]


def test_pulse_asks_before_it_opens_a_real_door(bench, write):
    board = bench.board("sim:modbus")
    path = write(port=board.link, protocol="modbus")
    refused = gate("pulse", "-c", path, answers="n\n")
    assert refused.returncode == 1
    assert "door1 will open" in refused.stderr
    assert not board.received()
    assert gate("pulse", "-c", path, answers="y\n").returncode == 0
    assert [edge.on for edge in board.edges] == [True, False]


def test_pulse_of_a_stuck_relay_fails(write):
    done = gate("pulse", "-c", write(port="sim:modbus?stuck=1", protocol="modbus"))
    assert done.returncode == 1
    assert "did not switch on" in done.stdout


@pytest.mark.parametrize("seconds", ["0", "-1", "31", "nan", "inf"])
def test_a_pulse_that_is_no_pulse_is_refused_before_anything_moves(bench, write, seconds):
    board = bench.board("sim:lcus")
    done = gate("pulse", "--yes", f"--seconds={seconds}", "-c", write(port=board.link))
    assert done.returncode == 78
    assert "Give 0.1 to 30 seconds" in done.stderr
    assert not board.received()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_pulse_that_is_broken_off_leaves_the_relay_off(bench, write, number):
    board = bench.board("sim:modbus?firmware=coils&self_powered=1")
    path = write(port=board.link, protocol="modbus", profile="coils", mode="hold")
    process = start_process(
        [*ENTRY, "pulse", "--yes", "--seconds", "20", "-c", path], cwd=PROJECT, env=surroundings()
    )
    try:
        assert board.wait_for(lambda b: b.relays[0], DEADLINE_S)
        process.send_signal(number)
        assert process.wait(DEADLINE_S) != 0
    finally:
        process.kill()
    assert [edge.on for edge in board.edges] == [True, False]


# -- the checklist


@pytest.mark.parametrize(
    ("port", "settings", "expected"),
    [
        ("sim:lcus", {}, {"inputs": "skipped"}),
        ("sim:lcus?silent=1", {}, {"off": "unsure", "on": "unsure", "pulse": "unsure", "inputs": "skipped"}),
        ("sim:modbus", {"protocol": "modbus"}, {"inputs": "unsure"}),
        ("sim:modbus?self_powered=1", {"protocol": "modbus", "profile": "coils"}, {"inputs": "skipped"}),
        ("sim:modbus", {"protocol": "dummy"}, {"inputs": "skipped", "plug": "skipped"}),
    ],
)
def test_the_checklist_of_a_good_board_has_no_failures(write, port, settings, expected):
    done = gate("test", "--yes", "--json", "-c", write(port=port, pulse_s=0.3, **settings))
    assert done.returncode == 0, done.stdout + done.stderr
    usual = dict.fromkeys(("connect", "off", "on", "pulse", "inputs", "plug"), "ok")
    assert steps_of(done) == {**usual, **expected}


def test_the_checklist_tells_whether_the_relay_holds_without_the_plug(write):
    settings = {"protocol": "modbus", "pulse_s": 0.3}
    assert (
        "STAYED ON" in gate("test", "--yes", "-c", write(port="sim:modbus?self_powered=1", **settings)).stdout
    )
    assert "drops with the plug" in gate("test", "--yes", "-c", write(port="sim:modbus", **settings)).stdout


def test_the_checklist_finds_a_stuck_relay(write):
    done = gate(
        "test", "--yes", "--json", "-c", write(port="sim:modbus?stuck=1", protocol="modbus", pulse_s=0.3)
    )
    assert done.returncode == 1
    assert steps_of(done)["on"] == "failed"
    assert json.loads(done.stdout)["ok"] is False


def test_what_a_person_sees_counts(bench, write):
    board = bench.board("sim:modbus?firmware=coils")
    path = write(port=board.link, protocol="modbus", profile="coils", pulse_s=0.3)
    done = gate("test", "--json", "-c", path, answers="y\nperhaps\ny\nn\nn\n")
    assert steps_of(done)["off"] == "ok"
    assert steps_of(done)["on"] == "failed"
    assert steps_of(done)["plug"] == "skipped"
    assert "gate.channel" in done.stdout


def test_a_checklist_whose_person_goes_away_ends_with_the_relay_off(bench, write):
    board = bench.board("sim:modbus?firmware=coils")
    done = gate("test", "-c", write(port=board.link, protocol="modbus", profile="coils"), answers="y\ny\n")
    assert done.returncode == 1
    assert "Aborted" in done.stderr
    assert [edge.on for edge in board.edges] == [True, False]


# -- several doors


@pytest.fixture
def two_doors(bench, tmp_path):
    """A board with two relays, and the file in which each is a door."""
    board = bench.board("sim:modbus?channels=2")
    door = {"port": str(board.link), "protocol": "modbus", "channels": 2, "pulse_s": 0.3}
    path = tmp_path / "two.yaml"
    gates = [{**door, "id": "lane1"}, {**door, "id": "lane2", "channel": 2}]
    path.write_text(json.dumps({"gate": gates[0], "more_gates": gates[1:]}))
    return board, str(path)


@pytest.mark.parametrize(("door", "channel"), [("lane1", 1), ("lane2", 2)])
def test_the_named_door_is_the_one_that_opens(two_doors, door, channel):
    board, path = two_doors
    done = gate("pulse", "--yes", "--json", "--door", door, "-c", path)
    assert (done.returncode, json.loads(done.stdout)["door"]) == (0, door), done.stdout + done.stderr
    assert [(edge.channel, edge.on) for edge in board.edges] == [(channel, True), (channel, False)]


def test_every_command_about_a_board_takes_the_door(two_doors):
    board, path = two_doors
    board.force(2, True)
    assert json.loads(gate("status", "--json", "--door", "lane2", "-c", path).stdout)["relay_on"] is True
    watched = gate("watch", "--for", "0", "--json", "--door", "lane1", "-c", path)
    assert json.loads(watched.stdout)["relay_on"] is False
    board.force(2, False)
    tried = json.loads(gate("test", "--yes", "--json", "--door", "lane2", "-c", path).stdout)
    assert (tried["door"], tried["ok"]) == ("lane2", True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "there are several doors; name one of lane1, lane2"),
        (["--door", "lane3"], "lane3 is not one of lane1, lane2"),
    ],
)
@pytest.mark.parametrize("command", [["status"], ["watch"], ["pulse", "--yes"], ["test", "--yes"]])
def test_without_a_door_that_exists_nothing_is_opened(two_doors, command, arguments, said):
    board, path = two_doors
    done = gate(*command, *arguments, "-c", path)
    assert done.returncode == 2
    assert said in done.stderr
    assert not board.received()


def test_the_only_door_may_be_named(write):
    path = write(port="sim:lcus", id="front")
    assert gate("status", "--door", "front", "-c", path).returncode == 0
    assert gate("status", "--door", "back", "-c", path).returncode == 2


# -- what goes wrong


@pytest.mark.parametrize(
    "command", [["status"], ["watch", "--for", "1"], ["pulse", "--yes"], ["test", "--yes"]]
)
def test_a_port_the_daemon_holds_is_refused_and_says_how_to_get_it(bench, write, command):
    board = bench.board("sim:modbus")
    bench.service(board.link, protocol="modbus")
    done = gate(*command, "-c", write(port=board.link, protocol="modbus"))
    assert done.returncode == 69
    assert "used by another program" in done.stderr
    assert "systemctl stop edged" in done.stderr
    assert not board.edges


@pytest.mark.parametrize("command", [["status"], ["pulse", "--yes"], ["test", "--yes"]])
def test_a_port_that_is_not_there_says_so(write, command):
    done = gate(*command, "-c", write(port="/dev/serial/by-id/nothing"))
    assert done.returncode == 75
    assert "is not there" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["stauts"], 2), (["pulse", "--seconds", "long"], 2), (["watch", "--for", "-1"], 2), ([], 2)],
)
def test_a_wrong_command_line_is_wrong_usage(arguments, code):
    done = gate(*arguments)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_a_configuration_that_is_wrong_is_said_as_everywhere(write):
    done = run_process("gate", "status", "-c", write(port="sim:modbsu"))
    assert done.returncode == 78
    assert "Did you mean 'modbus'?" in done.stderr
