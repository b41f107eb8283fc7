"""Calls that manage the cloud's library: groups, users, faces. `picture_calls.py` has the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from edged.faceapi import bodies, limits, reading
from edged.faceapi.calls import Call
from edged.faceapi.client.caller import Caller
from edged.faceapi.limits import ControlLevel, FaceSort
from edged.faceapi.replies import (
    DoneReply,
    EnrolReply,
    FacesReply,
    IdsReply,
    UserReply,
)


class LibraryCalls:
    """Groups, users and faces in the cloud; part of `FaceCloud`."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def user_add(
        self,
        image: bytes,
        group_id: str,
        user_id: str,
        *,
        user_info: str = "",
        quality_control: ControlLevel = "NONE",
        liveness_control: ControlLevel = "NONE",
        spoofing_control: ControlLevel = "NONE",
        action_type: Literal["APPEND", "REPLACE"] = "APPEND",
        face_sort_type: FaceSort = 0,
        deadline_s: float | None = None,
    ) -> EnrolReply:
        """Add a face to a user (REPLACE: instead of the earlier ones). Found by searches after up to 5 s."""
        body = bodies.enrolment(image, group_id, user_id, user_info, action_type, bodies.ADDING)
        body |= bodies.controls(quality_control, liveness_control, spoofing_control)
        body |= bodies.sort(face_sort_type)
        return self._caller.ask(Call.USER_ADD, body, reading.enrol, deadline_s)

    def user_update(
        self,
        image: bytes,
        group_id: str,
        user_id: str,
        *,
        user_info: str = "",
        quality_control: ControlLevel = "NONE",
        liveness_control: ControlLevel = "NONE",
        spoofing_control: ControlLevel = "NONE",
        action_type: Literal["UPDATE", "REPLACE"] = "UPDATE",
        face_sort_type: FaceSort = 0,
        deadline_s: float | None = None,
    ) -> EnrolReply:
        """Replace all faces of a user. UPDATE: the user must exist; REPLACE: made if missing."""
        body = bodies.enrolment(image, group_id, user_id, user_info, action_type, bodies.UPDATING)
        body |= bodies.controls(quality_control, liveness_control, spoofing_control)
        body |= bodies.sort(face_sort_type)
        return self._caller.ask(Call.USER_UPDATE, body, reading.enrol, deadline_s)

    def scene_user_add(
        self,
        image: bytes,
        group_id: str,
        user_id: str,
        *,
        user_info: str = "",
        quality_control: ControlLevel = "NONE",
        liveness_control: ControlLevel = "NONE",
        action_type: Literal["APPEND", "REPLACE"] = "APPEND",
        face_sort_type: FaceSort = 0,
        deadline_s: float | None = None,
    ) -> EnrolReply:
        """`user_add` for groups of the scene SEC."""
        body = bodies.enrolment(image, group_id, user_id, user_info, action_type, bodies.ADDING)
        body |= (
            bodies.SCENE | bodies.controls(quality_control, liveness_control) | bodies.sort(face_sort_type)
        )
        return self._caller.ask(Call.SCENE_USER_ADD, body, reading.enrol, deadline_s)

    def scene_user_update(
        self,
        image: bytes,
        group_id: str,
        user_id: str,
        *,
        user_info: str = "",
        quality_control: ControlLevel = "NONE",
        liveness_control: ControlLevel = "NONE",
        action_type: Literal["UPDATE", "REPLACE"] = "UPDATE",
        deadline_s: float | None = None,
    ) -> EnrolReply:
        """`user_update` for groups of the scene SEC."""
        body = bodies.enrolment(image, group_id, user_id, user_info, action_type, bodies.UPDATING)
        body |= bodies.SCENE | bodies.controls(quality_control, liveness_control)
        return self._caller.ask(Call.SCENE_USER_UPDATE, body, reading.enrol, deadline_s)

    def user_get(self, user_id: str, group_id: str, *, deadline_s: float | None = None) -> UserReply:
        """The note about a user in a group, or in every group (`@ALL`)."""
        body = bodies.user(group_id, user_id, all_groups=True)
        return self._caller.ask(Call.USER_GET, body, reading.user, deadline_s)

    def user_copy(
        self, user_id: str, src_group_id: str, dst_group_id: str, *, deadline_s: float | None = None
    ) -> DoneReply:
        """Copy a user with their faces into another group of the same scene."""
        body = {
            "user_id": limits.identifier("user_id", user_id),
            "src_group_id": limits.identifier("group_id", src_group_id),
            "dst_group_id": limits.identifier("group_id", dst_group_id),
        }
        return self._caller.ask(Call.USER_COPY, body, reading.done, deadline_s)

    def user_delete(self, user_id: str, group_id: str, *, deadline_s: float | None = None) -> DoneReply:
        """Remove a user from a group, or from every group (`@ALL`)."""
        body = bodies.user(group_id, user_id, all_groups=True)
        return self._caller.ask(Call.USER_DELETE, body, reading.done, deadline_s)

    def face_delete(
        self, user_id: str, group_id: str, face_token: str, *, deadline_s: float | None = None
    ) -> DoneReply:
        """Remove one face; removing the last one removes the user."""
        body = bodies.user(group_id, user_id) | {"face_token": limits.face_token(face_token)}
        return self._caller.ask(Call.FACE_DELETE, body, reading.done, deadline_s)

    def face_getlist(self, user_id: str, group_id: str, *, deadline_s: float | None = None) -> FacesReply:
        """The enrolled faces of a user in a group."""
        return self._caller.ask(Call.FACE_GETLIST, bodies.user(group_id, user_id), reading.faces, deadline_s)

    def group_add(self, group_id: str, *, deadline_s: float | None = None) -> DoneReply:
        """Make a general group."""
        return self._caller.ask(Call.GROUP_ADD, bodies.group(group_id), reading.done, deadline_s)

    def scene_group_add(self, group_id: str, *, deadline_s: float | None = None) -> DoneReply:
        """Make a group of the scene SEC; the scene of a group can never be changed or asked."""
        return self._caller.ask(
            Call.SCENE_GROUP_ADD, bodies.group(group_id) | bodies.SCENE, reading.done, deadline_s
        )

    def group_delete(self, group_id: str, *, deadline_s: float | None = None) -> DoneReply:
        """Remove a group. Above 500 faces this takes the server hours, and searches still match meanwhile."""
        return self._caller.ask(Call.GROUP_DELETE, bodies.group(group_id), reading.done, deadline_s)

    def group_getusers(
        self, group_id: str, *, start: int = 0, length: int = 100, deadline_s: float | None = None
    ) -> IdsReply:
        """One page of the users of a group, at most 1000."""
        body = bodies.group(group_id) | bodies.page(start, length)
        return self._caller.ask(Call.GROUP_GETUSERS, body, reading.user_ids, deadline_s)

    def group_getlist(
        self, *, start: int = 0, length: int = 100, deadline_s: float | None = None
    ) -> IdsReply:
        """One page of the groups of this library, at most 1000."""
        return self._caller.ask(Call.GROUP_GETLIST, bodies.page(start, length), reading.group_ids, deadline_s)

    def iter_group_users(
        self, group_id: str, *, page: int = limits.MAX_PAGE, deadline_s: float | None = None
    ) -> Iterator[str]:
        """All users of a group, page by page; each once, even if the group changes meanwhile."""
        return _all_pages(
            lambda start: self.group_getusers(group_id, start=start, length=page, deadline_s=deadline_s), page
        )

    def iter_groups(self, *, page: int = limits.MAX_PAGE, deadline_s: float | None = None) -> Iterator[str]:
        """All groups of this library, page by page."""
        return _all_pages(
            lambda start: self.group_getlist(start=start, length=page, deadline_s=deadline_s), page
        )


def _all_pages(read: Callable[[int], IdsReply], length: int) -> Iterator[str]:
    """Ids of all pages. No answer states a total, so reading goes on until a page is not full.

    Paging: docs/reference/face-api.md 4.5.

    A page without new ids ends it as well: a server that ignores `start` would repeat itself for ever.
    """
    seen: set[str] = set()
    start = 0
    while True:
        ids = read(start).ids
        fresh = [one for one in dict.fromkeys(ids) if one not in seen]
        yield from fresh
        seen.update(fresh)
        if len(ids) < length or not fresh:
            return
        start += length
