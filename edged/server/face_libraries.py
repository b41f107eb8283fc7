"""The library of one application: rules of the faceset calls, and search among registered faces.

A change is on the disk before searches see it, and every search sees it once the call has returned. Rules and
codes: docs/reference/face-api.md 4.5. No pictures, no HTTP, no SQL.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from edged.clock import Clock
from edged.gallery.score import score_of
from edged.gallery.sizes import MAX_CAPACITY
from edged.gallery.templates import Gallery
from edged.server.face_tokens import SeenFace
from edged.server.parameters import ALL_GROUPS
from edged.server.replies import ApiError
from edged.server.storage import FaceStorage, FaceTaken

MAX_FACES_PER_USER: Final = 20
GENERAL: Final = ""
SCENE: Final = "SEC"
SCORE_DIGITS: Final = 2
"""After the point: the rounded score is compared with thresholds, as the answer shows it."""


@dataclass(frozen=True)
class Found:
    """One user in a search's answer; `score` is 0..100."""

    group_id: str
    user_id: str
    user_info: str
    score: float


@dataclass(frozen=True)
class _Group:
    scene: str
    gallery: Gallery


class FaceLibrary:
    """Groups, users and faces of one application. Safe to use from any thread.

    Args:
        storage: used by this library alone.
        check_scene: refuse calls of the wrong kind on a group.
        capacity: most faces of one group, up to 100,000.
    """

    def __init__(
        self, storage: FaceStorage, *, check_scene: bool = True, capacity: int = MAX_CAPACITY
    ) -> None:
        self.storage = storage
        self._check_scene = check_scene
        self._capacity = capacity
        self._changing = threading.Lock()
        self._groups: dict[str, _Group] = {}
        for group_id, scene in storage.groups().items():
            self._show_group(group_id, scene)
            self._groups[group_id].gallery.apply(storage.faces(group_id))

    @classmethod
    def open(cls, file: Path, model_id: str, clock: Clock, *, check_scene: bool = True) -> FaceLibrary:
        """Open the library in `file`, made if missing. Errors: see `Database.open`."""
        storage = FaceStorage.open(file, model_id, clock)
        try:
            return cls(storage, check_scene=check_scene)
        except BaseException:
            storage.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self.storage.close()

    @property
    def faces(self) -> int:
        """Number of faces searched, in all groups."""
        return sum(group.gallery.faces for group in self._groups.values())

    # -- search

    def search(
        self, template: np.ndarray, group_ids: Sequence[str], top: int, least: float, *, scene: str = GENERAL
    ) -> list[Found]:
        """The `top` users who resemble `template` most, best first; without those below the score `least`.

        A user in several groups is found in each of them.

        Raises:
            ApiError: 223100 one of the groups does not exist, 223202 it is of the other scene.
        """
        hits = [
            (group_id, match.person_id, round(match.score, SCORE_DIGITS))
            for group_id, group in self.require_groups(group_ids, scene)
            for match in group.gallery.search(template, top)
        ]
        return self._found(hits, top, least)

    def compare(
        self, template: np.ndarray, group_ids: Sequence[str], user_id: str, top: int, least: float, scene: str
    ) -> list[Found]:
        """`search` among the faces of one user only."""
        hits = []
        for group_id, _ in self.require_groups(group_ids, scene):
            templates = self.storage.faces(group_id, user_id).templates
            if len(templates):
                hits.append(
                    (group_id, user_id, round(score_of(float((templates @ template).max())), SCORE_DIGITS))
                )
        return self._found(hits, top, least)

    def require_groups(self, group_ids: Sequence[str], scene: str) -> list[tuple[str, _Group]]:
        """The groups to search. Raises as `search` does."""
        groups = [(group_id, self._group(group_id)) for group_id in group_ids]
        for _, group in groups:
            self._require_scene(group, scene)
        return groups

    def face(self, token: str) -> SeenFace | None:
        """A registered face by its token; only its template is known."""
        template = self.storage.template(token)
        return None if template is None else SeenFace(token, {}, measures=None, template=template)

    # -- groups

    def add_group(self, group_id: str, scene: str) -> None:
        """Make a group. Raises ApiError 223101 if it exists."""
        with self._changing:
            if group_id in self._groups:
                raise ApiError(223101)
            self.storage.add_group(group_id, scene)
            self._show_group(group_id, scene)

    def delete_group(self, group_id: str) -> None:
        """Delete a group with its users and faces, at once. Raises ApiError 223100."""
        with self._changing:
            self._group(group_id)
            self.storage.remove_group(group_id)
            self._groups = {name: group for name, group in self._groups.items() if name != group_id}

    def group_ids(self, start: int, length: int) -> list[str]:
        """One page of group ids, in the order of the alphabet."""
        return self.storage.group_page(start, length)

    def user_ids(self, group_id: str, start: int, length: int) -> list[str]:
        """One page of the user ids of a group, in the order of the alphabet. Raises ApiError 223100."""
        self._group(group_id)
        return self.storage.user_page(group_id, start, length)

    # -- users

    def user(self, group_id: str, user_id: str) -> dict[str, str]:
        """`user_info` of a user by group; `@ALL`: in all of theirs. Raises ApiError 223100, 223103."""
        if group_id == ALL_GROUPS:
            infos = self.storage.infos(user_id)
        else:
            self._group(group_id)
            info = self.storage.info(group_id, user_id)
            infos = {} if info is None else {group_id: info}
        if not infos:
            raise ApiError(223103)
        return infos

    def delete_user(self, group_id: str, user_id: str) -> None:
        """Delete a user and their faces; `@ALL`: from every group. Raises ApiError 223100, 223103."""
        with self._changing:
            groups = list(self.user(group_id, user_id))
            self.storage.remove_user(user_id, groups)
            for one in groups:
                self._groups[one].gallery.remove_person(user_id)

    def copy_user(self, user_id: str, source: str, target: str) -> None:
        """Copy a user with all faces into another group.

        Raises:
            ApiError: 223100 no such source, 223111 no such target, 223107 they are of different scenes,
                223103 no such user, 223102 the target has that user, 223105 or one of the faces.
        """
        with self._changing:
            origin = self._group(source)
            if target not in self._groups:
                raise ApiError(223111)
            if self._check_scene and origin.scene != self._groups[target].scene:
                raise ApiError(223107)
            if self.storage.info(source, user_id) is None:
                raise ApiError(223103)
            if self.storage.info(target, user_id) is not None:
                raise ApiError(223102)
            self._require_room(target, len(self.storage.tokens(source, user_id)))
            try:
                self.storage.copy_user(user_id, source, target)
            except FaceTaken as error:
                raise ApiError(223105) from error
            self._show_user(target, user_id)

    # -- faces

    def add_face(
        self,
        group_id: str,
        user_id: str,
        face: SeenFace,
        *,
        user_info: str | None,
        scene: str,
        replace: bool = False,
        must_exist: bool = False,
    ) -> None:
        """Register a face; makes group and user if missing.

        Args:
            face: with a template.
            user_info: None keeps the stored one.
            scene: scene of the call; that of the group must be equal.
            replace: delete the user's earlier faces.
            must_exist: group and user must exist.

        Raises:
            ApiError: 223100, 223103 with `must_exist`; 223202 scene; 223105 the group has that picture;
                222210 the user has 20 faces; 222300 the group is full.
        """
        assert face.template is not None
        with self._changing:
            self.require_place(group_id, user_id, scene, must_exist=must_exist)
            self._require_new(group_id, user_id, face.token, replace)
            try:
                self.storage.save_face(
                    group_id,
                    user_id,
                    face.token,
                    face.template,
                    scene=scene,
                    user_info=user_info,
                    replace=replace,
                )
            except FaceTaken as error:
                raise ApiError(223105) from error
            self._show_group(group_id, scene)
            self._show_user(group_id, user_id)

    def require_place(self, group_id: str, user_id: str, scene: str, *, must_exist: bool) -> None:
        """Raise the errors of `add_face` that do not depend on the picture."""
        if must_exist:
            self.user(group_id, user_id)
        if group_id in self._groups:
            self._require_scene(self._groups[group_id], scene)

    def delete_face(self, group_id: str, user_id: str, token: str) -> None:
        """Delete one face, and the user with their last. Raises ApiError 223100, 223103, 223106."""
        with self._changing:
            self.user(group_id, user_id)
            if not self.storage.remove_face(group_id, user_id, token):
                raise ApiError(223106)
            self._show_user(group_id, user_id)

    def faces_of(self, group_id: str, user_id: str) -> dict[str, str]:
        """Time of registration (UTC) of each of a user's faces, by token. Raises ApiError 223100, 223103."""
        self.user(group_id, user_id)
        return self.storage.tokens(group_id, user_id)

    # -- internal

    def _show_group(self, group_id: str, scene: str) -> None:
        if group_id not in self._groups:
            gallery = Gallery(self.storage.model_id, capacity=self._capacity)
            # a new dictionary: a search in progress keeps the old one
            self._groups = {**self._groups, group_id: _Group(scene, gallery)}

    def _show_user(self, group_id: str, user_id: str) -> None:
        """Make the searched faces of one user equal to the stored ones."""
        table = self.storage.faces(group_id, user_id)
        faces = list(zip(table.face_ids.tolist(), table.templates, strict=True))
        self._groups[group_id].gallery.replace_person(user_id, faces, self.storage.model_id)

    def _group(self, group_id: str) -> _Group:
        group = self._groups.get(group_id)
        if group is None:
            raise ApiError(223100)
        return group

    def _require_scene(self, group: _Group, scene: str) -> None:
        if self._check_scene and group.scene != scene:
            raise ApiError(223202)

    def _require_new(self, group_id: str, user_id: str, token: str, replace: bool) -> None:
        """Check that the face is new and that there is room for it; `replace`: its user's others make
        room."""
        owner = self.storage.owner(group_id, token)
        if owner is not None and not (replace and owner == user_id):
            raise ApiError(223105)
        if not replace and len(self.storage.tokens(group_id, user_id)) >= MAX_FACES_PER_USER:
            raise ApiError(222210)
        self._require_room(group_id, 1)

    def _require_room(self, group_id: str, faces: int) -> None:
        group = self._groups.get(group_id)
        if group is not None and group.gallery.faces + faces > group.gallery.capacity:
            raise ApiError(222300)

    def _found(self, hits: list[tuple[str, str, float]], top: int, least: float) -> list[Found]:
        found = []
        for group_id, user_id, score in sorted(hits, key=lambda hit: -hit[2])[:top]:
            info = self.storage.info(group_id, user_id)
            if score >= least and info is not None:  # None: deleted during the search
                found.append(Found(group_id, user_id, info, score))
        return found
