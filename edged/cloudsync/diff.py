"""Compares the library with the cloud itself, and repairs differences.

The queue knows changes of the library; only this notices changes in the cloud and restored backups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edged.cloudsync.alignment import GROUP_MISSING
from edged.cloudsync.sync import CloudSync
from edged.faceapi.client.face_cloud import FaceCloud
from edged.faceapi.faults import CloudFault
from edged.library.cloud_desired import DesiredState
from edged.library.store import LibraryStore


@dataclass(frozen=True)
class FaceDifference:
    """A person who has different faces on the two sides.

    Attributes:
        missing: photographs in the library without a face in the cloud.
        surplus: faces in the cloud without a photograph in the library.
    """

    cloud_id: str
    person_id: str
    missing: int
    surplus: int


@dataclass(frozen=True)
class GroupDiff:
    """One group of the cloud against the library.

    Attributes:
        exists: False: the cloud has no such group.
        same: how many people are equal on both sides.
        missing: ids that the cloud should hold and does not.
        unwanted: ids sent by this box that the cloud should not hold any more.
        extra: ids in the cloud that this box did not send; another box may have.
        different: people with different faces on the two sides.
    """

    group: str
    exists: bool
    same: int
    missing: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    different: tuple[FaceDifference, ...] = ()

    @property
    def is_same(self) -> bool:
        """No difference at all."""
        return not (self.missing or self.unwanted or self.extra or self.different)

    def needs_repair(self, *, delete_extra: bool) -> bool:
        """Whether a repair does anything here."""
        return bool(self.missing or self.unwanted or self.different or (delete_extra and self.extra))


class CloudDiff:
    """Compares and repairs.

    Args:
        store: the library.
        sync: worker of that library; it does the repairs.
        cloud: the client.
    """

    def __init__(self, store: LibraryStore, sync: CloudSync, cloud: FaceCloud) -> None:
        self._store = store
        self._sync = sync
        self._book = sync.book
        self._cloud = cloud

    def compare(self, *, faces: bool = True) -> tuple[GroupDiff, ...]:
        """Ask the cloud and compare, for every group configured now or used before.

        Args:
            faces: also compare the faces of each person, which costs one call each.

        Raises:
            EdgedError: the cloud cannot be asked; see `FaceCloud`.
        """
        groups = dict.fromkeys([*self._book.groups, *self._book.known_groups()])
        wanted = [w for cloud_id in self._book.everybody() if (w := self._book.wanted(cloud_id))]
        return tuple(
            self._compare(group, {w.cloud_id: w for w in wanted if group in w.groups}, faces=faces)
            for group in groups
        )

    def repair(self, differences: Sequence[GroupDiff], *, delete_extra: bool = False) -> tuple[str, ...]:
        """Queue everybody who differs. `delete_extra`: also delete the extra ids at once.

        Returns:
            The queued ids; `CloudSync` brings them into line.

        Raises:
            EdgedError: an extra id could not be deleted.
        """
        queued = dict.fromkeys(
            cloud_id
            for diff in differences
            for cloud_id in (*diff.missing, *diff.unwanted, *(d.cloud_id for d in diff.different))
        )
        self._store.queue_for_cloud(queued)
        if delete_extra:
            for diff in differences:
                for cloud_id in diff.extra:
                    self._delete_extra(cloud_id, diff.group)
        return tuple(queued)

    def _compare(self, group: str, wanted: dict[str, DesiredState], *, faces: bool) -> GroupDiff:
        found = self._users(group)
        there = found or set()
        both = sorted(wanted.keys() & there) if faces else []
        different = [d for cloud_id in both if (d := self._compare_faces(wanted[cloud_id], group))]
        surplus = sorted(there - wanted.keys())
        ours = {cloud_id for cloud_id in surplus if group in self._book.groups_with(cloud_id)}
        return GroupDiff(
            group=group,
            exists=found is not None,
            same=len(wanted.keys() & there) - len(different),
            missing=tuple(sorted(wanted.keys() - there)),
            unwanted=tuple(cloud_id for cloud_id in surplus if cloud_id in ours),
            extra=tuple(cloud_id for cloud_id in surplus if cloud_id not in ours),
            different=tuple(different),
        )

    def _users(self, group: str) -> set[str] | None:
        try:
            return set(self._cloud.iter_group_users(group))
        except CloudFault as error:
            if error.api_code == GROUP_MISSING:
                return None
            raise

    def _compare_faces(self, wanted: DesiredState, group: str) -> FaceDifference | None:
        there = self._sync.aligner.face_tokens(wanted.cloud_id, group)
        known = self._book.faces(wanted.cloud_id, group)
        equal = {known[photo] for photo in wanted.photos if known.get(photo) in there}
        missing = sum(known.get(photo) not in there for photo in wanted.photos)
        surplus = len(there - equal)
        if not (missing or surplus):
            return None
        return FaceDifference(wanted.cloud_id, wanted.person_id, missing, surplus)

    def _delete_extra(self, cloud_id: str, group: str) -> None:
        with self._sync.people.exclusive():
            wanted = self._book.wanted(cloud_id)
            if wanted is None or group not in wanted.groups:  # the person may have given consent meanwhile
                self._sync.aligner.delete(cloud_id, group)
