"""Contacts wired to boards on real ptys: what they say reaches the bus, and the relay obeys."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from gate_bench import moved

from edged.clock import SystemClock
from edged.config import GateConfig
from edged.errors import NeedsOperator, RetryLater
from edged.events import (
    DirectionKeyPressed,
    DoorLocked,
    DoorStateChanged,
    DoorUnlocked,
    ExitRequested,
    GateAlarmEnded,
    GateAlarmRaised,
    GateLost,
    GrantNotExecuted,
    GrantUnused,
    PersonPassed,
)
from edged.gate.board.contacts import Contacts
from edged.gate.door.inputs import InputKind

MODBUS = {"protocol": "modbus", "profile": "waveshare"}
HOLD = {**MODBUS, "mode": "hold", "hold_s": 1.0, "min_interval_s": 0.0}


@pytest.mark.parametrize(
    ("url", "gate"),
    [
        ("sim:modbus", MODBUS),
        ("sim:dcon", {"protocol": "dcon", "channels": 4, "board_inputs": 4}),
        ("sim:numato", {"protocol": "numato", "board_inputs": 4}),
        ("sim:devantech?firmware=opto88", {"protocol": "devantech"}),
    ],
    ids=["modbus", "dcon", "numato", "devantech"],
)
def test_an_exit_button_on_any_board_with_contacts_opens_the_door(bench, url, gate):
    board = bench.board(url)
    service = bench.service(board.link, **gate, mode="hold", hold_s=0.5, exit_button="board:3")
    bench.wait_until(lambda: service.health()["contacts"]["exit_button"] is False)
    board.set_input(3, True)
    assert bench.wait_for(ExitRequested).outcome == "unlocked"
    bench.wait_for(DoorLocked, reason="time_over")
    assert moved(board, True, False)
    assert bench.seen(DoorUnlocked) == [], "that is for people with a grant"


def test_a_button_that_is_pressed_when_the_daemon_starts_opens_nothing(bench):
    board = bench.board("sim:modbus?inputs=10000000")
    service = bench.service(board.link, **HOLD, exit_button="board:1", tamper="board:3")
    bench.wait_until(lambda: service.health()["contacts"]["exit_button"] is True)
    board.set_input(3, True)
    bench.wait_for(GateAlarmRaised, code="tamper")
    assert list(board.edges) == []


def test_a_door_that_is_opened_without_a_grant_is_forced_until_it_is_closed(bench):
    board = bench.board("sim:modbus?inputs=10000000")
    service = bench.service(board.link, **HOLD, door_contact="board:1,nc")
    bench.wait_until(lambda: service.health()["contacts"]["door_contact"] is False)
    board.set_input(1, False)
    bench.wait_for(GateAlarmRaised, code="door_forced")
    board.set_input(1, True)
    bench.wait_for(GateAlarmEnded, code="door_forced")
    bench.wait_for(DoorStateChanged, previous="forced", state="locked")
    assert [alarm["active"] for alarm in service.health()["alarms"]] == [False], "it stays until it is seen"
    assert service.acknowledge("guard") == ["door_forced"]
    assert service.health()["alarms"] == []


def test_a_door_that_stands_open_at_the_start_is_open_and_not_forced(bench):
    board = bench.board("sim:modbus")
    bench.service(board.link, **HOLD, door_contact="board:1,nc", held_warn_s=0.2, held_alarm_s=0.4)
    bench.wait_for(DoorStateChanged, previous="locked", state="open")
    bench.wait_for(DoorStateChanged, state="held")
    bench.wait_for(GateAlarmRaised, code="door_held")
    assert bench.seen(GateAlarmRaised, code="door_forced") == []


def test_a_door_that_was_let_open_is_relocked_when_it_closes(bench):
    board = bench.board("sim:modbus")
    service = bench.service(board.link, **{**HOLD, "hold_s": 30.0}, door_contact="board:1")
    bench.wait_until(lambda: service.health()["contacts"]["door_contact"] is False)
    bench.decide("d1")
    bench.wait_for(DoorUnlocked)
    board.set_input(1, True)
    bench.wait_for(DoorStateChanged, previous="unlocked", state="open")
    board.set_input(1, False)
    assert bench.wait_for(DoorLocked).reason == "door_closed"
    assert moved(board, True, False)


def test_a_passage_ends_the_window_and_one_too_many_is_an_alarm(bench):
    board = bench.board("sim:modbus")
    service = bench.service(
        board.link, **MODBUS, pulse_s=0.3, passage_sensor="board:2", passage_out="board:4"
    )
    bench.wait_until(lambda: service.health()["contacts"]["passage_sensor"] is False)
    bench.decide("d1")
    bench.wait_for(DoorUnlocked)
    board.set_input(2, True)
    passed = bench.wait_for(PersonPassed)
    assert (passed.authorised, passed.decision_id, passed.person_id) == (True, "d1", "mia")
    bench.wait_for(DoorStateChanged, previous="unlocked", state="locked")
    board.set_input(2, False)
    bench.wait_until(lambda: service.health()["contacts"]["passage_sensor"] is False)
    board.set_input(2, True)
    bench.wait_for(GateAlarmRaised, code="passage_unauthorised")
    board.set_input(4, True)
    bench.wait_for(GateAlarmRaised, code="passage_reverse")
    assert [p.authorised for p in bench.seen(PersonPassed)] == [True, False, False]


def test_a_window_that_nobody_used_is_told(bench):
    board = bench.board("sim:modbus")
    bench.service(board.link, **MODBUS, pulse_s=0.2, passage_sensor="board:2", passage_window_s=0.4)
    bench.decide("d1")
    assert bench.wait_for(GrantUnused).decision_id == "d1"


def test_fire_holds_the_relay_on_and_everything_else_waits(bench):
    board = bench.board("sim:modbus?inputs=01000000")
    service = bench.service(board.link, **HOLD, fire="board:2,nc", exit_button="board:1")
    bench.wait_until(lambda: service.health()["contacts"]["fire"] is False)
    board.set_input(2, False)
    bench.wait_for(DoorStateChanged, state="fire")
    bench.decide("d1")
    assert bench.wait_for(GrantNotExecuted).code == "fire"
    assert board.relays[0]
    board.set_input(2, True)
    assert bench.wait_for(DoorLocked).reason == "fire_over"
    assert moved(board, True, False)


def test_fire_stays_fire_while_the_board_is_away_and_ends_when_the_contact_says_so(bench):
    board = bench.board("sim:modbus?inputs=10000000")
    bench.service(board.link, **HOLD, fire="board:1")
    bench.wait_for(DoorStateChanged, state="fire")
    board.unplug()
    bench.wait_for(GateLost)
    board.plug()
    bench.wait_for(DoorStateChanged, previous="offline", state="fire")
    bench.wait_until(lambda: board.relays[0])
    board.set_input(1, False)
    bench.wait_for(DoorStateChanged, previous="fire", state="locked")


def test_contacts_are_unknown_while_their_board_is_away(bench):
    board = bench.board("sim:modbus")
    service = bench.service(board.link, **HOLD, door_contact="board:1")
    board.set_input(1, True)
    bench.wait_until(lambda: service.health()["contacts"]["door_contact"] is True)
    board.unplug()
    bench.wait_until(lambda: service.health()["contacts"]["door_contact"] is None)
    board.plug()
    bench.wait_for(DoorStateChanged, count=2, previous="locked", state="open")
    assert len(bench.seen(GateAlarmRaised, code="door_forced")) <= 1, "nobody forced it the second time"


def test_keys_at_the_door_say_the_direction(bench):
    board = bench.board("sim:modbus")
    service = bench.service(board.link, **MODBUS, key_in="board:7", key_out="board:8")
    bench.wait_until(lambda: service.health()["contacts"]["key_out"] is False)
    board.set_input(8, True)
    assert bench.wait_for(DirectionKeyPressed).direction == "out"


def test_contacts_of_a_board_that_has_none_are_an_alarm_and_the_door_works_on(bench):
    board = bench.board("sim:modbus?inputs=00")
    bench.service(board.link, **MODBUS, pulse_s=0.2, exit_button="board:8")
    assert "tells nothing of its inputs" in bench.wait_for(GateAlarmRaised, code="inputs_lost").reason
    bench.decide("d1")
    bench.wait_for(DoorUnlocked)


def test_a_port_without_lines_is_an_alarm_and_the_door_works_on(bench):
    board = bench.board("sim:lcus")
    bench.service(board.link, pulse_s=0.2, exit_button="line:cts")
    assert "no lines for contacts" in bench.wait_for(GateAlarmRaised, code="inputs_lost").reason
    bench.decide("d1")
    bench.wait_for(DoorUnlocked)


def test_reading_contacts_does_not_lengthen_a_pulse_that_edged_times(bench):
    board = bench.board("sim:dcon")
    bench.service(board.link, protocol="dcon", channels=4, board_inputs=4, pulse_s=0.5, exit_button="board:1")
    for number in range(3):
        bench.decide(f"d{number}")
        bench.wait_for(DoorLocked, count=number + 1)
    assert all(400 < event.on_ms < 700 for event in bench.seen(DoorLocked))


class Lines:
    """GPIO lines as `gpio.open_inputs` gives them."""

    def __init__(self, chip: str, lines: Sequence[int | str]) -> None:
        self.asked = (chip, tuple(lines))
        self.values = [False] * len(lines)
        self.gone = False

    def read(self) -> tuple[bool, ...]:
        if self.gone:
            raise RetryLater("The chip is gone.", code="gpio_lost")
        return tuple(self.values)

    def close(self) -> None:
        pass


def no_reading() -> None:
    raise AssertionError("nothing is wired there")


def test_gpio_lines_are_read_without_the_board_and_lost_without_losing_it():
    made: list[Lines] = []

    def open_gpio(chip: str, lines: Sequence[int | str]) -> Lines:
        if made and made[-1].gone:
            raise NeedsOperator("no chip", code="gpio_chip_missing")
        made.append(Lines(chip, lines))
        return made[-1]

    config = GateConfig(door_contact="gpio:gpiochip0/17,nc", fire="gpio:gpiochip0/FIRE", debounce_s=0)
    contacts = Contacts(
        config, SystemClock(), read_board=no_reading, read_lines=no_reading, open_gpio=open_gpio
    )
    (seen,) = contacts.poll(board=False)
    assert made[0].asked == ("/dev/gpiochip0", (17, "FIRE"))
    assert {edge.kind: edge.active for edge in seen.edges} == {InputKind.DOOR: True, InputKind.FIRE: False}
    made[0].gone = True
    while not (found := contacts.poll(board=False)):
        assert contacts.due_s(board=False) is not None
    assert found[0].problem.code == "gpio_lost"
    assert set(found[0].lost) == {InputKind.DOOR, InputKind.FIRE}
    assert contacts.states() == {"door_contact": None, "fire": None}
