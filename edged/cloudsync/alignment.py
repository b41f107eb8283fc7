"""The calls that bring what the cloud holds of one person to the desired state.

`sync.py` decides whose turn it is and what happens after a failure.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from edged.clock import Clock
from edged.cloudsync.cloud_people import SEND_S, CloudPeople, PersonTrouble, kind_of
from edged.config import CloudConfig
from edged.errors import EdgedError, Misconfigured, RetryLater, TryAnotherShot
from edged.faceapi.client.face_cloud import FaceCloud
from edged.faceapi.faults import CloudExists, CloudFault
from edged.library.cloud_desired import CloudBook, DesiredState

SETTLE_S: Final = 6.0
"""A change takes effect within 5 s (docs/reference/face-api.md 4.5); until then answers may be stale."""

GROUP_MISSING: Final = 223100
USER_MISSING: Final = 223103
FACE_MISSING: Final = 223106
GROUP_EXISTS: Final = 223101
_ABSENT = frozenset({GROUP_MISSING, USER_MISSING, FACE_MISSING, 223140})


class NotSettled(RetryLater):
    """The cloud does not show the last change yet."""


def says_absent(error: EdgedError) -> bool:
    """Whether the cloud answered that the item named is absent."""
    return isinstance(error, CloudFault) and error.api_code in _ABSENT


class Aligner:
    """Aligns one person at a time. Every step may be repeated after a crash at any point.

    Args:
        book: desired state, and the last known state of the cloud.
        people: sends the pictures.
        cloud: the client, for calls without a picture.
        config: `recognition.cloud`.
        clock: for deadlines.
    """

    def __init__(
        self, book: CloudBook, people: CloudPeople, cloud: FaceCloud, config: CloudConfig, clock: Clock
    ) -> None:
        self._book = book
        self._people = people
        self._cloud = cloud
        self._kind = kind_of(config)
        self._clock = clock

    def align(self, cloud_id: str) -> float:
        """Bring this id in the cloud to its desired state. Call inside `CloudPeople.exclusive()`.

        Returns:
            Seconds until the next check, because the last change is not settled; 0: done.

        Raises:
            EdgedError: alignment failed part way; the steps done are recorded, repeat it.
        """
        wanted = self._book.wanted(cloud_id)
        known = self._book.groups_with(cloud_id)
        if wanted is None:
            return 0.0
        unsettled_s = max((self._unsettled_s(at) for at in known.values()), default=0.0)
        if wanted.nowhere:
            return self._leave_all(cloud_id, unsettled_s) if known else 0.0
        if unsettled_s:
            return unsettled_s
        for group in wanted.groups:
            self._fill(wanted, group)
        for group in known.keys() - set(wanted.groups):
            self._leave(cloud_id, group)
        return 0.0

    def face_tokens(self, cloud_id: str, group: str) -> set[str]:
        """Face tokens of one id in one group of the cloud; empty: the id is not in it."""
        try:
            reply = self._cloud.face_getlist(cloud_id, group, deadline_s=self._deadline_s())
        except CloudFault as error:
            if says_absent(error):
                return set()
            raise
        return {face.face_token for face in reply.faces}

    def delete(self, cloud_id: str, group: str) -> None:
        """Delete one id from one group (`@ALL`: from every group); absence is no error."""
        try:
            self._cloud.user_delete(user_id=cloud_id, group_id=group, deadline_s=self._deadline_s())
        except CloudFault as error:
            if not says_absent(error):
                raise

    # -- present

    def _fill(self, wanted: DesiredState, group: str) -> None:
        """Bring the faces in one group to the desired ones, with as few paid calls as possible."""
        there = self.face_tokens(wanted.cloud_id, group)
        known = self._book.faces(wanted.cloud_id, group)
        kept = {photo: token for photo, token in known.items() if token in there and photo in wanted.photos}
        missing = [photo for photo in wanted.photos if photo not in kept]
        surplus = there - set(kept.values())
        if missing:
            self._ensure_group(group)
            # an unknown face may be one of the missing ones, so renew the whole set
            renew = bool(surplus)
            self._send(wanted, group, list(wanted.photos) if renew else missing, renew=renew)
        else:
            for token in surplus:
                self._delete_face(wanted.cloud_id, group, token)

    def _send(self, wanted: DesiredState, group: str, photos: list[str], *, renew: bool) -> None:
        """Send pictures. One that the cloud cannot use does not hold up the others; its error is raised
        last."""
        unusable: TryAnotherShot | None = None
        for photo in photos:
            try:
                self._upload(wanted.cloud_id, group, photo, replace=renew)
                renew = False
            except TryAnotherShot as error:
                unusable = error
        if renew:  # the cloud took none of them, so the old faces remain to be deleted
            self._leave(wanted.cloud_id, group)
        if unusable is not None:
            raise unusable

    def _upload(self, cloud_id: str, group: str, photo: str, *, replace: bool) -> None:
        try:
            self._people.upload(cloud_id, group, photo, replace=replace)
        except CloudExists as error:
            self._already_there(cloud_id, group, photo, replace=replace, error=error)
        except CloudFault as error:
            if error.api_code != GROUP_MISSING:
                raise
            self._book.remember_kind(group, None)  # somebody deleted it; the next attempt makes it again
            raise NotSettled(f"The cloud has no group {group} any more.", code="cloud_group_gone") from error

    def _already_there(
        self, cloud_id: str, group: str, photo: str, *, replace: bool, error: CloudExists
    ) -> None:
        """The group holds this very picture: an earlier answer was lost, or it belongs to another person."""
        if replace:  # some servers refuse to replace a face by itself: use two steps
            self._leave(cloud_id, group)
            raise NotSettled(
                f"The faces of {cloud_id} are being replaced.", code="cloud_not_settled"
            ) from error
        unknown = self.face_tokens(cloud_id, group) - set(self._book.faces(cloud_id, group).values())
        if len(unknown) != 1:
            raise PersonTrouble(
                f"A picture of {cloud_id} is in the group {group} of the cloud already, as another face.",
                code="cloud_face_exists",
                hint="The same photograph is enrolled twice, or for two people: remove one of the two.",
            ) from error
        self._book.face_added(cloud_id, group, photo, unknown.pop())

    def _delete_face(self, cloud_id: str, group: str, token: str) -> None:
        try:
            self._cloud.face_delete(cloud_id, group, token, deadline_s=self._deadline_s())
        except CloudFault as error:
            if not says_absent(error):
                raise
        self._book.face_gone(cloud_id, group, token)

    def _ensure_group(self, group: str) -> None:
        """Make the group on first use, and never put people of one kind into a group of the other."""
        known = self._book.kind(group)
        if known not in (None, self._kind) and self._group_exists(group):
            raise Misconfigured(
                f"The group {group} of the cloud was made as a {known} group; recognition.cloud.call needs a "
                f"{self._kind} one.",
                code="cloud_group_kind",
                hint="Name other groups in recognition.cloud.groups, or set recognition.cloud.call back; the "
                "kind of a group can never be changed, and mixed groups lose matches silently.",
            )
        if known == self._kind:
            return
        add = self._cloud.scene_group_add if self._kind == "scene" else self._cloud.group_add
        try:
            add(group, deadline_s=self._deadline_s())
        except CloudFault as error:
            if error.api_code != GROUP_EXISTS:
                raise
        self._book.remember_kind(group, self._kind)

    def _group_exists(self, group: str) -> bool:
        return group in self._cloud.iter_groups(deadline_s=self._deadline_s())

    # -- absent

    def _leave(self, cloud_id: str, group: str) -> None:
        self.delete(cloud_id, group)
        self._book.left(cloud_id, group)

    def _leave_all(self, cloud_id: str, unsettled_s: float) -> float:
        """Delete everywhere at once. Forget the id only when the cloud itself reports it absent."""
        self.delete(cloud_id, "@ALL")
        for group in self._groups_in_cloud(cloud_id):
            raise NotSettled(
                f"The cloud still shows {cloud_id} in {group} after the deletion.", code="cloud_not_settled"
            )
        if unsettled_s:  # a face sent a moment ago may appear after its deletion
            return unsettled_s
        self._book.left(cloud_id)
        return 0.0

    def _groups_in_cloud(self, cloud_id: str) -> list[str]:
        try:
            reply = self._cloud.user_get(cloud_id, "@ALL", deadline_s=self._deadline_s())
        except CloudFault as error:
            if says_absent(error):
                return []
            raise
        return [group.group_id for group in reply.groups]

    def _unsettled_s(self, changed_at: datetime) -> float:
        """Seconds until a change takes effect; setting the clock back does not prolong them."""
        passed_s = (self._clock.now() - changed_at).total_seconds()
        return SETTLE_S - passed_s if 0 <= passed_s < SETTLE_S else 0.0

    def _deadline_s(self) -> float:
        return self._clock.monotonic() + SEND_S
