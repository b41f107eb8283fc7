"""Replies of the face API as values. `reading.py` builds them from the payload.

Every reply carries `log_id`, the vendor's number of the request as text (it can exceed 2^53); quote it in
tickets. Scores are 0..100, boxes are pixels of the picture sent (docs/reference/face-api.md 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Location:
    """A face box in pixels of the picture sent; `rotation` is clockwise from upright, -180..180 degrees."""

    left: float
    top: float
    width: float
    height: float
    rotation: float = 0.0


@dataclass(frozen=True)
class Angle:
    """Where the head points, degrees: yaw left (-) to right, pitch up (-) to down, roll clockwise (+)."""

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True)
class Quality:
    """How good the picture of one face is.

    Attributes:
        occlusion: 0 clear .. 1 covered, by part: left_eye, right_eye, nose, mouth, left_cheek, right_cheek,
            chin_contour.
        blur: 0 sharp .. 1 blurred.
        illumination: 0..255.
        complete: the whole face is inside the picture.
    A value the server left out is None (a part of `occlusion` is absent).
    """

    occlusion: Mapping[str, float]
    blur: float | None = None
    illumination: float | None = None
    complete: bool | None = None


@dataclass(frozen=True)
class Attribute:
    """One judged property, e.g. type `common` of `glasses`, with its probability 0..1."""

    type: str
    probability: float


@dataclass(frozen=True)
class DetectedFace:
    """One face of `detect` or of a liveness call.

    Attributes:
        face_token: names the face for 60 minutes.
        probability: that it is a face, 0..1.
        attributes: expression, face_shape, gender, glasses, emotion, face_type, mask; those asked for.
        values: single numbers by name: age, beauty, spoofing, not_spoofing, left_eye, right_eye (0 closed).
        points: lists of x, y in pixels by name: landmark, landmark72, landmark150.
        liveness: score 0..1; None when it was not asked for.
        crop_base64: the face cut out, when asked for.
    """

    face_token: str
    location: Location
    probability: float
    angle: Angle | None = None
    quality: Quality | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)
    points: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    liveness: float | None = None
    crop_base64: str = field(default="", repr=False)


@dataclass(frozen=True)
class FoundUser:
    """One enrolled user that resembles the face, score 0..100."""

    group_id: str
    user_id: str
    user_info: str
    score: float


@dataclass(frozen=True)
class SearchedFace:
    """One face of `multi_search` and who it resembles, best first; empty: nobody."""

    location: Location
    users: tuple[FoundUser, ...]
    face_token: str = ""


@dataclass(frozen=True)
class DetectReply:
    """Faces found by `detect`, best first by the order asked for."""

    faces: tuple[DetectedFace, ...]
    log_id: str = ""


@dataclass(frozen=True)
class MatchReply:
    """How much two faces resemble each other, 0..100; their tokens in the order of the request."""

    score: float
    face_tokens: tuple[str, ...] = ()
    log_id: str = ""


@dataclass(frozen=True)
class SearchReply:
    """Who the one face of `search` or `capture_search` resembles, best first; empty: nobody."""

    users: tuple[FoundUser, ...]
    face_token: str = ""
    log_id: str = ""


@dataclass(frozen=True)
class MultiSearchReply:
    """The faces of `multi_search`. Faces that failed a control are silently missing."""

    faces: tuple[SearchedFace, ...]
    log_id: str = ""


@dataclass(frozen=True)
class FaceFeature:
    """One face and its feature for the vendor's offline kit, as the Base64 text that was sent."""

    location: Location
    feature: str = field(repr=False)
    face_token: str = ""


@dataclass(frozen=True)
class FeatureReply:
    """Features of the faces in a picture."""

    faces: tuple[FaceFeature, ...]
    log_id: str = ""


@dataclass(frozen=True)
class FaceverifyReply:
    """Whether a living person was in front of the camera.

    Attributes:
        liveness: best score over all pictures, 0..1.
        thresholds: by name, e.g. `frr_1e-3`: compare with these, the server may change them; may be empty.
        risk_level: v4 only, `1` high .. `4` normal; empty when absent.
    """

    liveness: float
    thresholds: Mapping[str, float]
    faces: tuple[DetectedFace, ...] = ()
    risk_level: str = ""
    risk_tags: tuple[str, ...] = ()
    log_id: str = ""


@dataclass(frozen=True)
class EnrolReply:
    """A face was added or replaced; its permanent token (empty when the server left it out) and box."""

    face_token: str
    location: Location | None = None
    log_id: str = ""


@dataclass(frozen=True)
class UserGroup:
    """A group of a user, and the note about them there."""

    group_id: str
    user_info: str


@dataclass(frozen=True)
class UserReply:
    """The groups of one user."""

    groups: tuple[UserGroup, ...]
    log_id: str = ""


@dataclass(frozen=True)
class EnrolledFace:
    """One face of a user; `ctime` is the server's text `YYYY-MM-DD HH:MM:SS`, its time zone is not stated."""

    face_token: str
    ctime: str


@dataclass(frozen=True)
class FacesReply:
    """The enrolled faces of one user in one group."""

    faces: tuple[EnrolledFace, ...]
    log_id: str = ""


@dataclass(frozen=True)
class IdsReply:
    """One page of ids: users of a group, or groups."""

    ids: tuple[str, ...]
    log_id: str = ""


@dataclass(frozen=True)
class DoneReply:
    """The call succeeded; the answer holds nothing else."""

    log_id: str = ""
