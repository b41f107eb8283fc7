"""A grant through keeper, driver and simulated board, for every board that is not spoken of elsewhere."""

from __future__ import annotations

import pytest
from gate_bench import DEADLINE_S, GateBench

from edged.events import DoorLocked, DoorUnlocked, GateConnected, GateLost

BOARDS = [
    ("sim:kmtronic?channels=2", {"protocol": "kmtronic", "channels": 2}),
    ("sim:kmtronic?channels=8", {"protocol": "kmtronic", "channels": 8}),
    ("sim:numato", {"protocol": "numato"}),
    ("sim:devantech?firmware=opto88", {"protocol": "devantech"}),
    ("sim:k8090", {"protocol": "k8090"}),
    ("sim:dcon", {"protocol": "dcon"}),
    ("sim:dcon?firmware=checksum&echo=1", {"protocol": "dcon", "checksum": True, "strip_echo": True}),
]


@pytest.fixture
def bench():
    with GateBench() as made:
        yield made


@pytest.mark.parametrize(("url", "gate"), BOARDS)
def test_a_grant_moves_the_relay_on_and_off_and_both_are_read_back(bench, url, gate):
    board = bench.board(url)
    keeper = bench.keeper(board.link, mode="pulse", pulse_s=1.0, **gate)
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked, decision_id="d1").acknowledged is True
    assert bench.wait_for(DoorLocked).acknowledged is True
    assert keeper.ready
    assert [(edge.channel, edge.on) for edge in board.edges] == [(1, True), (1, False)]
    assert bench.seen(GateLost) == []


@pytest.mark.parametrize(("url", "gate"), BOARDS)
def test_a_board_that_was_unplugged_works_again_after_it_is_back(bench, url, gate):
    board = bench.board(url)
    keeper = bench.keeper(board.link, mode="pulse", pulse_s=1.0, **gate)
    board.unplug()
    assert bench.wait_for(GateLost).code == "relay_port_lost"
    board.plug()
    bench.wait_for(GateConnected, count=2)
    bench.wait_until(lambda: keeper.ready)
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked, decision_id="d1").acknowledged is True
    assert bench.wait_for(DoorLocked).acknowledged is True


def test_the_card_with_timers_ends_the_pulse_itself(bench):
    board = bench.board("sim:k8090")
    bench.keeper(board.link, mode="pulse", pulse_s=1.0, protocol="k8090")
    bench.decide("d1")
    bench.wait_for(DoorUnlocked, decision_id="d1")
    assert bytes.fromhex("04 41 01 00 01 B9 0F") in board.received()


def test_a_latching_module_never_gets_into_service(bench):
    board = bench.board("sim:devantech?firmware=rly16l")
    keeper = bench.keeper(board.link, protocol="devantech", wait_until_ready=False)
    lost = bench.wait_for(GateLost)
    assert lost.code == "relay_wrong_board"
    assert "latch" in lost.reason
    assert not keeper.ready
    assert not board.edges


def test_the_watchdog_of_a_module_is_armed_before_the_first_grant_and_fed_as_long_as_the_keeper_lives(bench):
    """That it strikes when nobody feeds it is shown with the driver's own tests."""
    board = bench.board("sim:dcon")
    bench.keeper(board.link, protocol="dcon", mode="hold", hold_s=60, max_on_s=60)
    assert b"~013132\r" in board.received()
    bench.decide("d1")
    assert bench.wait_for(DoorUnlocked, decision_id="d1").acknowledged is True
    fed = board.received().count(b"~**")
    assert board.wait_for(lambda b: b.received().count(b"~**") >= fed + 3, DEADLINE_S)
    assert board.relays[0] is True
