"""Calls about one picture: detect, compare, search, liveness. `library_calls.py` has the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from edged.faceapi import bodies, limits, reading
from edged.faceapi.bodies import Body
from edged.faceapi.calls import Call
from edged.faceapi.client.caller import Caller
from edged.faceapi.limits import ControlLevel, FaceSort, FaceType
from edged.faceapi.replies import (
    DetectReply,
    FaceverifyReply,
    FeatureReply,
    MatchReply,
    MultiSearchReply,
    SearchReply,
)

LivenessOption = Literal["COMMON", "GATE"]
LivenessOptionV4 = Literal["COMMON", "GATE", "FINANCE", "LOGISTICS", "INTERNET"]


@dataclass(frozen=True)
class MatchImage:
    """One of the two pictures of `match`.

    Attributes:
        image: JPEG, PNG or BMP file content.
        face_type: what kind of picture it is; HYBRID lets the server decide.
    """

    image: bytes
    face_type: FaceType = "LIVE"
    quality_control: ControlLevel = "NONE"
    liveness_control: ControlLevel = "NONE"
    spoofing_control: ControlLevel = "NONE"
    face_sort_type: FaceSort = 0


class PictureCalls:
    """Detect, compare, search and judge liveness; part of `FaceCloud`."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def detect(
        self,
        image: bytes,
        *,
        face_field: Sequence[str] = ("quality",),
        max_face_num: int = 1,
        face_type: Literal["LIVE", "IDCARD", "WATERMARK", "CERT"] = "LIVE",
        liveness_control: ControlLevel = "NONE",
        face_sort_type: FaceSort = 0,
        display_corp_image: bool = False,
        deadline_s: float | None = None,
    ) -> DetectReply:
        """Find faces, at most 20 (5 with `display_corp_image`), and measure the properties in
        `face_field`."""
        most = 5 if display_corp_image else limits.MAX_DETECT_FACES
        body = bodies.image(image) | {
            "max_face_num": limits.number("max_face_num", max_face_num, 1, most),
            "face_type": limits.choice("face_type", face_type, ("LIVE", "IDCARD", "WATERMARK", "CERT")),
            "liveness_control": limits.level("liveness_control", liveness_control),
        }
        if face_field:
            body["face_field"] = limits.fields(face_field)
        body |= bodies.sort(face_sort_type)
        if display_corp_image:
            body["display_corp_image"] = 1
        return self._caller.ask(Call.DETECT, body, reading.detect, deadline_s)

    def match(self, images: Sequence[MatchImage], *, deadline_s: float | None = None) -> MatchReply:
        """Compare the faces of exactly two pictures."""
        limits.how_many("match_images", images, (2,))
        return self._caller.ask(Call.MATCH, [_match_body(one) for one in images], reading.match, deadline_s)

    def search(
        self,
        image: bytes,
        group_id_list: Sequence[str],
        *,
        user_id: str | None = None,
        max_user_num: int = 1,
        match_threshold: int = 80,
        quality_control: ControlLevel = "NONE",
        liveness_control: ControlLevel = "NONE",
        spoofing_control: ControlLevel = "NONE",
        face_sort_type: FaceSort = 0,
        deadline_s: float | None = None,
    ) -> SearchReply:
        """Who in at most 10 groups resembles the one face searched (`face_sort_type` says which).

        Nobody found raises `cloud_222207`. `user_id` restricts the search to that user.
        """
        body = bodies.image(image) | bodies.searched(
            group_id_list, user_id, max_user_num, limits.MAX_SEARCH_USERS
        )
        body["match_threshold"] = limits.number("match_threshold", match_threshold, 0, 100)
        body |= bodies.controls(quality_control, liveness_control, spoofing_control) | bodies.sort(
            face_sort_type
        )
        return self._caller.ask(Call.SEARCH, body, reading.search, deadline_s)

    def capture_search(
        self,
        image: bytes,
        group_id_list: Sequence[str],
        *,
        user_id: str | None = None,
        max_user_num: int = 1,
        quality_control: ControlLevel = "NONE",
        liveness_control: ControlLevel = "NONE",
        face_sort_type: FaceSort = 0,
        deadline_s: float | None = None,
    ) -> SearchReply:
        """`search` in groups of the scene SEC. It has no threshold: compare the scores yourself."""
        body = bodies.image(image, any_size=True)
        body |= bodies.searched(group_id_list, user_id, max_user_num, limits.MAX_SEARCH_USERS)
        body |= bodies.controls(quality_control, liveness_control) | bodies.sort(face_sort_type)
        return self._caller.ask(Call.CAPTURE_SEARCH, body, reading.search, deadline_s)

    def multi_search(
        self,
        image: bytes,
        group_id_list: Sequence[str],
        *,
        max_face_num: int = 10,
        max_user_num: int = 1,
        match_threshold: int = 80,
        quality_control: ControlLevel = "NONE",
        liveness_control: ControlLevel = "NONE",
        spoofing_control: ControlLevel = "NONE",
        deadline_s: float | None = None,
    ) -> MultiSearchReply:
        """Who resembles each of up to 10 faces. Faces that fail a control are missing from the answer."""
        body = bodies.image(image) | bodies.searched(
            group_id_list, None, max_user_num, limits.MAX_MULTI_USERS
        )
        body["max_face_num"] = limits.number("max_face_num", max_face_num, 1, limits.MAX_MULTI_FACES)
        body["match_threshold"] = limits.number("match_threshold", match_threshold, 0, 100)
        body |= bodies.controls(quality_control, liveness_control, spoofing_control)
        return self._caller.ask(Call.MULTI_SEARCH, body, reading.multi_search, deadline_s)

    def feature(
        self, image: bytes, *, version: str = "", max_face_num: int = 1, deadline_s: float | None = None
    ) -> FeatureReply:
        """Features for the vendor's offline kit; `version` names the kit, e.g. `6002`."""
        body = bodies.image(image)
        body["max_face_num"] = limits.number("max_face_num", max_face_num, 1, limits.MAX_MULTI_FACES)
        if version:
            body["version"] = limits.identifier("version", version)
        return self._caller.ask(Call.FEATURE, body, reading.feature, deadline_s)

    def faceverify(
        self,
        images: Sequence[bytes],
        *,
        option: LivenessOption = "GATE",
        face_field: Sequence[str] = (),
        deadline_s: float | None = None,
    ) -> FaceverifyReply:
        """Whether a living person is on 1, 3 or 8 pictures of the same person; the best score counts."""
        limits.how_many("faceverify_images", images, (1, 3, 8))
        extra: Body = {"option": limits.choice("option", option, ("COMMON", "GATE"))}
        if face_field:
            extra["face_field"] = limits.fields(face_field)
        body = [bodies.image(one) | extra for one in images]
        return self._caller.ask(Call.FACEVERIFY, body, reading.faceverify, deadline_s)

    def faceverify_v4(
        self,
        images: Sequence[bytes],
        *,
        option: LivenessOptionV4 = "GATE",
        face_field: Sequence[str] = (),
        deadline_s: float | None = None,
    ) -> FaceverifyReply:
        """`faceverify` by the newer call. The vendor must enable options other than COMMON."""
        limits.how_many("faceverify_images", images, (1, 3, 8))
        allowed = ("COMMON", "GATE", "FINANCE", "LOGISTICS", "INTERNET")
        body: Body = {
            "sdk_version": "1",
            "image_list": [limits.picture(one) for one in images],
            "option": limits.choice("option", option, allowed),
        }
        if face_field:
            body["face_field"] = limits.fields(face_field)
        return self._caller.ask(Call.FACEVERIFY_V4, body, reading.faceverify, deadline_s)


def _match_body(one: MatchImage) -> Body:
    body = bodies.image(one.image)
    body["face_type"] = limits.choice("face_type", one.face_type, get_args(FaceType))
    body |= bodies.controls(one.quality_control, one.liveness_control, one.spoofing_control)
    return body | bodies.sort(one.face_sort_type)
