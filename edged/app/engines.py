"""Builds the recognition engines that the configuration asks for, with what they stand on, and ends them.

What an engine does is in `edged.recognition`; this only puts library, cloud and engines together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import structlog

from edged import models
from edged.bus import EventBus
from edged.clock import Clock
from edged.config import Config
from edged.errors import EdgedError
from edged.faceapi.client.face_cloud import FaceCloud, build_client
from edged.faceapi.governor.rate_governor import Governor, open_governor
from edged.gallery.templates import Gallery
from edged.library.follower import LibraryFollower
from edged.library.store import LibraryStore
from edged.recognition.cloud.engine import CloudEngine
from edged.recognition.consensus import rules_by_engine
from edged.recognition.hybrid import HybridEngine
from edged.recognition.local.embedder import Embedder
from edged.recognition.local.engine import LocalEngine
from edged.recognition.per_door import PerDoor
from edged.recognition.protocol import HYBRID, LOCAL, Recognizer

_log = structlog.get_logger(__name__)

STOP_S = 1.0
"""Longest wait for a request that is in flight when the daemon stops."""


@dataclass(frozen=True)
class CloudLink:
    """The one way from this box to the cloud, shared by everything that asks it."""

    client: FaceCloud
    governor: Governor


def open_cloud(config: Config, bus: EventBus, clock: Clock, stack: ExitStack) -> CloudLink:
    """The client of `recognition.cloud` and its governor; `stack` closes them. Nothing is sent before this
    returns: whether the cloud answers must not decide whether the box starts.

    Raises:
        Misconfigured: a secret or the address is missing or wrong.
        NeedsOperator: the counters cannot be kept in the data directory.
    """
    cloud = config.recognition.cloud
    governor = open_governor(cloud, config.data_dir, clock, publish=bus.publish)
    stack.callback(governor.close)
    stack.callback(_tell_counters, governor)
    client = build_client(cloud, clock, governor=governor, data_dir=config.data_dir)
    stack.callback(client.close)
    return CloudLink(client, governor)


def _tell_counters(governor: Governor) -> None:
    health = governor.health()
    _log.info("cloud_calls", saved=health["saved_calls"], **health["calls"])


def greet(link: CloudLink, stack: ExitStack) -> None:
    """Fetch the token in the background, so that the first person need not wait for it.

    What an operator has to put right, such as refused keys, is announced (`CloudDegraded`) at once. A network
    that is not up yet, as often after power has come back, only counts as the first failure.
    """

    def fetch() -> None:
        with suppress(EdgedError):  # the governor knows it, and the first call tries again
            link.client.warm_up()

    thread = threading.Thread(target=fetch, name="cloud-greeting", daemon=True)
    thread.start()
    stack.callback(thread.join, STOP_S)


def build_recognizers(
    config: Config,
    library: LibraryStore,
    bus: EventBus,
    clock: Clock,
    stack: ExitStack,
    link: CloudLink | None,
) -> Callable[[], Recognizer]:
    """What makes one engine for each worker.

    Args:
        link: the way to the cloud; None for `recognition.engine: local`, and for nothing else.
        stack: ends what was started here.

    Raises:
        EdgedError: a model file is damaged.
    """
    if link is None:
        return _local(library, bus, clock, stack)
    cloud = CloudEngine(
        link.client,
        config.recognition.cloud,
        clock,
        max_age_s=config.access.max_age_s,
        resolve=library.person_of_cloud_id,
        on_saved=link.governor.saved,
    )
    if config.recognition.engine == "cloud":
        return lambda: cloud
    local = _local(library, bus, clock, stack)
    doors: dict[str | None, Recognizer] = {}
    for gate in config.gates:
        hybrid = HybridEngine(
            config.hybrid_of(gate),
            local(),
            cloud,
            clock,
            rules=rules_by_engine(config.recognition, config.vision.max_shots)[LOCAL],
            may_leave=library.has_cloud_consent,
            calls=config.recognition.cloud.workers,
            max_age_s=config.access.max_age_s,
        )
        stack.callback(hybrid.close, STOP_S)
        doors[gate.id] = hybrid
    both = PerDoor(doors, HYBRID)
    return lambda: both


def _local(library: LibraryStore, bus: EventBus, clock: Clock, stack: ExitStack) -> Callable[[], Recognizer]:
    model = models.load("face_embedding")
    gallery = Gallery(model.model_id)
    follower = LibraryFollower(library, gallery, bus, clock)
    follower.start()
    stack.callback(follower.stop)
    return lambda: LocalEngine(Embedder(model), gallery, clock)
