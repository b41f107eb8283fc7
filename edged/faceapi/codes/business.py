"""Codes about pictures, people, groups and the service itself (docs/reference/face-api.md 7.3)."""

from __future__ import annotations

from edged.faceapi.codes.row import CodeRow, Reaction

PICTURE = (
    CodeRow(222202, "pic not has face", "the service found no face in the picture", Reaction.FRAME),
    CodeRow(
        222203,
        "image check fail",
        "the service could not read the picture",
        Reaction.FRAME,
        "Use another picture; if every picture ends like this, please report it as a fault of edged.",
    ),
    CodeRow(222213, "face size is too small", "the face was smaller than 64x64 pixels", Reaction.FRAME,
            "Come closer, or raise quality.min_face_px."),
    CodeRow(222304, "image size is too large", "the picture had too many pixels", Reaction.BUG),
    CodeRow(222305, "pic storage not support", "what this token needs is not stored", Reaction.BUG),
    CodeRow(222307, "image illegal", "the service refused the picture: indecent content", Reaction.FRAME),
    CodeRow(222308, "image illegal", "the service refused the picture: a protected person", Reaction.FRAME),
    CodeRow(222309, "image size is too small", "the picture had too few pixels", Reaction.FRAME),
    CodeRow(223113, "face is covered", "the face was covered", Reaction.FRAME, "Uncover the face."),
    CodeRow(223114, "face is fuzzy", "the face was blurred", Reaction.FRAME,
            "Hold still for a moment; add light, clean and refocus the lens."),
    CodeRow(223115, "face light is not good", "the light on the face was not good", Reaction.FRAME,
            "Add light in front of the person, or avoid light from behind."),
    CodeRow(223116, "incomplete face", "part of the face was outside the picture", Reaction.FRAME,
            "Step back or to the middle, or aim the camera at face height."),
    CodeRow(223120, "liveness check fail", "nothing showed the service a living person", Reaction.SPOOF),
    CodeRow(223129, "face not forward", "the face was turned away by more than 30 degrees", Reaction.FRAME,
            "Look at the camera."),
    CodeRow(223131, "spoofing check fail", "the picture looked synthetic to the service", Reaction.SPOOF),
)  # fmt: skip

_PARTS = {
    223121: "left eye",
    223122: "right eye",
    223123: "left cheek",
    223124: "right cheek",
    223125: "chin contour",
    223126: "nose",
    223127: "mouth",
}

OCCLUSION = tuple(
    CodeRow(
        code,
        f"{part} is occlusion",
        f"the {part} was covered",
        Reaction.FRAME,
        "Take off what covers the face: glasses, mask, scarf, hair, a hand.",
    )
    for code, part in _PARTS.items()
)

PEOPLE = (
    CodeRow(
        222207,
        "match user is not found",
        "nobody in the searched groups resembles this face",
        Reaction.DENY,
        "A stranger is meant to end here. If everybody ends here, the group is empty or the wrong one.",
    ),
    CodeRow(222209, "face token not exist", "the token of the face is unknown or expired", Reaction.IDEM),
    CodeRow(222210, "the number of user's faces is beyond the limit", "the person has 20 faces already",
            Reaction.CONFIG, "Replace the faces of the person, or delete old ones."),
    CodeRow(223100, "group is not exist", "the group does not exist", Reaction.CONFIG,
            "Check recognition.cloud.groups, or create the group with `edged library sync --apply`."),
    CodeRow(223100, "group is not exist", "the group is gone already", Reaction.IDEM, scope="group_delete"),
    CodeRow(223101, "group is already exist", "the group exists already", Reaction.IDEM, exists=True),
    CodeRow(223102, "user is already exist", "the person is there already", Reaction.IDEM, exists=True),
    CodeRow(223103, "user is not exist", "the person is not in the group", Reaction.IDEM),
    CodeRow(223104, "group_list is too large", "more than 10 groups were to be searched", Reaction.CONFIG,
            "Name at most 10 groups in recognition.cloud.groups."),
    CodeRow(223105, "face is already exist", "this picture is there already", Reaction.IDEM, exists=True),
    CodeRow(223106, "face is not exist", "the face is not in the group", Reaction.IDEM),
    CodeRow(223107, "scene_type not same", "the two groups are of different scenes", Reaction.CONFIG,
            "Copy only between groups that were created for the same scene."),
    CodeRow(223110, "uid_list is too large", "too many people were named at once", Reaction.BUG),
    CodeRow(223111, "dst group not exist", "the group to copy to does not exist", Reaction.CONFIG,
            "Create the group first."),
    CodeRow(223117, "app_list is too large", "too many applications were named at once", Reaction.BUG),
    CodeRow(223128, "group was deleting", "the group is being deleted", Reaction.WAIT,
            "Wait some minutes, or use a new group; a large group takes about an hour for 70,000 faces."),
    CodeRow(223136, "images exist in this group", "the deleted group of this name is not empty yet",
            Reaction.WAIT),
    CodeRow(223140, "group user is not exist", "the person is not in the group", Reaction.IDEM),
    CodeRow(223202, "scene_type does not match", "the group was created for another scene", Reaction.CONFIG,
            "Use recognition.cloud.call: capture_search only with groups of that scene, search with others."),
)  # fmt: skip

_BUSY = {
    222901: "could not start its check of parameters",
    222902: "could not start its check of parameters",
    222903: "could not start its check of parameters",
    222904: "could not start its check of parameters",
    222905: "could not start this call",
    222906: "could not start this call",
    222907: "had a fault in its cache",
    222908: "had a fault in its cache",
    222909: "had a fault in its cache",
    222910: "had a fault in its storage",
    222911: "had a fault in its storage",
    222912: "had a fault in its storage",
    222913: "could not start this call",
    222914: "could not start this call",
    222915: "could not reach its own back end",
    222916: "could not reach its own back end",
}

SERVICE = (
    CodeRow(222200, "request body should be json format", "the request was not the JSON it should be",
            Reaction.BUG),
    CodeRow(222201, "network not available", "the service could not reach a part of itself", Reaction.RETRY),
    CodeRow(222205, "network not available", "the service could not reach a part of itself", Reaction.RETRY),
    CodeRow(222206, "rtse service return fail", "a part of the service failed", Reaction.RETRY),
    CodeRow(222208, "the number of image is incorrect", "the number of pictures was wrong", Reaction.BUG),
    CodeRow(222300, "add face fail", "the face could not be added", Reaction.RETRY),
    CodeRow(222301, "get face fail", "the service could not fetch the stored face", Reaction.RETRY),
    CodeRow(222302, "system error", "the service had an internal fault", Reaction.RETRY),
    CodeRow(222303, "get face fail", "the service could not fetch the stored face", Reaction.RETRY),
    *(CodeRow(code, "system busy", f"the service {what}", Reaction.RETRY,
              "Nothing needs doing once. If it goes on at a private server, look at its database, licence "
              "and load, and lower recognition.cloud.workers.")
      for code, what in _BUSY.items()),
)  # fmt: skip
