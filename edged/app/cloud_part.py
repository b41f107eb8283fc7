"""Cloud: the one way from this box to the face cloud, and the worker that keeps people in line with it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import structlog

from edged.app.part import PartHealth, PartState, TimedJob
from edged.app.site import Site
from edged.app.site_part import SitePart
from edged.bus import EventBus
from edged.clock import Clock, iso
from edged.cloudsync.sync import CloudSync
from edged.config import Config
from edged.errors import EdgedError
from edged.faceapi.client.face_cloud import FaceCloud, build_client
from edged.faceapi.governor.breaker import Circuit
from edged.faceapi.governor.rate_governor import Governor, open_governor
from edged.recognition.protocol import LOCAL

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
    returns: the box starts whether the cloud answers or not.

    Raises:
        Misconfigured: a secret or the address is missing or wrong.
        NeedsOperator: the counters cannot be kept in the data directory.
    """
    cloud = config.recognition.cloud
    governor = open_governor(cloud, config.data_dir, clock, publish=bus.publish)
    stack.callback(governor.close)
    stack.callback(_log_counters, governor)
    client = build_client(cloud, clock, governor=governor, data_dir=config.data_dir)
    stack.callback(client.close)
    return CloudLink(client, governor)


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


class CloudPart(SitePart):
    """Provides `cloud`: None where the configuration recognises on this box alone."""

    name = "cloud"

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._sync: CloudSync | None = None

    def start(self) -> None:
        """Needs no network. Raises what `open_cloud` raises."""
        site = self._site
        if site.config.recognition.engine == LOCAL:
            site.cloud = None
            return
        site.cloud = link = open_cloud(site.config, site.bus, site.clock, self._stack)
        greet(link, self._stack)
        sync = CloudSync(
            site.library,
            link.client,
            site.config.recognition.cloud,
            site.clock,
            data_dir=site.config.data_dir,
            bus=site.bus,
        )
        self._sync = sync
        sync.start()
        self._stack.callback(sync.stop, STOP_S)

    def jobs(self) -> Sequence[TimedJob]:
        """Keeps the library in the cloud from being released for want of use."""
        return (self._sync.keep_alive_job(),) if self._sync else ()

    def health(self) -> PartHealth:
        """`calls`: see `Governor.health`; `sync`: people `waiting` and `set_aside`, `last_success_at`,
        `last_error_code`.

        Without an answer of the cloud the state is failed where it is the only engine, else degraded.
        """
        link, sync = self._site.cloud, self._sync
        if link is None or sync is None:
            return self._is(PartState.OFF, "Recognition stays on this box; no cloud is asked.")
        calls, status = link.governor.health(), sync.queue.status()
        only = self._site.config.recognition.engine == "cloud"
        state, summary = PartState.OK, "The cloud may be asked."
        if calls["circuit"]["state"] != Circuit.CLOSED.value:
            state = PartState.FAILED if only else PartState.DEGRADED
            summary = "The cloud does not answer."
        elif calls["allowance"] != "ok":
            state, summary = PartState.DEGRADED, "The counters of calls cannot be read."
        elif status.set_aside:
            state, summary = PartState.DEGRADED, f"{status.set_aside} people could not be put into the cloud."
        last = status.last_success_at
        return self._is(
            state,
            summary,
            calls=calls,
            sync={
                "waiting": status.waiting,
                "set_aside": status.set_aside,
                "last_success_at": iso(last) if last else None,
                "last_error_code": status.last_error_code,
            },
        )


def _log_counters(governor: Governor) -> None:
    health = governor.health()
    _log.info("cloud_calls", saved=health["saved_calls"], **health["calls"])
