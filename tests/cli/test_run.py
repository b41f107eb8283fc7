"""`edged run` as systemd and other programs see it: the relay's bytes, signals, locks, missing hardware."""

import json
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import tty

import pytest
from command_line import run_edged
from processes import start_process
from tiers import slow_but

from edged.clock import SystemClock
from edged.ops.lock import lock_data_dir

OFF, ON = bytes.fromhex("A00100A1"), bytes.fromhex("A00101A2")
DEADLINE_S = 60.0


class Judge:
    """A relay board of another make: a bare pty that only keeps what it is sent, with the time."""

    def __init__(self, link):
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self._link = link
        link.symlink_to(os.ttyname(self._slave))
        self.received = bytearray()
        self._changed = threading.Condition()
        self._wake_r, self._wake_w = os.pipe()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while True:
            ready, _, _ = select.select([self.master, self._wake_r], [], [])
            if self._wake_r in ready:
                return
            try:
                data = os.read(self.master, 256)
            except OSError:
                return
            with self._changed:
                self.received += data
                self._changed.notify_all()

    def frames(self):
        """Relay commands in order, whatever else was on the line."""
        found, data = [], bytes(self.received)
        for at in range(len(data) - 3):
            if data[at : at + 4] in (ON, OFF):
                found.append(data[at : at + 4])
        return found

    def wait_for(self, condition):
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.frames()), DEADLINE_S), self.received.hex(
                " "
            )

    def close(self):
        self._link.unlink()  # a daemon that looks for its lost port must not find the next test's terminal
        os.write(self._wake_w, b"x")
        self._thread.join(DEADLINE_S)
        for fd in (self._slave, self.master, self._wake_r, self._wake_w):
            os.close(fd)


@pytest.fixture
def judge(tmp_path):
    judge = Judge(tmp_path / "relay")
    yield judge
    judge.close()


class Running:
    """A daemon in a process of its own, and the events of its log."""

    def __init__(self, config, **environment):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("EDGED_") and k != "NOTIFY_SOCKET"}
        self.process = start_process(
            [sys.executable, "-m", "edged", "run", "-c", str(config)],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=clean | environment,
        )
        self.events, self.rest = [], []
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stderr:
            with self._changed:
                try:
                    self.events.append(json.loads(line))
                except ValueError:
                    self.rest.append(line)
                self._changed.notify_all()

    def wait_for(self, event, **fields):
        def found():
            return [e for e in self.events if e["event"] == event and fields.items() <= e.items()]

        with self._changed:
            assert self._changed.wait_for(found, DEADLINE_S), (self.events, self.rest)
            return found()[0]

    def stop(self, number=signal.SIGTERM):
        """The exit status."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)


def settings(camera, port):
    """A configuration with relative data. A photograph is no living face; 4 frames a second are enough."""
    return (
        f"data_dir: data\ncamera: {{source: '{camera}', fps: 4}}\ngate: {{port: '{port}'}}\n"
        "vision: {liveness: {mode: 'off'}}\nlog: {format: json, level: debug}\n"
    )


@pytest.fixture
def start(tmp_path):
    running = []

    def start(camera="/dev/video99", port="relay", **environment):
        config = tmp_path / "edged.yaml"
        address = port if ":" in port else tmp_path / port
        config.write_text(settings(camera, address))
        running.append(Running(config, **environment))
        return running[-1]

    yield start
    for daemon in running:
        daemon.process.kill()
        daemon.process.wait(DEADLINE_S)


@pytest.fixture
def with_people(tmp_path, household):
    shutil.copytree(household, tmp_path / "data")


@pytest.fixture
def configured(tmp_path):
    """Writes a configuration for `edged run` in this process."""

    def configured(camera="/dev/video99", port="sim:lcus"):
        path = tmp_path / "in-process.yaml"
        path.write_text(settings(camera, port))
        return path

    return configured


@pytest.mark.parametrize("number", slow_but([signal.SIGTERM, signal.SIGINT, signal.SIGHUP], signal.SIGTERM))
def test_a_signal_stops_the_daemon_in_order_with_the_relay_off(start, judge, number, album):
    daemon = start(camera=album)
    daemon.wait_for("gate_connected")
    daemon.wait_for("track_started")  # vision has loaded its networks, which nothing can interrupt
    assert daemon.stop(number) == 0
    assert daemon.wait_for("daemon_stopping")["reason"] == number.name
    assert judge.frames()[-1] == OFF


def test_a_grant_is_on_then_off_on_the_wire(start, judge, with_people, album):
    daemon = start(camera=album)
    judge.wait_for(lambda frames: ON in frames)
    granted = daemon.wait_for("access_decided", outcome="granted")
    assert granted["person_id"] == "jacinda_ardern"
    judge.wait_for(lambda frames: frames[-1] == OFF)
    assert judge.frames().count(ON) == 1


def test_sigterm_in_mid_pulse_switches_the_relay_off(start, judge, with_people, album):
    daemon = start(camera=album)
    judge.wait_for(lambda frames: ON in frames)
    daemon.stop()
    judge.wait_for(lambda frames: frames[-1] == OFF)


@pytest.mark.slow
def test_a_killed_daemon_opens_no_door_when_it_starts_again(start, judge, with_people, album):
    daemon = start(camera=album)
    judge.wait_for(lambda frames: ON in frames)
    daemon.process.kill()
    daemon.process.wait(DEADLINE_S)
    del judge.received[:]
    again = start(camera="/dev/video99")
    again.wait_for("gate_connected")
    again.wait_for("daemon_started")
    again.stop()
    assert ON not in judge.frames()
    assert judge.frames()[0] == OFF


def test_a_second_daemon_on_the_same_data_is_refused(configured, tmp_path):
    with lock_data_dir(tmp_path / "data", clock=SystemClock()):
        second = run_edged("run", "-c", configured())
    assert second.returncode == 69
    assert f"Another edged (pid {os.getpid()}" in second.stderr


@pytest.mark.slow
def test_a_second_daemon_on_the_same_port_is_refused(start, judge, configured, tmp_path):
    first = start()
    first.wait_for("gate_connected")
    other = {"EDGED_DATA_DIR": str(tmp_path / "other")}
    second = run_edged("run", "-c", configured(port=tmp_path / "relay"), env=other)
    assert second.returncode == 69
    assert str(tmp_path / "relay") in second.stderr
    assert first.process.poll() is None


def test_a_start_that_fails_at_its_very_end_leaves_no_thread_behind(configured, tmp_path):
    (tmp_path / "data" / "control.sock").mkdir(parents=True)
    before = set(threading.enumerate())
    ended = run_edged("run", "-c", configured())
    assert ended.returncode == 69
    assert "control socket" in ended.stderr
    for thread in set(threading.enumerate()) - before:
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


@pytest.mark.slow
def test_missing_hardware_does_not_stop_the_daemon_and_it_says_so(start):
    daemon = start(camera="/dev/video99", port="nothing-here")
    daemon.wait_for("daemon_started")
    assert "video99" in daemon.wait_for("camera_lost")["reason"]
    assert "nothing-here" in daemon.wait_for("gate_lost")["reason"]
    assert daemon.process.poll() is None
    assert daemon.stop() in (0, 1)  # 1: vision was still loading its networks


def test_without_its_board_the_door_denies(start, with_people, album):
    daemon = start(camera=album, port="nothing-here")
    denied = daemon.wait_for("access_decided", reasons=["gate_offline"])
    assert (denied["outcome"], denied["person_id"]) == ("denied", "jacinda_ardern")
    assert not [event for event in daemon.events if event.get("outcome") == "granted"]


@pytest.mark.slow
def test_systemd_is_told_when_ready_alive_and_stopping(start, judge, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(tmp_path / "notify"))
        notify.settimeout(DEADLINE_S)
        daemon = start(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="1000000")
        seen = ""
        while "WATCHDOG=1" not in seen or "READY=1" not in seen:
            seen += notify.recv(4096).decode() + "\n"
        daemon.process.terminate()
        while "STOPPING=1" not in seen:
            seen += notify.recv(4096).decode() + "\n"


def test_a_source_that_ends_ends_the_daemon(configured, portrait):
    ended = run_edged("run", "-c", configured(camera=portrait))
    assert ended.returncode == 0
    events = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [event["complete"] for event in events if event["event"] == "source_ended"] == [True]


def test_a_broken_configuration_is_told_completely_and_nothing_starts(tmp_path):
    (tmp_path / "broken.yaml").write_text("gate:\n\tport: x\n")
    broken = run_edged("run", "-c", tmp_path / "broken.yaml")
    assert broken.returncode == 78
    assert "tab" in broken.stderr
    assert not (tmp_path / "data").exists()
