"""`edged door` against a running daemon: what it says, what it does, its exit codes, and what is recorded."""

from __future__ import annotations

import json
import threading

import pytest
from command_line import run_edged

from edged.app.daemon import Daemon
from edged.clock import SystemClock
from edged.config import Config
from edged.events import DoorStateChanged, DoorUnlocked, Event, GateAlarmRaised, GateConnected
from edged.journal import JournalReader, journal_path

DEADLINE_S = 30.0


class Box:
    """A daemon with two doors, and what it published."""

    def __init__(self, config: Config) -> None:
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self.daemon = Daemon(config, SystemClock())
        self.daemon.bus.subscribe(Event, self._take, name="test", capacity=1000)
        self.daemon.start()
        for gate in config.gates:
            self.wait_for(GateConnected, door_id=gate.id)

    def _take(self, event: Event) -> None:
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def wait_for(self, kind: type[Event], **fields: object) -> Event:
        def found() -> list[Event]:
            return [
                event
                for event in self._events
                if isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items())
            ]

        with self._changed:
            assert self._changed.wait_for(found, DEADLINE_S), f"no {kind.__name__} {fields}"
            return found()[0]


@pytest.fixture
def config(tmp_path):
    return Config.model_validate(
        {
            "data_dir": str(tmp_path / "data"),
            "gate": {"id": "front", "port": "sim:modbus", "protocol": "modbus", "tamper": "board:2,nc"},
            "more_gates": [{"id": "back", "protocol": "dummy"}],  # never lost on a busy machine
        }
    )


@pytest.fixture
def box(config):
    made = Box(config)
    yield made
    made.daemon.stop()


@pytest.fixture
def door(config):
    return lambda *arguments: run_edged("door", *arguments, "--data-dir", config.data_dir)


def test_without_a_daemon_it_says_so(door, config):
    config.data_dir.mkdir()
    code, out, err = door("status")
    assert (code, out) == (69, "")
    assert "No edged is running" in err


def test_status_tells_state_mode_board_contacts_and_alarms(box, door):
    code, out, _ = door("status")
    assert code == 0
    assert "front: locked, relay off" in out
    assert "back: locked, relay off" in out
    assert "mode      normal by schedule" in out
    box.wait_for(GateAlarmRaised, code="tamper")
    _, out, _ = door("status", "front")
    assert "ALARM     tamper" in out
    assert "lasts, not acknowledged" in out
    code, out, _ = door("status", "front", "--json")
    (status,) = json.loads(out)["doors"]
    assert (status["door"], status["contacts"]) == ("front", {"tamper": True})


def test_open_opens_once_and_the_journal_knows_who(box, door, config):
    code, out, _ = door("open", "back", "--by", "Mia Ek")
    assert code == 0
    assert "back: opened for one person" in out
    box.wait_for(DoorUnlocked, door_id="back")
    journal = JournalReader.open_readonly(journal_path(config.data_dir))
    (record,) = journal.list(event="door_ordered")
    assert (record.payload["action"], record.payload["by"], record.door_id) == ("open", "Mia Ek", "back")
    assert isinstance(record.payload["uid"], int)
    assert record.payload["user"]
    journal.close()
    listed = run_edged("records", "list", "--event", "door_ordered", "--data-dir", config.data_dir)
    assert f"open back, {record.payload['user']} (Mia Ek)" in listed.stdout


def test_an_order_that_is_refused_says_why_and_ends_with_a_code(box, door):
    assert door("open")[0] == 78, "which door?"
    assert door("open", "side")[0] == 66
    assert door("free", "front")[0] == 69
    assert door("lock", "front", "--for", "soon")[0] == 78
    assert door("lock", "back")[0] == 0
    code, _, err = door("open", "back")
    assert code == 69
    assert "locked down" in err
    assert "edged door normal" in err


def test_a_door_is_locked_freed_and_set_back(box, door):
    code, out, _ = door("lock", "--all", "--by", "guard")
    assert code == 0
    assert out.count("locked down") == 2
    _, out, _ = door("free", "front", "--for", "30m")
    assert "front: free for everybody until 20" in out
    box.wait_for(DoorStateChanged, door_id="front", state="free")
    _, out, _ = door("normal", "--all")
    assert out.count("open to those who are granted") == 2


def test_alarms_are_acknowledged_by_name(box, door):
    box.wait_for(GateAlarmRaised, code="tamper")
    _, out, _ = door("ack", "front", "--by", "guard")
    assert out == "front: acknowledged: tamper\n"
    _, out, _ = door("ack", "front")
    assert "no alarm" in out
    assert "seen by guard" in door("status", "front")[1]


def test_a_lock_down_stands_after_a_restart(box, door, config):
    door("lock", "back", "--for", "1h")
    box.daemon.stop()
    again = Box(config)
    try:
        status = json.loads(door("status", "back", "--json")[1])["doors"][0]
        assert (status["mode"], status["mode_by"]) == ("locked", "order")
    finally:
        again.daemon.stop()
