"""Finds the faces of a request: decodes the picture, measures, applies the controls, keeps the tokens.

Order, as documented: picture, face, quality, liveness. A call about one face answers with the code of the
failed step; a call about several drops the faces that fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from edged.server.application import Application
from edged.server.controls import liveness_failure, quality_failure
from edged.server.face_tokens import SeenFace
from edged.server.parameters import Parameters
from edged.server.replies import ApiError
from edged.server.vision_worker import FaceNetworks, decode, token_of
from edged.vision.detector import Detection

MIN_FACE_PX: Final = 64
"""Smaller faces are not recognised (222213, docs/reference/face-api.md 6.1)."""


@dataclass(frozen=True)
class LookupRequest:
    """Faces to find and controls to apply.

    Attributes:
        quality, liveness: control levels.
        central_first: the face nearest to the centre instead of the largest.
        template: compute a template.
    """

    quality: str = "NONE"
    liveness: str = "NONE"
    central_first: bool = False
    template: bool = True


@dataclass(frozen=True, eq=False)
class SentPicture:
    """A decoded picture and its faces in the requested order.

    Attributes:
        image: HxWx3 uint8 BGR.
        data: the file as sent.
    """

    image: np.ndarray
    data: bytes
    faces: list[Detection]


def lookup_request(
    parameters: Parameters, *, quality: bool = True, spoofing: bool = True, sort: bool = True
) -> LookupRequest:
    """Controls and order of a request.

    Args:
        quality, spoofing, sort: whether the call has that parameter; others are ignored.
    """
    if spoofing:
        parameters.level("spoofing_control")
    return LookupRequest(
        quality=parameters.level("quality_control") if quality else "NONE",
        liveness=parameters.level("liveness_control"),
        central_first=bool(sort and parameters.number("face_sort_type", 0, 0, 1)),
    )


def one_face(
    app: Application,
    networks: FaceNetworks,
    parameters: Parameters,
    want: LookupRequest,
    *,
    tokens: bool = True,
) -> SeenFace:
    """The face of `image`: by its token, or the first of the picture.

    Raises:
        ApiError: 222209 unknown token, 222305 its token lacks the data for the controls; 222203 no picture,
            222304 too large; 222202 no face, 222213 smaller than 64 px; the codes of the controls.
    """
    image = parameters.image(tokens=tokens)
    if image.face_token is not None:
        face = _known(app, image.face_token)
        _control(face, want)
        if face.template is None:
            raise ApiError(222305)
        return face
    picture = open_picture(app, networks, image.data, central_first=want.central_first)
    if picture.faces[0].face_px < MIN_FACE_PX:
        raise ApiError(222213)
    return look_at(app, networks, picture, picture.faces[0], want)


def open_picture(
    app: Application, networks: FaceNetworks, data: bytes, *, central_first: bool = False
) -> SentPicture:
    """Decode a picture and find its faces. Raises ApiError 222203, 222304, or 222202 when there is none."""
    image = decode(data, app.picture_side_px)
    faces = networks.find(image, central_first=central_first)
    if not faces:
        raise ApiError(222202)
    return SentPicture(image, data, faces)


def several_faces(
    app: Application,
    networks: FaceNetworks,
    parameters: Parameters,
    want: LookupRequest,
    most: int,
    *,
    min_face_px: float = 0.0,
    report: Callable[[SentPicture, Detection, SeenFace], None] | None = None,
) -> list[SeenFace]:
    """The first `most` faces of `image`, without those that fail a control or are too small.

    Args:
        report: called with every face kept.

    Raises:
        ApiError: 222209, 222305, 222203, 222304, 222202; never the codes of the controls.
    """
    image = parameters.image()
    if image.face_token is not None:
        face = _known(app, image.face_token)
        failed = 222305 if face.measures is None else _failure(face, want)
        if failed == 222305:  # not a failed face, but a token with too little data
            raise ApiError(failed)
        return [face] if failed is None else []
    picture = open_picture(app, networks, image.data, central_first=want.central_first)
    kept = []
    for detection in picture.faces[:most]:
        if detection.face_px < min_face_px:
            continue
        try:
            face = look_at(app, networks, picture, detection, want)
        except ApiError:
            continue
        kept.append(face)
        if report is not None:
            report(picture, detection, face)
    return kept


def look_at(
    app: Application, networks: FaceNetworks, picture: SentPicture, detection: Detection, want: LookupRequest
) -> SeenFace:
    """Measure one face, apply the controls, and keep its token. Raises ApiError, codes of the controls."""
    reading = networks.measure(picture.image, detection)
    failed = quality_failure(reading.measures, want.quality)
    if failed is not None:
        raise ApiError(failed)
    liveness = None
    if want.liveness != "NONE":
        liveness = networks.liveness(picture.image, detection)
        failed = liveness_failure(liveness, want.liveness)
        if failed is not None:
            raise ApiError(failed)
    points = detection.points if reading.mesh is None else reading.mesh.five_points()
    face = SeenFace(
        token=token_of(app.appid, picture.data, detection),
        location=_location(detection, reading.measures.roll_deg),
        measures=reading.measures,
        template=networks.embed(reading.aligned) if want.template else None,
        liveness=liveness,
        points=points,
    )
    app.seen.remember(face)
    return face


def _known(app: Application, token: str) -> SeenFace:
    face = app.seen.get(token) or app.library.face(token)
    if face is None:
        raise ApiError(222209)
    return face


def _control(face: SeenFace, want: LookupRequest) -> None:
    failed = _failure(face, want)
    if failed is not None:
        raise ApiError(failed)


def _failure(face: SeenFace, want: LookupRequest) -> int | None:
    """Code of the control that a known face fails; 222305: its token lacks the data for the controls."""
    if want.quality != "NONE" and face.measures is None:
        return 222305
    failed = None if face.measures is None else quality_failure(face.measures, want.quality)
    if failed is not None or want.liveness == "NONE":
        return failed
    return 222305 if face.liveness is None else liveness_failure(face.liveness, want.liveness)


def _location(detection: Detection, roll_deg: float | None) -> dict[str, float]:
    left, top, width, height = (round(value, 2) for value in detection.box)
    if roll_deg is None:
        right_eye, left_eye = detection.points[1], detection.points[0]
        roll_deg = float(np.degrees(np.arctan2(*(right_eye - left_eye)[::-1])))
    return {"left": left, "top": top, "width": width, "height": height, "rotation": round(roll_deg)}
