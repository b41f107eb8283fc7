"""A whole daemon, two cameras at two doors: each opens its own, and what happens to one leaves the other."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edged.app.daemon import Daemon
from edged.clock import SystemClock
from edged.config import Config
from edged.events import (
    AccessDecided,
    CameraConnected,
    DoorLocked,
    DoorUnlocked,
    Event,
    GateConnected,
    GateLost,
    Outcome,
    SourceEnded,
)
from edged.gate.sim import SimBoard, parse_url

DEADLINE_S = 90.0
CAMERAS = {"cam1": ("lane1", "in"), "cam2": ("lane2", "out")}
FAST = {"firmware": "feedback", "baud": 115200, "pulse_s": 0.1, "min_interval_s": 0.0}


class Box:
    """A daemon with two lanes, and everything it published."""

    def __init__(self, folder, household, *gates, sources, loop=True) -> None:
        cameras = [
            {"id": name, "door": door, "direction": direction, "source": str(source), "fps": 4.0}
            for (name, (door, direction)), source in zip(CAMERAS.items(), sources, strict=True)
        ]
        config = Config.model_validate(
            {
                "data_dir": str(folder / "data"),
                "camera": cameras[0],
                "more_cameras": cameras[1:],
                "gate": gates[0],
                "more_gates": list(gates[1:]),
                "access": {"cool_down_s": 0.0},
                "vision": {"liveness": {"mode": "off"}},  # a photograph is none
            }
        )
        shutil.copytree(household, config.data_dir)
        self.daemon = Daemon(config, SystemClock(), speed=2.0, loop=loop)
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self.daemon.bus.subscribe(Event, self._record, name="test", capacity=10_000)

    def _record(self, event: Event) -> None:
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def seen(self, kind, **fields) -> list:
        with self._changed:
            return [
                event
                for event in self._events
                if isinstance(event, kind) and all(getattr(event, k) == v for k, v in fields.items())
            ]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, DEADLINE_S), [e.to_dict() for e in self._events[-20:]]

    def wait_for(self, kind, count: int = 1, **fields) -> None:
        self.wait_until(lambda: len(self.seen(kind, **fields)) >= count)

    def grants(self, door: str) -> list[AccessDecided]:
        return self.seen(AccessDecided, door_id=door, outcome=Outcome.GRANTED)


def lane(number: int, board: SimBoard, channel: int = 1) -> dict:
    return {"id": f"lane{number}", "port": str(board.link), "channel": channel, **FAST}


def board_at(folder, name: str, channels: int) -> SimBoard:
    url = f"sim:lcus?firmware=feedback&channels={channels}&baud=115200&link={folder / name}"
    return SimBoard(parse_url(url), SystemClock())


def play(box: Box, openings: int) -> None:
    """Until each door was opened so often and is locked again."""
    for door in ("lane1", "lane2"):
        box.wait_for(DoorLocked, openings, door_id=door, reason="time_over")


# -- two boards


@pytest.fixture(scope="module")
def two_boards(tmp_path_factory, household, portrait):
    """Each door opens; the board of lane 1 is pulled, lane 2 opens; it is plugged in, lane 1 opens."""
    folder = tmp_path_factory.mktemp("two-boards")
    boards = [board_at(folder, "board1", 1), board_at(folder, "board2", 1)]
    box = Box(folder, household, lane(1, boards[0]), lane(2, boards[1]), sources=(portrait, portrait))
    box.daemon.start()
    try:
        box.watched = box.daemon.heartbeats.names
        play(box, 1)
        boards[0].unplug()
        box.wait_for(GateLost, door_id="lane1")
        box.wait_for(DoorUnlocked, len(box.seen(DoorUnlocked, door_id="lane2")) + 1, door_id="lane2")
        box.ready_without_board = {door: gate.ready for door, gate in box.daemon.gates.items()}
        boards[0].plug()
        box.wait_for(GateConnected, 2, door_id="lane1")
        box.wait_for(DoorUnlocked, len(box.seen(DoorUnlocked, door_id="lane1")) + 1, door_id="lane1")
    finally:
        box.in_time = box.daemon.stop()
    box.boards = boards
    yield box
    for board in boards:
        board.close()


def test_every_grant_of_a_camera_moves_the_relay_of_its_door_alone(two_boards):
    for number, door in enumerate(("lane1", "lane2")):
        opened = [e for e in two_boards.seen(DoorUnlocked, door_id=door) if not e.extended]
        granted = {grant.decision_id for grant in two_boards.grants(door)}
        assert {event.decision_id for event in opened} <= granted
        assert sum(edge.on for edge in two_boards.boards[number].edges) == len(opened)


def test_every_decision_names_door_camera_and_direction(two_boards):
    decisions = two_boards.seen(AccessDecided)
    assert {d.camera_id for d in decisions} == set(CAMERAS)
    for decision in decisions:
        assert (decision.door_id, decision.direction) == CAMERAS[decision.camera_id]


def test_a_pulled_board_leaves_the_other_door_in_service(two_boards):
    assert two_boards.ready_without_board == {"lane1": False, "lane2": True}
    assert not two_boards.seen(GateLost, door_id="lane2")


def test_every_part_has_a_heartbeat_of_its_own(two_boards):
    parts = {f"{kind}:{camera}" for kind in ("camera", "vision") for camera in CAMERAS}
    assert parts | {"gate:lane1", "gate:lane2"} <= set(two_boards.watched)


def test_an_orderly_stop_leaves_both_relays_off(two_boards):
    assert two_boards.in_time
    assert [board.relays for board in two_boards.boards] == [[False], [False]]


# -- two relays of one board


@pytest.fixture(scope="module")
def one_board(tmp_path_factory, household, portrait):
    folder = tmp_path_factory.mktemp("one-board")
    board = board_at(folder, "board", 2)
    box = Box(folder, household, lane(1, board, 1), lane(2, board, 2), sources=(portrait, portrait))
    box.daemon.start()
    try:
        play(box, 2)
    finally:
        box.in_time = box.daemon.stop()
    box.board = board
    yield box
    board.close()


def test_two_relays_of_one_board_serve_two_doors(one_board):
    for channel, door in ((1, "lane1"), (2, "lane2")):
        opened = one_board.seen(DoorUnlocked, door_id=door, extended=False)
        assert sum(edge.on for edge in one_board.board.edges if edge.channel == channel) == len(opened) >= 2
        assert all(event.acknowledged for event in opened)
    assert not one_board.seen(GateLost)


def test_stopping_leaves_every_relay_of_a_shared_board_off(one_board):
    assert one_board.in_time
    assert one_board.board.relays == [False, False]


# -- the end of one camera


@pytest.fixture
def short_film(tmp_path):
    path = tmp_path / "film.avi"
    film = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (320, 240))
    for _ in range(10):
        film.write(np.full((240, 320, 3), 90, np.uint8))
    film.release()
    return path


def test_a_camera_that_ends_ends_neither_the_daemon_nor_the_other_and_is_no_hang(
    tmp_path, household, album, short_film
):
    gates = [{"id": door, "protocol": "dummy"} for door in ("lane1", "lane2")]
    box = Box(tmp_path, household, *gates, sources=(album, short_film), loop=False)
    box.daemon.start()
    try:
        box.wait_for(CameraConnected, camera_id="cam1")
        box.wait_for(SourceEnded, camera_id="cam2")
        box.wait_for(AccessDecided, camera_id="cam1")
        assert not box.daemon.wait(0)
        names = box.daemon.heartbeats.names
        assert {"camera:cam1", "vision:cam1"} <= set(names)
        assert not {"camera:cam2", "vision:cam2"} & set(names)
    finally:
        box.daemon.stop()


def test_the_daemon_ends_when_the_sources_of_all_cameras_have_ended(tmp_path, household, short_film):
    gates = [{"id": door, "protocol": "dummy"} for door in ("lane1", "lane2")]
    box = Box(tmp_path, household, *gates, sources=(short_film, short_film), loop=False)
    box.daemon.start()
    try:
        assert box.daemon.wait(DEADLINE_S)
        box.wait_for(SourceEnded, 2)  # the daemon may have heard the second before we did
    finally:
        box.daemon.stop()
