"""The life of a gate's port: loss, return, back-off, and what the daemon's watchdog is told of it."""

from __future__ import annotations

import os
from datetime import UTC

import pytest
from gate_bench import DEADLINE_S

from edged.clock import ManualClock
from edged.config import GateConfig
from edged.errors import RetryLater
from edged.events import DoorUnlocked, Event, GateConnected, GateLost
from edged.gate.board.contacts import Contacts
from edged.gate.board.relay_channel import RelayChannel
from edged.gate.controller import RETRY, GateController
from edged.gate.door.machine import Door
from edged.gate.door.model import Grant
from edged.gate.door_inputs import DoorSenses, door_rules
from edged.gate.drivers.base import Capabilities, PlainBoard
from edged.gate.drivers.registry import make_driver
from edged.gate.reports import Reports
from edged.gate.sim import SimBoard, parse_url

READABLE = [("sim:lcus?firmware=feedback", {"firmware": "feedback"}), ("sim:modbus", {"protocol": "modbus"})]


class Turns:
    """A gate controller whose turns the test makes itself; it looks after its board in each of them."""

    def __init__(self, driver, clock, config: GateConfig) -> None:
        self.events: list[Event] = []
        reports = Reports(config, clock, self.events.append)
        contacts = Contacts(config, clock, read_board=driver.read_inputs, read_lines=driver.read_inputs)
        senses = DoorSenses(config, contacts, clock, zone=UTC, order=None, on_key=reports.key_pressed)
        self.controller = GateController(
            config,
            Door(door_rules(config)),
            RelayChannel(driver, config.channel, clock),
            senses,
            reports,
            clock,
            beat_s=0.0,
            should_end=lambda: False,
        )

    def turn(self) -> bool:
        """One turn of the gate's thread; whether it would tell the watchdog that all is well."""
        self.controller.step()
        return self.controller.take_proof()


@pytest.fixture(params=READABLE, ids=["lcus", "modbus"])
def board_and_turns(request, clock):
    url, settings = request.param
    board = SimBoard(parse_url(url), clock)
    config = GateConfig(port=str(board.link), **settings)
    turns = Turns(make_driver(config, str(board.link), clock), clock, config)
    yield board, turns
    board.deaf = board.silent = False
    turns.controller.end()
    board.close()


def test_the_watchdog_is_fed_after_every_readback(board_and_turns):
    _, turns = board_and_turns
    assert turns.turn()
    assert turns.turn()


def test_the_watchdog_is_not_fed_by_a_turn_whose_readback_failed(board_and_turns):
    board, turns = board_and_turns
    assert turns.turn()
    board.silent = True
    assert not turns.turn()
    assert turns.controller.connected
    board.silent = False


def test_the_watchdog_is_not_fed_by_grants_alone(board_and_turns, clock):
    board, turns = board_and_turns
    assert turns.turn()
    board.silent = True
    now = clock.monotonic()
    turns.controller.grant(Grant(decision_id="d1", person_id="mia", expires_s=now + 2))
    assert not turns.controller.take_proof()


def test_the_watchdog_is_fed_again_once_the_loss_is_known(board_and_turns):
    """A restart of the daemon would not bring an unplugged board back."""
    board, turns = board_and_turns
    assert turns.turn()
    board.deaf = True
    while turns.controller.connected:
        turns.controller.step()
    assert [type(event) for event in turns.events if isinstance(event, GateLost)]
    assert turns.turn()


def test_a_relay_that_drops_during_fire_is_switched_on_again(clock):
    """A timer of the board may run on from the opening before, or somebody may switch it off."""
    board = SimBoard(parse_url("sim:modbus"), clock)
    config = GateConfig(port=str(board.link), protocol="modbus")
    turns = Turns(make_driver(config, str(board.link), clock), clock, config)
    try:
        turns.turn()
        turns.controller._perform(lambda now: turns.controller.door.fire(now, True))
        assert board.relays[0] is True
        board.force(1, False)
        turns.turn()
        assert board.relays[0] is True
        assert turns.controller.connected
    finally:
        turns.controller.end()
        board.close()


class Deserted(PlainBoard):
    """A port that is not there."""

    capabilities = Capabilities(readback=True)
    written_s = None

    def __init__(self) -> None:
        self.tries = 0

    def open(self) -> None:
        self.tries += 1
        raise RetryLater("not there", code="relay_port_missing")

    def close(self) -> None:
        pass

    def set(self, channel: int, on: bool) -> bool | None:
        raise RetryLater("not open", code="relay_port_lost")

    def read_output(self, channel: int) -> bool | None:
        raise RetryLater("not open", code="relay_port_lost")


def test_attempts_to_reconnect_begin_at_a_tenth_of_a_second_and_slow_down_to_two():
    clock = ManualClock()
    driver = Deserted()
    turns = Turns(driver, clock, GateConfig())
    pauses = []
    for _ in range(12):
        next_at = turns.controller.step()
        pauses.append(next_at - clock.monotonic())
        clock.advance(pauses[-1])
    assert driver.tries == 12
    assert pauses[0] == pytest.approx(RETRY.first_s)
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(RETRY.longest_s)
    assert len(turns.events) == 1  # said once


def test_no_attempt_is_made_before_its_time():
    clock = ManualClock()
    driver = Deserted()
    turns = Turns(driver, clock, GateConfig())
    turns.controller.step()
    clock.advance(RETRY.first_s / 2)
    turns.controller.step()
    assert driver.tries == 1


def test_the_name_below_by_id_is_followed_to_whatever_device_it_means_now(bench, tmp_path):
    """The same board comes back as another /dev/ttyUSB…: its name is resolved anew at every attempt."""
    name = tmp_path / "usb-1a86_USB_Serial-if00-port0"
    first = bench.board("sim:modbus")
    second = bench.board("sim:modbus")
    name.symlink_to(os.path.realpath(first.link))
    service = bench.service(name, protocol="modbus")
    first.unplug()
    bench.wait_for(GateLost)
    name.unlink()
    name.symlink_to(os.path.realpath(second.link))
    bench.wait_for(GateConnected, count=2)
    bench.wait_until(lambda: service.ready)
    bench.decide("d1")
    bench.wait_for(DoorUnlocked)
    assert second.wait_for(lambda b: bool(b.edges), DEADLINE_S)
    assert not first.edges


@pytest.mark.parametrize(("url", "settings"), READABLE)
def test_nothing_is_granted_before_the_relay_was_read_and_switched_off(bench, url, settings):
    board = bench.board(f"{url}{'&' if '?' in url else '?'}self_powered=1")
    board.force(1, True)
    board.stuck = {1}
    service = bench.service(board.link, wait_until_ready=False, **settings)
    assert bench.wait_for(GateLost).code == "relay_stuck"
    assert not service.ready
    assert bench.seen(GateConnected) == []
    board.stuck = set()
    assert bench.wait_for(GateConnected).relay_was_on is True
    assert board.relays[0] is False
