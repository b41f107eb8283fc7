"""People here and in the face cloud: compare, repair, what is queued, waiting for an erasure.

Each function but `sync_state` builds the cloud's client from the configuration, which loads an HTTP client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edged.admin.actor import Actor
from edged.admin.box import Box, opened_library
from edged.admin.rights import Right, needs
from edged.cloudsync.queue import CloudQueue, Entry, SyncStatus
from edged.errors import RetryLater
from edged.faceapi.governor.allowance import FILE_NAME, AllowanceStore, Used

if TYPE_CHECKING:
    from edged.cloudsync.diff import CloudDiff, GroupDiff
    from edged.cloudsync.sync import CloudSync


@dataclass(frozen=True)
class SyncState:
    """What is waiting to be done in the cloud.

    Attributes:
        status: totals.
        entries: what is queued.
        calls: how often the configured cloud was asked, by the title of the call.
    """

    status: SyncStatus
    entries: tuple[Entry, ...]
    calls: Mapping[str, Used]


@dataclass(frozen=True)
class RepairResult:
    """What a repair did: how many ids were queued, how many of them are not done, how many are set aside."""

    queued: int
    left: int
    set_aside: int


@needs(Right.CLOUD_SEE)
def compare_with_cloud(actor: Actor, box: Box, *, faces: bool = True) -> tuple[GroupDiff, ...]:
    """Ask the cloud who is missing, extra or different there.

    Args:
        faces: compare the faces of each person, too: one call a person.

    Raises:
        Misconfigured: the cloud is not configured.
        EdgedError: what the cloud answered.
    """
    with _syncing(box) as (difference, _):
        return difference.compare(faces=faces)


@needs(Right.CLOUD_CHANGE)
def repair_cloud(
    actor: Actor,
    box: Box,
    *,
    faces: bool = True,
    delete_extra: bool = False,
    wait_s: float = 600.0,
    on_compared: Callable[[tuple[GroupDiff, ...]], None] = lambda groups: None,
) -> RepairResult:
    """Compare, then make the cloud hold the people it should.

    Args:
        delete_extra: also delete people in the cloud whom this box never sent.
        wait_s: give up after so many seconds; the rest stays queued.
        on_compared: gets the differences before anything is changed.

    Raises:
        EdgedError: as `compare_with_cloud`.
    """
    with _syncing(box) as (difference, sync):
        groups = difference.compare(faces=faces)
        on_compared(groups)
        difference.repair(groups, delete_extra=delete_extra)
        queued = [entry.cloud_id for entry in sync.queue.entries()]
        left = sync.finish(queued, wait_s)
        return RepairResult(len(queued), len(left), sync.queue.status().set_aside)


@needs(Right.CLOUD_SEE)
def sync_state(actor: Actor, box: Box) -> SyncState:
    """What is queued for the cloud and how often it was asked. Asks nothing of the cloud itself."""
    calls = _calls(box)
    with opened_library(box) as store:
        queue = CloudQueue(store.database, box.clock)
        return SyncState(queue.status(), queue.entries(), calls)


@needs(Right.PEOPLE_ERASE)
def wait_for_erasure(actor: Actor, box: Box, cloud_id: str, wait_s: float) -> None:
    """Send what is queued about somebody who was erased, and wait for the cloud to confirm it.

    Raises:
        RetryLater: `cloud_erasure_unconfirmed`, not within `wait_s` seconds; it stays queued.
    """
    with _syncing(box) as (_, sync):
        left = sync.finish([cloud_id], wait_s)
    if left:
        raise RetryLater(
            f"The cloud has not confirmed the erasure of {cloud_id} within {wait_s:g} s.",
            code="cloud_erasure_unconfirmed",
            hint="It stays queued, and the id with it; `edged library status` shows it until then.",
        )


# -- inside


def _calls(box: Box) -> dict[str, Used]:
    """A box that never asked a cloud keeps no count."""
    from edged.faceapi.governor.call_limits import service_of

    service = service_of(box.config.recognition.cloud)
    if not (box.data_dir / FILE_NAME).exists():
        return {}
    counted = AllowanceStore.open(box.data_dir, box.clock, service=service)
    try:
        return {call.title: used for call, used in counted.used().items()}
    finally:
        counted.close()


@contextmanager
def _syncing(box: Box) -> Iterator[tuple[CloudDiff, CloudSync]]:
    """The comparison and the worker for what the configuration says; closed at the end."""
    from edged.cloudsync.diff import CloudDiff
    from edged.cloudsync.sync import CloudSync
    from edged.faceapi.client.face_cloud import build_client
    from edged.faceapi.governor.rate_governor import open_governor

    recognition, folder, clock = box.config.recognition, box.data_dir, box.clock
    service, enabled = recognition.cloud, recognition.engine != "local"
    with ExitStack() as stack:
        store = stack.enter_context(opened_library(box))
        governor = open_governor(service, folder, clock)
        stack.callback(governor.close)
        cloud = build_client(service, clock, governor=governor, data_dir=folder)
        stack.callback(cloud.close)
        sync = CloudSync(store, cloud, service, clock, data_dir=folder, enabled=enabled)
        yield CloudDiff(store, sync, cloud), sync
