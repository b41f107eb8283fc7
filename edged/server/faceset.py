"""The calls that manage a library: the eleven of `v3/faceset` and the three of the scene."""

from __future__ import annotations

from typing import Any

from edged.server.application import Application
from edged.server.face_libraries import GENERAL, SCENE
from edged.server.face_lookup import lookup_request, one_face
from edged.server.parameters import Parameters
from edged.server.replies import missing, wrong
from edged.server.vision_worker import FaceNetworks

Reply = dict[str, Any]
MAX_PAGE = 1000


def user_add(app: Application, networks: FaceNetworks, body: Reply) -> Reply:
    """`user/add`: register a face; makes group and user if missing."""
    return _register(app, networks, Parameters(body), GENERAL, update=False)


def user_update(app: Application, networks: FaceNetworks, body: Reply) -> Reply:
    """`user/update`: replace a user's faces by this one."""
    return _register(app, networks, Parameters(body), GENERAL, update=True)


def scene_user_add(app: Application, networks: FaceNetworks, body: Reply) -> Reply:
    """`scene/faceset/user/add`."""
    return _register(app, networks, Parameters(body), scene_of(body), update=False)


def scene_user_update(app: Application, networks: FaceNetworks, body: Reply) -> Reply:
    """`scene/faceset/user/update`."""
    return _register(app, networks, Parameters(body), scene_of(body), update=True)


def _register(
    app: Application, networks: FaceNetworks, parameters: Parameters, scene: str, *, update: bool
) -> Reply:
    group_id, user_id = parameters.identifier("group_id"), parameters.identifier("user_id")
    user_info = parameters.user_info()
    actions = ("UPDATE", "REPLACE") if update else ("APPEND", "REPLACE")
    action = parameters.choice("action_type", actions, actions[0])
    want = lookup_request(parameters, spoofing=scene == GENERAL, sort=scene == GENERAL or not update)
    app.library.require_place(group_id, user_id, scene, must_exist=action == "UPDATE")
    face = one_face(app, networks, parameters, want, tokens=scene == GENERAL)
    app.library.add_face(
        group_id,
        user_id,
        face,
        user_info=user_info,
        scene=scene,
        replace=action != "APPEND",
        must_exist=action == "UPDATE",
    )
    location = {"location": face.location} if face.location else {}
    return {"face_token": face.token, **location}


def face_delete(app: Application, body: Reply) -> None:
    """`face/delete`: one face, and the user with their last."""
    parameters = Parameters(body)
    user_id, group_id = parameters.identifier("user_id"), parameters.identifier("group_id")
    app.library.delete_face(group_id, user_id, parameters.face_token())


def user_get(app: Application, body: Reply) -> Reply:
    """`user/get`: the note about a user, in one group or in all."""
    parameters = Parameters(body)
    user_id = parameters.identifier("user_id")
    infos = app.library.user(parameters.identifier("group_id", all_groups=True), user_id)
    return {"user_list": [{"user_info": info, "group_id": group_id} for group_id, info in infos.items()]}


def face_getlist(app: Application, body: Reply) -> Reply:
    """`face/getlist`: tokens of a user's faces."""
    parameters = Parameters(body)
    user_id = parameters.identifier("user_id")
    tokens = app.library.faces_of(parameters.identifier("group_id"), user_id)
    return {"face_list": [{"face_token": token, "ctime": at} for token, at in tokens.items()]}


def group_getusers(app: Application, body: Reply) -> Reply:
    """`group/getusers`: one page of user ids."""
    parameters = Parameters(body)
    return {"user_id_list": app.library.user_ids(parameters.identifier("group_id"), *_page(parameters))}


def user_copy(app: Application, body: Reply) -> None:
    """`user/copy`: a user with all faces into another group."""
    parameters = Parameters(body)
    user_id = parameters.identifier("user_id")
    source, target = parameters.identifier("src_group_id"), parameters.identifier("dst_group_id")
    app.library.copy_user(user_id, source, target)


def user_delete(app: Application, body: Reply) -> None:
    """`user/delete`: a user with all faces, from one group or from all."""
    parameters = Parameters(body)
    group_id = parameters.identifier("group_id", all_groups=True)
    app.library.delete_user(group_id, parameters.identifier("user_id"))


def group_add(app: Application, body: Reply) -> None:
    """`group/add`."""
    app.library.add_group(Parameters(body).identifier("group_id"), GENERAL)


def scene_group_add(app: Application, body: Reply) -> None:
    """`scene/faceset/group/add`."""
    app.library.add_group(Parameters(body).identifier("group_id"), scene_of(body))


def group_delete(app: Application, body: Reply) -> None:
    """`group/delete`: at once, however large it is."""
    app.library.delete_group(Parameters(body).identifier("group_id"))


def group_getlist(app: Application, body: Reply) -> Reply:
    """`group/getlist`: one page of group ids."""
    return {"group_id_list": app.library.group_ids(*_page(Parameters(body)))}


def scene_of(body: Reply) -> str:
    """The required `scene_type`; `SEC` is the only one (one page of the documents has it in small
    letters)."""
    value = body.get("scene_type")
    if value is None or value == "":
        raise missing("scene_type")
    if not isinstance(value, str) or value.upper() != SCENE:
        raise wrong("scene_type")
    return SCENE


def _page(parameters: Parameters) -> tuple[int, int]:
    return parameters.number("start", 0, 0, 2**31 - 1), parameters.number("length", 100, 1, MAX_PAGE)
