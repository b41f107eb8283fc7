"""Several doors on one port: two relays of one board, and boards with addresses on one line."""

import pytest
from gate_bench import GateBench

from edged.config import GateConfig
from edged.events import DoorLocked, DoorUnlocked, GateConnected, GateLost
from edged.gate import GateKeeper
from edged.gate.pool import PortPool


class TwoDoors:
    """Two keepers on one port."""

    def __init__(self, bench, port, *sections):
        self.bench = bench
        configs = [GateConfig(id=f"door{n}", port=str(port), **more) for n, more in enumerate(sections, 1)]
        self.pool = PortPool(configs, bench.clock)
        self.keepers = [
            GateKeeper(config, bench.bus, bench.clock, on_beat=lambda: None, beat_s=0.25, pool=self.pool)
            for config in configs
        ]
        for keeper in self.keepers:
            keeper.start()
        bench.callback(self.close)
        bench.wait_until(lambda: all(keeper.ready for keeper in self.keepers))

    def close(self):
        for keeper in self.keepers:
            keeper.stop()
        self.pool.close()


@pytest.fixture
def bench():
    with GateBench() as bench:
        yield bench


def board_with_two_relays(bench, tmp_path):
    return bench.board(f"sim:lcus?firmware=feedback&channels=2&link={tmp_path / 'board'}&baud=115200")


FEEDBACK = {"firmware": "feedback", "baud": 115200}


def test_each_door_moves_its_own_relay(bench, tmp_path):
    board = board_with_two_relays(bench, tmp_path)
    TwoDoors(bench, board.link, {**FEEDBACK, "channel": 1}, {**FEEDBACK, "channel": 2})
    bench.decide("d1", door_id="door1")
    bench.wait_for(DoorUnlocked, door_id="door1")
    bench.wait_for(DoorLocked, door_id="door1", reason="time_over")
    assert {edge.channel for edge in board.edges} == {1}
    bench.decide("d2", door_id="door2")
    bench.wait_for(DoorUnlocked, door_id="door2")
    bench.wait_for(DoorLocked, door_id="door2", reason="time_over")
    assert [edge.channel for edge in board.edges] == [1, 1, 2, 2]


def test_many_grants_at_both_doors_never_mix_up_their_answers(bench, tmp_path):
    board = board_with_two_relays(bench, tmp_path)
    fast = {**FEEDBACK, "pulse_s": 0.1, "min_interval_s": 0.0, "queue": 8}
    TwoDoors(bench, board.link, {**fast, "channel": 1}, {**fast, "channel": 2})
    for number in range(6):
        bench.decide(f"a{number}", door_id="door1", life_s=1.9)
        bench.decide(f"b{number}", door_id="door2", life_s=1.9)
    for door in ("door1", "door2"):
        assert bench.wait_for(DoorLocked, 6, door_id=door, reason="time_over").acknowledged
    assert all(event.acknowledged for event in bench.seen(DoorUnlocked))
    assert not bench.seen(GateLost)


def test_a_pulled_plug_is_a_loss_for_both_and_both_come_back(bench, tmp_path):
    board = board_with_two_relays(bench, tmp_path)
    doors = TwoDoors(bench, board.link, {**FEEDBACK, "channel": 1}, {**FEEDBACK, "channel": 2})
    board.unplug()
    for door in ("door1", "door2"):
        bench.wait_for(GateLost, door_id=door)
    board.plug()
    for door in ("door1", "door2"):
        bench.wait_for(GateConnected, 2, door_id=door)
    bench.wait_until(lambda: all(keeper.ready for keeper in doors.keepers))
    bench.decide("d2", door_id="door2")
    bench.wait_for(DoorUnlocked, door_id="door2")


def test_a_door_that_is_stopped_leaves_the_other_in_service(bench, tmp_path):
    board = board_with_two_relays(bench, tmp_path)
    doors = TwoDoors(bench, board.link, {**FEEDBACK, "channel": 1}, {**FEEDBACK, "channel": 2})
    assert doors.keepers[0].stop()
    bench.decide("d2", door_id="door2")
    bench.wait_for(DoorUnlocked, door_id="door2")
    bench.wait_for(DoorLocked, door_id="door2", reason="time_over")
    assert not bench.seen(GateLost)


def test_one_simulated_board_serves_two_doors(bench):
    doors = TwoDoors(
        bench, "sim:lcus?firmware=feedback&channels=2", {**FEEDBACK, "channel": 1}, {**FEEDBACK, "channel": 2}
    )
    bench.decide("d2", door_id="door2")
    bench.wait_for(DoorUnlocked, door_id="door2")
    board = doors.pool.board(GateConfig(port="sim:lcus?firmware=feedback&channels=2"))
    assert board.edges[0].channel == 2
