"""The only place that sends pictures of people in the library to the cloud; checks their consent.

No other module calls the client's enrolment functions (a test searches the source). Deleting in the cloud
needs no consent; `alignment.py` does it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypedDict

from edged.clock import Clock, iso
from edged.cloudsync.cloud_picture import cloud_picture
from edged.config import CloudConfig
from edged.config.recognition_section import ControlLevel
from edged.database.errors import from_os_error
from edged.errors import EdgedError, NeedsOperator, RetryLater
from edged.faceapi.client.face_cloud import FaceCloud
from edged.faceapi.faults import CloudDeny
from edged.faceapi.replies import EnrolReply
from edged.library.cloud_desired import CloudBook, Kind
from edged.library.store import LibraryStore

SEND_S: Final = 10.0
"""Longest time from the check of consent to the end of the request, including the wait for a turn,
seconds."""


class NotPermitted(EdgedError):
    """The picture must not, or need not, be sent any more. Read the desired state again."""


class PersonTrouble(NeedsOperator):
    """A fault of one person's data that trying again does not cure; other people are not affected."""


def kind_of(config: CloudConfig) -> Kind:
    """Kind of the configured groups: `capture_search` needs groups of the scene."""
    return "scene" if config.call == "capture_search" else "general"


class CloudPeople:
    """Sends pictures of people who have consented, and of nobody else.

    One transaction reads the consent and notes that the cloud may now hold something; the request follows at
    once. So either this sees a withdrawal and sends nothing, or the withdrawal sees the note and queues the
    deletion in its own transaction. `exclusive()` keeps the deletion from overtaking the request, in any
    process.

    Args:
        store: the library.
        book: desired state and last known state of the cloud.
        cloud: the client.
        config: `recognition.cloud`.
        clock: for deadlines.
        data_dir: folder of the lock file.
    """

    def __init__(
        self,
        store: LibraryStore,
        book: CloudBook,
        cloud: FaceCloud,
        config: CloudConfig,
        clock: Clock,
        data_dir: Path,
    ) -> None:
        self._store = store
        self._book = book
        self._cloud = cloud
        self._config = config
        self._clock = clock
        self._lock_path = data_dir / "cloud-sync.lock"

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep every other thread and process from changing people of this library in the cloud.

        Raises:
            RetryLater: another one is changing them (`cloud_sync_busy`).
        """
        try:
            descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise from_os_error(error, self._lock_path) from error
        try:
            _lock(descriptor)
            yield
        finally:
            os.close(descriptor)

    def upload(self, cloud_id: str, group: str, photo: str, *, replace: bool) -> None:
        """Enrol one photograph in one group of the cloud; call inside `exclusive()`.

        Args:
            cloud_id: id of the person in the cloud.
            group: group in the cloud.
            photo: name of the photograph in the library.
            replace: replace all faces of the user, who is made if missing.

        Raises:
            NotPermitted: no consent (`cloud_no_consent`), or not wanted there any more (`cloud_not_wanted`).
            PersonTrouble: the file is gone (`picture_missing`).
            EdgedError: the picture cannot be used, or the cloud refused it; see `FaceCloud`.
        """
        picture = self._picture(cloud_id, photo)
        person_id = self._permit(cloud_id, group, photo)
        reply = self._enrol(picture, group, cloud_id, person_id, replace=replace)
        self._book.face_added(cloud_id, group, photo, reply.face_token, replace=replace)

    def use_library(self) -> bool:
        """Search for one person with one of their own enrolled pictures, which counts as use of the library
        (docs/reference/face-api.md 6.2). False: the library in the cloud is empty.

        Raises:
            EdgedError: see `FaceCloud`.
        """
        for cloud_id, group, photo in self._book.some_faces():
            with suppress(NotPermitted, PersonTrouble):
                picture = self._picture(cloud_id, photo)
                self._permit(cloud_id, group, photo)
                search = self._cloud.capture_search if self._kind == "scene" else self._cloud.search
                with suppress(CloudDeny):
                    search(picture, [group], user_id=cloud_id, deadline_s=self._deadline_s())
                self._book.used()
                return True
        return False

    @property
    def _kind(self) -> Kind:
        return kind_of(self._config)

    def _picture(self, cloud_id: str, photo: str) -> bytes:
        try:
            return cloud_picture(self._store.photos.path(photo).read_bytes())
        except FileNotFoundError:
            raise PersonTrouble(
                f"A photograph of {cloud_id} is not in the library's folder any more.",
                code="picture_missing",
                hint="Restore the folder `photos` from a backup, or remove the face and enrol it again.",
            ) from None
        except OSError as error:
            raise from_os_error(error, self._store.photos.path(photo)) from error

    def _permit(self, cloud_id: str, group: str, photo: str) -> str:
        """The person id, if this picture may be sent now; notes that the cloud may hold it from now on."""
        with self._store.database.transaction() as connection:
            wanted = self._book.wanted_in(connection, cloud_id)
            if wanted is None or wanted.nowhere:
                raise NotPermitted(f"{cloud_id} has no consent to the cloud.", code="cloud_no_consent")
            if group not in wanted.groups or photo not in wanted.photos:
                raise NotPermitted(
                    f"The picture of {cloud_id} is not wanted in {group} any more.", code="cloud_not_wanted"
                )
            connection.execute(
                "INSERT INTO cloud_users VALUES (:id, :group, :now) "
                "ON CONFLICT (cloud_id, cloud_group) DO UPDATE SET sent_at = :now",
                {"id": cloud_id, "group": group, "now": iso(self._clock.now())},
            )
        return wanted.person_id

    def _enrol(
        self, picture: bytes, group: str, cloud_id: str, person_id: str, *, replace: bool
    ) -> EnrolReply:
        scene = self._kind == "scene"
        more: _Options = {
            "user_info": person_id,  # never the name: the cloud does not need it
            "quality_control": self._config.quality_control,
            "liveness_control": self._config.liveness_control,
            "deadline_s": self._deadline_s(),
        }
        if replace:
            update = self._cloud.scene_user_update if scene else self._cloud.user_update
            return update(picture, group, cloud_id, action_type="REPLACE", **more)
        add = self._cloud.scene_user_add if scene else self._cloud.user_add
        return add(picture, group, cloud_id, action_type="APPEND", **more)

    def _deadline_s(self) -> float:
        return self._clock.monotonic() + SEND_S


class _Options(TypedDict):
    user_info: str
    quality_control: ControlLevel
    liveness_control: ControlLevel
    deadline_s: float | None


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RetryLater("Another process is changing people in the cloud.", code="cloud_sync_busy") from None
