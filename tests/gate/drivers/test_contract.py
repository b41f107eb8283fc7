"""What every relay driver keeps to, whatever its board: no fault is ever taken for a state.

The faults are those of docs/reference/relay-boards.md 6.4, on every simulated board of the registry. The
clock leaps over waiting; the last cases show that real time makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest
from board_contract import ROWS, answers_until_lost, driver_on, first_sure_state
from gate_bench import DEADLINE_S

from edged.clock import SystemClock
from edged.errors import RetryLater
from edged.events import DoorLocked, DoorUnlocked, GateConnected, GateLost
from edged.gate.drivers.base import RelayDriver
from edged.gate.drivers.registry import families
from edged.gate.sim import SimBoard, parse_url

LATE = [pytest.param(name, late_s, id=f"{name}-{late_s:g}") for name in ROWS for late_s in ROWS[name].late_s]
NOISE = [pytest.param(name, noise, id=f"{name}-{noise}") for name in ROWS for noise in ROWS[name].noise]
ONE_EACH = {row.gate["protocol"]: name for name, row in ROWS.items()}.values()
"""The last board of each driver."""
ONE_FAULT = {"silent": True, "bad_sum": True, "garbage": b"\x55\xaa", "cut": 2}


@pytest.fixture(params=ROWS)
def row(request):
    return ROWS[request.param]


@pytest.fixture
def board(row, make_board):
    return make_board(row.with_options())


@pytest.fixture
def driver(row, board, open_driver):
    return opened(row, board, open_driver)


def opened(row, board, open_driver):
    """A driver that has read its board once: some find out by that what the board can do."""
    driver = open_driver(board, **row.gate)
    assert first_sure_state(driver) is not None
    return driver


def reopen(row, driver):
    driver.close()
    for _ in range(row.opens - 1):
        with suppress(RetryLater):
            return driver.open()
    return driver.open()


def switch(board, driver, on):
    driver.set(1, on)
    assert board.wait_for(lambda b: b.relays[0] is on, DEADLINE_S)


def test_every_protocol_of_the_registry_that_can_be_simulated_is_tried():
    simulated = {protocol for protocol, family in families().items() if family.simulator}
    assert {row.gate["protocol"] for row in ROWS.values()} == simulated


# -- the driver


def test_a_relay_that_is_switched_reads_back_as_switched(board, driver):
    for on in (True, False):
        assert driver.set(1, on) in (None, True)
        assert driver.read_output(1) is on
        assert board.relays[0] is on


def test_two_channels_are_two_relays(row, make_board, open_driver):
    board = make_board(row.with_options("channels=2"))
    driver = open_driver(board, **{**row.gate, "channels": 2})
    driver.set(2, True)
    assert [first_sure_state(driver), driver.read_output(2)] == [False, True]
    assert board.relays[:2] == [False, True]


def test_a_pulse_of_the_boards_own_ends_without_another_command(board, driver):
    pulse = driver.capabilities.pulse
    if pulse is None:
        with pytest.raises(NotImplementedError):
            driver.pulse(1, 1.0)
        return
    assert driver.pulse(1, 1.0) in (None, True)
    assert board.wait_for(lambda b: len(b.edges) == 2, DEADLINE_S)
    assert [edge.on for edge in board.edges] == [True, False]
    assert driver.read_output(1) is False


def test_an_unplug_is_noticed_by_the_next_call(board, driver):
    board.unplug()
    with pytest.raises(RetryLater) as lost:
        driver.read_output(1)
    assert lost.value.code == "relay_port_lost"
    with pytest.raises(RetryLater):
        driver.set(1, False)


@pytest.mark.parametrize("self_powered", [False, True])
def test_after_a_replug_the_board_answers_again_and_tells_what_its_relay_is(
    row, make_board, open_driver, self_powered
):
    board = make_board(row.with_options(f"self_powered={self_powered:d}"))
    driver = opened(row, board, open_driver)
    switch(board, driver, True)
    board.unplug()
    driver.close()
    with pytest.raises(RetryLater) as missing:
        driver.open()
    assert missing.value.code == "relay_port_missing"
    board.plug()
    driver.open()
    assert first_sure_state(driver) is self_powered


@pytest.mark.parametrize(("row", "noise"), NOISE, indirect=["row"])
def test_noise_before_answers_is_never_believed(board, driver, noise):
    board.garbage = bytes.fromhex(noise)
    states, code = answers_until_lost(driver)
    assert set(states) <= {None}
    assert code == "relay_bad_answer"


@pytest.mark.parametrize("fault", ONE_FAULT)
def test_one_bad_answer_is_forgiven_and_the_next_one_is_fine(board, driver, fault):
    good = getattr(board, fault)
    setattr(board, fault, ONE_FAULT[fault])
    assert driver.read_output(1) is None
    setattr(board, fault, good)
    switch(board, driver, True)
    assert first_sure_state(driver) is True


def test_an_answer_that_is_late_but_in_time_is_fine(row, board, driver):
    board.delay_s = row.slow_s
    driver.set(1, True)
    assert driver.read_output(1) is True


def test_an_answer_in_two_pieces_is_fine(board, driver):
    board.split_s = 0.05
    assert driver.read_output(1) is False


def test_a_relay_that_does_not_move_shows_in_the_readback_only(board, driver):
    board.stuck = {1}
    assert driver.set(1, True) is not True
    assert driver.read_output(1) is False
    board.stuck = set()
    switch(board, driver, True)
    board.stuck = {1}
    assert driver.set(1, False) is not True
    assert driver.read_output(1) is True


def test_a_line_whose_echo_is_not_as_configured_is_never_believed(row, board, driver):
    board.echo = not row.echoes
    states, code = answers_until_lost(driver)
    assert set(states) <= {None}
    assert code == "relay_bad_answer"


def test_a_damaged_answer_is_never_believed(board, driver):
    board.bad_sum = True
    states, code = answers_until_lost(driver)
    assert set(states) <= {None}
    assert code == "relay_bad_answer"


def test_a_silent_board_is_lost_at_the_third_missed_answer(row, board, driver):
    board.silent = True
    states, code = answers_until_lost(driver)
    assert set(states) == {None}
    assert 2 <= len(states) < row.reads_until_lost
    assert code == row.silence_code


def test_half_answers_are_never_believed(board, driver):
    board.cut = 1
    states, code = answers_until_lost(driver)
    assert set(states) <= {None}
    assert code in ("relay_bad_answer", "relay_no_answer")


@pytest.mark.parametrize(("row", "late_s"), LATE, indirect=["row"])
@pytest.mark.parametrize("how", ["command", "by hand"])
def test_a_late_answer_is_not_taken_for_that_of_the_next_question(board, driver, late_s, how):
    """The old answer says off, the relay is on by then."""
    board.delay_s = late_s
    assert driver.read_output(1) is None
    board.delay_s = 0.0
    if how == "command":
        assert driver.set(1, True) is not False
    else:
        board.force(1, True)
    assert first_sure_state(driver) is True
    assert first_sure_state(driver) is True, "and it stays so"
    assert board.relays[0] is True


def test_a_late_answer_is_not_taken_for_that_of_the_next_connection(row, board, driver):
    board.delay_s = row.late_s[-1]
    assert driver.read_output(1) is None
    board.delay_s = 0.0
    board.force(1, True)
    reopen(row, driver)
    assert first_sure_state(driver) is True


def test_a_hung_board_is_lost_and_found_again(row, board, driver):
    board.deaf = True
    assert answers_until_lost(driver)[1] == row.silence_code
    board.deaf = False
    reopen(row, driver)
    assert first_sure_state(driver) is False


# -- the gate with it


def test_a_grant_moves_the_relay_on_and_off_and_both_are_read_back(bench, row):
    board = bench.board(row.url)
    service = bench.service(board.link, mode="pulse", pulse_s=1.0, **row.gate)
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked, decision_id="d1").acknowledged is True
    assert bench.wait_for(DoorLocked).acknowledged is True
    assert service.ready
    assert [(edge.channel, edge.on) for edge in board.edges] == [(1, True), (1, False)]
    assert bench.seen(GateLost) == []


def test_a_board_that_was_unplugged_works_again_after_it_is_back(bench, row):
    board = bench.board(row.url)
    service = bench.service(board.link, mode="pulse", pulse_s=1.0, **row.gate)
    board.unplug()
    assert bench.wait_for(GateLost).code == "relay_port_lost"
    board.plug()
    bench.wait_for(GateConnected, count=2)
    bench.wait_until(lambda: service.ready)
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked, decision_id="d1").acknowledged is True
    assert bench.wait_for(DoorLocked).acknowledged is True


def test_a_board_that_falls_silent_is_lost_and_used_again_when_it_answers(bench, row):
    board = bench.board(row.url)
    bench.service(board.link, **row.gate)
    board.deaf = True
    assert bench.wait_for(GateLost).code == row.silence_code
    board.deaf = False
    bench.wait_for(GateConnected, count=2)


@pytest.mark.parametrize("fault", ["bad_sum", "echo", "garbage"])
def test_a_board_with_a_lasting_fault_is_never_used(bench, row, fault):
    board = bench.board(row.url)
    setattr(board, fault, {"echo": not row.echoes, "garbage": b"\x00\xff"}.get(fault, True))
    service = bench.service(board.link, wait_until_ready=False, **row.gate)
    expected = row.damage_code if fault == "bad_sum" else "relay_bad_answer"
    assert bench.wait_for(GateLost).code == expected
    assert not service.ready


# -- in real time, where a busy machine may make any answer late


@contextmanager
def in_real_time(row) -> Iterator[tuple[SimBoard, RelayDriver]]:
    """A board and its open driver on the machine's clock."""
    clock = SystemClock()
    with (
        closing(SimBoard(parse_url(row.with_options()), clock)) as board,
        closing(driver_on(board, clock, **row.gate)) as driver,
    ):
        driver.open()
        yield board, driver


def test_in_real_time_a_relay_that_is_switched_reads_back_as_switched(row):
    with in_real_time(row) as (board, driver):
        switch(board, driver, True)
        assert first_sure_state(driver) is True


@pytest.mark.slow
@pytest.mark.parametrize("row", ONE_EACH, indirect=True)
def test_in_real_time_noise_before_answers_is_never_believed(row):
    with in_real_time(row) as (board, driver):
        board.garbage = bytes.fromhex(row.noise[0])
        states, code = answers_until_lost(driver)
        assert set(states) <= {None}
        assert code in ("relay_bad_answer", "relay_no_answer")


@pytest.mark.slow
@pytest.mark.parametrize("row", ONE_EACH, indirect=True)
def test_in_real_time_a_late_answer_is_not_taken_for_that_of_the_next_question(row):
    with in_real_time(row) as (board, driver):
        board.delay_s = row.late_s[1]
        assert driver.read_output(1) is not True
        board.delay_s = 0.0
        board.force(1, True)
        assert first_sure_state(driver) is True
