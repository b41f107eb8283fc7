"""Codes for a parameter that is missing or malformed (docs/reference/face-api.md 7.2).

Most are faults of the program; those whose value comes from settings or ids are for the operator.
"""

from __future__ import annotations

from edged.faceapi.codes.row import CodeRow, Reaction

_FORMAT_ERRORS = {
    222002: "start",
    222003: "length",
    222004: "op_app_id_list",
    222007: "uid",
    222008: "face_id",
    222009: "quality_conf",
    222010: "user_info",
    222011: "uid_list",
    222012: "op_app_id",
    222013: "image",
    222014: "app_id",
    222015: "image_type",
    222016: "max_face_num",
    222017: "face_field",
    222019: "quality_control",
    222020: "liveness_control",
    222021: "max_user_num",
    222022: "id_card_number",
    222023: "name",
    222024: "face_type",
    222025: "face_token",
    222026: "max_star_num",
    222027: "code_length",
    222028: "min_code_length",
    222029: "max_code_length",
    222030: "match_threshold",
    222038: "id_number",
    222039: "face_sort_type",
    222041: "start_date",
    222042: "end_date",
    222043: "display_corp_image",
    222046: "template_type",
    222101: "merge_degree",
    222102: "face_location",
    222152: "target",
    223112: "quality_conf",
}

_OF_THE_OPERATOR = {
    222005: (
        "group_id_list",
        "Check recognition.cloud.groups: 1 to 10 groups of letters, digits, underscores.",
    ),
    222006: ("group_id", "Check the group's name: letters, digits, underscores, at most 48."),
    222018: ("user_id", "Check the person's id: letters, digits, underscores, at most 48."),
    223118: ("quality_control", "Check recognition.cloud.quality_control."),
    223119: ("liveness_control", "Check recognition.cloud.liveness_control."),
    223130: ("spoofing_control", "Check recognition.cloud.spoofing_control."),
    223201: (
        "scene_type",
        "Check recognition.cloud.call: groups for capture_search have a scene of their own.",
    ),
}


def _format_error(code: int, name: str, reaction: Reaction, hint: str = "", scope: str = "") -> CodeRow:
    meaning = f"the parameter {name} was not as the service wants it"
    return CodeRow(code, f"param[{name}] format error", meaning, reaction, hint, scope)


PARAMETERS = (
    CodeRow(222001, "param[fieldName] is null", "a required parameter was missing", Reaction.BUG),
    *(_format_error(code, name, Reaction.BUG) for code, name in _FORMAT_ERRORS.items()),
    *(_format_error(code, name, Reaction.CONFIG, hint) for code, (name, hint) in _OF_THE_OPERATOR.items()),
    # A photograph for the library comes from a person and may be too large or damaged; a shot of the
    # camera was encoded by edged itself.
    _format_error(
        222013,
        "image",
        Reaction.FRAME,
        "Use another photograph: JPEG, PNG or BMP, at most 1920x1080 and 1.5 MB.",
        "faceset",
    ),
)
