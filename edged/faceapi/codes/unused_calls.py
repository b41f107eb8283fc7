"""Codes of calls that edged does not make, and of private servers, so that a stray one has a text.

Source: docs/reference/face-api.md 7.3, 7.4. Families: picture effects, identity checks, v4, video liveness,
private feature service, the older API.
"""

from __future__ import annotations

from edged.faceapi.codes.row import CodeRow, Reaction

EFFECTS = (
    CodeRow(222204, "image_url_download_fail", "the service could not fetch the picture from its address",
            Reaction.CONFIG),
    CodeRow(222211, "", "the picture is not good enough for the effect", Reaction.FRAME),
    CodeRow(222212, "", "the faces could not be merged", Reaction.FRAME),
    CodeRow(222214, "", "the face is a drawing", Reaction.FRAME),
    CodeRow(222215, "", "the picture could not be edited", Reaction.FRAME),
    CodeRow(222514, "", "the attributes of the face could not be edited", Reaction.FRAME),
)  # fmt: skip

IDENTITY = (
    CodeRow(222350, "", "there is no police picture, or a poor one", Reaction.DENY),
    CodeRow(222351, "", "number and name of the identity card do not belong together", Reaction.DENY),
    CodeRow(222352, "", "the name has the wrong form", Reaction.DENY),
    CodeRow(222353, "", "the identity card number has the wrong form", Reaction.DENY),
    CodeRow(222354, "", "the identity card number does not exist", Reaction.DENY),
    CodeRow(222355, "", "there is no police picture", Reaction.DENY),
    CodeRow(222356, "person picture is low quality", "the photograph is too poor", Reaction.FRAME),
    CodeRow(222357, "", "the photograph has a wrong format or too many bytes", Reaction.FRAME),
    CodeRow(222358, "trigger risk interception", "the same identity was checked too often", Reaction.RATE),
    CodeRow(222360, "invalid name or id", "name or identity card number is invalid", Reaction.DENY),
    CodeRow(222361, "system busy", "the police service could not be reached", Reaction.RETRY),
)  # fmt: skip

PRIVATE = (
    CodeRow(222290, "auth fail", "the licence of the feature service was refused", Reaction.CONFIG,
            "Look at the licence of the private server."),
    CodeRow(222291, "qps exceed maximum", "the feature service had too many calls within one second",
            Reaction.RATE),
    CodeRow(222292, "auth expired", "the licence of the feature service has expired", Reaction.CONFIG,
            "Renew the licence of the private server."),
    CodeRow(222293, "instance exceed maximum", "more feature services run than the licence allows",
            Reaction.CONFIG, "Look at the licence of the private server."),
)  # fmt: skip

V4 = (
    CodeRow(216100, "invalid param", "a parameter was not as the service wants it", Reaction.BUG),
    CodeRow(216201, "image format error", "the format of the picture is not supported", Reaction.FRAME),
    CodeRow(282000, "internal error", "the service had an internal fault", Reaction.RETRY),
    CodeRow(282003, "missing parameter", "a required parameter was missing", Reaction.BUG),
    CodeRow(282105, "image decrypt error", "the picture could not be decrypted", Reaction.BUG),
)

_VIDEO = {
    216430: ("the face part of the service failed", Reaction.RETRY),
    216431: ("the voice part of the service failed", Reaction.RETRY),
    216432: ("the video part of the service failed", Reaction.RETRY),
    216433: ("the video part of the service failed", Reaction.RETRY),
    216434: ("nothing in the video showed a living person", Reaction.SPOOF),
    216500: ("the spoken digits were wrong", Reaction.FRAME),
    216501: ("there was no face in the video", Reaction.FRAME),
    216502: ("the session of the video had ended", Reaction.FRAME),
    216505: ("the store of the service failed", Reaction.RETRY),
    216506: ("the store of the service failed", Reaction.RETRY),
    216507: ("there were several faces in the video", Reaction.FRAME),
    216508: ("the video said nothing about itself", Reaction.FRAME),
    216509: ("the voice could not be understood", Reaction.FRAME),
    216510: ("the video was longer than 10 seconds", Reaction.FRAME),
    216511: ("the voice file could not be used", Reaction.FRAME),
    216512: ("the session id was missing", Reaction.BUG),
    216513: ("the parameter detect_model was not as the service wants it", Reaction.BUG),
    216612: ("the service was busy", Reaction.RETRY),
    216908: ("the face in the video was too poor", Reaction.FRAME),
    216909: ("there were several faces in the video", Reaction.FRAME),
    223050: ("the spoken words did not match", Reaction.FRAME),
    223051: ("the movement of the lips did not match", Reaction.FRAME),
    223052: ("the wanted movement was not made", Reaction.FRAME),
    223133: ("nothing in the video showed a living person", Reaction.SPOOF),
    223135: ("the video looked synthetic", Reaction.SPOOF),
}

VIDEO = tuple(
    CodeRow(code, "", meaning, reaction, scope="video") for code, (meaning, reaction) in _VIDEO.items()
)

_OLDER = (
    # The older API (docs/reference/face-api.md 7.4). Outside video its meaning of a number is likelier.
    (216015, "", "this part of the service is closed", Reaction.CONFIG),
    (216101, "", "a parameter was missing", Reaction.BUG),
    (216102, "", "the service does not support this call", Reaction.CONFIG),
    (216103, "", "a parameter was too long", Reaction.BUG),
    (216110, "", "the application does not exist", Reaction.CONFIG),
    (216111, "", "the id of the person was not as the service wants it", Reaction.BUG),
    (216200, "", "the picture was empty", Reaction.FRAME),
    (216202, "", "the size of the picture was wrong", Reaction.FRAME),
    (216300, "", "the store of the service failed", Reaction.RETRY),
    (216400, "", "a part of the service failed", Reaction.RETRY),
    (216401, "", "the service had an internal fault", Reaction.RETRY),
    (216402, "face not found", "the service found no face in the picture", Reaction.FRAME),
    (216500, "unknown error", "the service had an unknown fault", Reaction.RETRY),
    (216501, "", "the service found no face in the picture", Reaction.FRAME),
    (216600, "", "the identity card number has the wrong form", Reaction.DENY),
    (216601, "", "number and name of the identity card do not belong together", Reaction.DENY),
    (216602, "", "the face was covered", Reaction.FRAME),
    (216603, "", "the light on the face was not good", Reaction.FRAME),
    (216604, "", "part of the face was outside the picture", Reaction.FRAME),
    (216605, "", "the service was not sure that this is a face", Reaction.FRAME),
    (216606, "", "the face was blurred", Reaction.FRAME),
    (216607, "", "there is no police picture", Reaction.DENY),
    (216608, "", "nothing showed the service a living person", Reaction.SPOOF),
    (216609, "", "the face was turned too far to the side", Reaction.FRAME),
    (216610, "", "the face was turned too far up or down", Reaction.FRAME),
    (216611, "user not exist", "the person is not in the group", Reaction.IDEM),
    (216612, "user not exist", "the person is not in the group", Reaction.IDEM),
    (216613, "", "the service could not delete", Reaction.RETRY),
    (216614, "", "there were too few pictures", Reaction.BUG),
    (216615, "", "the service could not process the pictures", Reaction.RETRY),
    (216617, "", "the service could not add the person", Reaction.RETRY),
    (216618, "", "there is nobody in the group", Reaction.DENY),
    (216619, "", "the person must stay in one group at least", Reaction.IDEM),
    (216631, "", "the person has as many pictures as there may be", Reaction.BUG),
)

OLDER = (
    *(CodeRow(code, message, meaning, reaction) for code, message, meaning, reaction in _OLDER),
    CodeRow(216616, "", "this picture is there already", Reaction.IDEM, exists=True),
)
