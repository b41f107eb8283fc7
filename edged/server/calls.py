"""Handler of each call, and its kind of body. `edged.faceapi.calls` has the paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from edged.faceapi.calls import Call
from edged.server import faceset, recognising


@dataclass(frozen=True)
class Handler:
    """Handler of one call.

    Attributes:
        answer: takes `(app, networks, body)` if `pictures`, else `(app, body)`; returns `result`.
        pictures: it needs a worker with networks.
        array: the body is a list of objects.
    """

    answer: Callable[..., Any]
    pictures: bool = True
    array: bool = False


HANDLERS: Final[Mapping[Call, Handler]] = {
    Call.DETECT: Handler(recognising.detect),
    Call.MATCH: Handler(recognising.match, array=True),
    Call.SEARCH: Handler(recognising.search),
    Call.MULTI_SEARCH: Handler(recognising.multi_search),
    Call.CAPTURE_SEARCH: Handler(recognising.capture_search),
    Call.FACEVERIFY: Handler(recognising.faceverify, array=True),
    Call.FACEVERIFY_V4: Handler(recognising.faceverify_v4),
    Call.USER_ADD: Handler(faceset.user_add),
    Call.USER_UPDATE: Handler(faceset.user_update),
    Call.SCENE_USER_ADD: Handler(faceset.scene_user_add),
    Call.SCENE_USER_UPDATE: Handler(faceset.scene_user_update),
    Call.FACE_DELETE: Handler(faceset.face_delete, pictures=False),
    Call.USER_GET: Handler(faceset.user_get, pictures=False),
    Call.FACE_GETLIST: Handler(faceset.face_getlist, pictures=False),
    Call.GROUP_GETUSERS: Handler(faceset.group_getusers, pictures=False),
    Call.USER_COPY: Handler(faceset.user_copy, pictures=False),
    Call.USER_DELETE: Handler(faceset.user_delete, pictures=False),
    Call.GROUP_ADD: Handler(faceset.group_add, pictures=False),
    Call.GROUP_DELETE: Handler(faceset.group_delete, pictures=False),
    Call.GROUP_GETLIST: Handler(faceset.group_getlist, pictures=False),
    Call.SCENE_GROUP_ADD: Handler(faceset.scene_group_add, pictures=False),
}
"""`v1/feature` is missing on purpose and gets code 6: clients expect templates of another maker's network,
and those of edged could not take their place."""
