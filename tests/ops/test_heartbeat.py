"""Heartbeats: who hangs, and that the watchdog starves then."""

from __future__ import annotations

import socket
import threading

import pytest

from edged.ops.heartbeat import Heartbeats, WatchdogFeeder
from edged.ops.systemd import Notifier


@pytest.fixture
def manager(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.setblocking(False)
        yield receiver


def received(receiver: socket.socket) -> list[str]:
    out = []
    while True:
        try:
            out.append(receiver.recv(1000).decode())
        except BlockingIOError:
            return out


def test_a_part_is_fresh_when_registered_and_up_to_its_limit(clock):
    beats = Heartbeats(clock)
    beats.register("vision", 2)
    clock.advance(2)
    assert beats.stale() == []


def test_a_part_beyond_its_limit_is_stale_until_it_beats(clock):
    beats = Heartbeats(clock)
    beat = beats.register("vision", 2)
    clock.advance(2.5)
    assert beats.stale() == ["vision"]
    beat()
    assert beats.stale() == []


def test_each_part_has_its_own_limit(clock):
    beats = Heartbeats(clock)
    beats.register("vision", 2)
    beats.register("gate", 1)
    clock.advance(1.5)
    assert beats.stale() == ["gate"]


def test_a_clock_that_is_set_forward_makes_nobody_stale(clock):
    beats = Heartbeats(clock)
    beats.register("vision", 2)
    clock.step_wall(3600)
    assert beats.stale() == []


def test_a_part_that_ended_is_not_missed(clock):
    beats = Heartbeats(clock)
    beat = beats.register("camera", 2)
    beats.forget("camera")
    clock.advance(10)
    beat()
    assert beats.stale() == []


def test_the_beat_of_a_replaced_part_does_not_keep_the_new_one_alive(clock):
    beats = Heartbeats(clock)
    old = beats.register("camera", 2)
    beats.register("camera", 2)
    clock.advance(3)
    old()
    assert beats.stale() == ["camera"]


def test_a_limit_of_nothing_is_a_mistake_of_the_programmer(clock):
    with pytest.raises(ValueError, match="above 0"):
        Heartbeats(clock).register("x", 0)


def test_the_watchdog_is_fed_while_all_move_and_starves_with_the_name_of_who_hangs(clock, manager):
    beats, changes = Heartbeats(clock), []
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    feeder = WatchdogFeeder(beats, notifier, 10, changes.append)
    beat = beats.register("vision", 3)
    feeder.check()
    clock.advance(4)
    feeder.check()
    feeder.check()
    assert received(manager) == ["WATCHDOG=1", "STATUS=hung: vision"]
    beat()
    feeder.check()
    assert received(manager) == ["WATCHDOG=1", "STATUS=running again"]
    assert changes == [["vision"], []]


def test_the_watchdog_is_fed_at_half_its_time(clock):
    assert WatchdogFeeder(Heartbeats(clock), Notifier({}), 10, lambda _: None).interval_s == 5


def test_the_thread_feeds_at_once_again_and_again_and_ends_when_told(clock, manager):
    manager.settimeout(30)
    feeder = WatchdogFeeder(
        Heartbeats(clock), Notifier({"NOTIFY_SOCKET": manager.getsockname()}), 0.02, lambda _: None
    )
    feeder.start()
    assert [manager.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
    feeder.stop(timeout_s=30)
    assert "watchdog" not in {thread.name for thread in threading.enumerate()}


def test_without_a_watchdog_hung_parts_are_still_reported(clock):
    beats = Heartbeats(clock)
    beats.register("gate", 1)
    clock.advance(2)
    told = threading.Event()
    feeder = WatchdogFeeder(
        beats, Notifier({}), None, lambda names: told.set() if names == ["gate"] else None
    )
    feeder.start()
    assert told.wait(30)
    feeder.stop(timeout_s=30)
