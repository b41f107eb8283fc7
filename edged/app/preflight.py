"""Finds what keeps the daemon from starting, by building its parts without starting them.

It opens no camera and no port and sends nothing. It ignores a missing cable and a dead network: the daemon
waits for those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from edged.app.camera_watch import LivenessParts
from edged.camera.registry import open_source
from edged.clock import Clock
from edged.config import Config, GateConfig
from edged.errors import EdgedError
from edged.faceapi.client.face_cloud import build_client
from edged.faceapi.governor.admission import Unlimited
from edged.gate.board.safe_state import off_bytes
from edged.gate.drivers.registry import make_driver
from edged.gate.sim import simulated_board
from edged.recognition.protocol import LOCAL


def preflight(config: Config, clock: Clock) -> list[EdgedError]:
    """Every error of `Daemon.start` that shows without hardware and network.

    Args:
        config: without problems of its own.

    Returns:
        The errors themselves, all of them; empty is good.
    """
    found = []
    for build in _parts(config, clock):
        try:
            build()
        except EdgedError as error:
            found.append(error)
    return found


def _parts(config: Config, clock: Clock) -> Iterator[Callable[[], object]]:
    for camera in config.cameras:
        yield partial(open_source, camera, clock=clock)
    yield partial(LivenessParts.check, config.vision)
    for gate in config.gates:
        yield partial(_build_board, gate, clock)
    if config.recognition.engine != LOCAL:
        yield partial(_build_cloud, config, clock)


def _build_board(gate: GateConfig, clock: Clock) -> None:
    simulated_board(gate)
    make_driver(gate, gate.port, clock)
    if gate.guard is not None:
        off_bytes(gate, clock)


def _build_cloud(config: Config, clock: Clock) -> None:
    build_client(config.recognition.cloud, clock, governor=Unlimited(), data_dir=None).close()
