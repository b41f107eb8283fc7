"""The face cloud as a `Recognizer`: crops out, users in, as people of the library. No waiting, no retrying.

One shot goes as `search` or `capture_search`, several as one `multi_search` of a collage. Groups and scores
are checked again here: one that was not compared on this box opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from edged.clock import Clock
from edged.config import CloudConfig
from edged.errors import EdgedError, TryAnotherShot
from edged.events import ShotChosen
from edged.faceapi.client.face_cloud import FaceCloud
from edged.faceapi.faults import CloudDeny, CloudSpoof
from edged.faceapi.governor.refusals import NotAsked
from edged.faceapi.replies import FoundUser, Location
from edged.gallery.match import Match
from edged.recognition.cloud.collage import MAX_FACES, assign, lay_out
from edged.recognition.cloud.crop import face_picture
from edged.recognition.protocol import (
    CLOUD,
    Answer,
    EngineUnavailable,
    FaceNotAnswered,
    Identification,
    Question,
    SpoofSuspected,
)

MOST_CENTRAL_FACE: Final = 1
"""`face_sort_type`: with several faces in a crop, the middle one counts, not the largest: somebody who stands
nearer must not be taken for the one behind."""


class CloudEngine:
    """Asks the cloud. Safe to use from several threads; keeps nothing.

    Args:
        cloud: the client.
        config: which groups, controls and thresholds.
        clock: for deadlines and timings.
        max_age_s: an answer later than this after the capture of its shot cannot open the door any more.
        resolve: the person of the library a user of the cloud stands for, None when there is none.
        on_saved: told how many calls were not needed, when faces have shared one.
    """

    engine = CLOUD

    def __init__(
        self,
        cloud: FaceCloud,
        config: CloudConfig,
        clock: Clock,
        *,
        max_age_s: float,
        resolve: Callable[[str], str | None],
        on_saved: Callable[[int], None] = lambda calls: None,
    ) -> None:
        self._cloud = cloud
        self._config = config
        self._clock = clock
        self._max_age_s = max_age_s
        self._resolve = resolve
        self._on_saved = on_saved

    @property
    def max_batch(self) -> int:
        """10 with `multi`; `capture_search` has no form for several faces."""
        return MAX_FACES if self._config.multi and self._config.call == "search" else 1

    def warm_up(self) -> None:
        """Nothing to load; whether the cloud answers must not decide whether the box starts."""

    def identify(self, shot: ShotChosen, earlier: Sequence[Identification] = ()) -> Identification:
        """Ask about one shot. `earlier` is not used: the cloud compares one picture at a time.

        Raises:
            SpoofSuspected: the cloud took the face for a picture of one.
            TryAnotherShot: it could not use the picture.
            EngineUnavailable: it cannot be asked.
        """
        started_s = self._clock.monotonic()
        jpeg = face_picture(shot, self._config.jpeg_quality)
        try:
            users = self._search(jpeg, self._deadline_s([shot]))
        except CloudDeny:
            users = ()
        except EdgedError as error:
            raise _as_reaction(error) from error
        return self._identification(self._config.call, users, started_s)

    def identify_batch(self, questions: Sequence[Question]) -> list[Answer]:
        """See `Recognizer.identify_batch`: one call for all of them."""
        if len(questions) == 1:
            return [self.identify(questions[0].shot)]
        started_s = self._clock.monotonic()
        shots = [question.shot for question in questions]
        collage = lay_out(shots, self._config.jpeg_quality)
        try:
            found = self._multi_search(collage.jpeg, self._deadline_s(shots))
        except CloudDeny:
            return [self._identification("multi_search", (), started_s) for _ in shots]
        except EdgedError as error:
            raise _as_reaction(error) from error
        self._on_saved(len(shots) - 1)
        numbers = assign(collage.faces, [_box(location) for location, _ in found])
        return [
            _not_answered() if n is None else self._identification("multi_search", found[n][1], started_s)
            for n in numbers
        ]

    # -- asking

    def _deadline_s(self, shots: Sequence[ShotChosen]) -> float:
        """When the answer is of use to none of them any more."""
        return max(shot.captured_s for shot in shots) + self._max_age_s

    def _search(self, jpeg: bytes, deadline_s: float) -> tuple[FoundUser, ...]:
        config = self._config
        if config.call == "capture_search":
            reply = self._cloud.capture_search(
                jpeg,
                config.groups,
                max_user_num=self._users_asked,
                quality_control=config.quality_control,
                liveness_control=config.liveness_control,
                face_sort_type=MOST_CENTRAL_FACE,
                deadline_s=deadline_s,
            )
        else:
            reply = self._cloud.search(
                jpeg,
                config.groups,
                max_user_num=self._users_asked,
                match_threshold=self._lowest_score,
                quality_control=config.quality_control,
                liveness_control=config.liveness_control,
                spoofing_control=config.spoofing_control,
                face_sort_type=MOST_CENTRAL_FACE,
                deadline_s=deadline_s,
            )
        return reply.users

    def _multi_search(self, jpeg: bytes, deadline_s: float) -> list[tuple[Location, tuple[FoundUser, ...]]]:
        config = self._config
        reply = self._cloud.multi_search(
            jpeg,
            config.groups,
            # all it can: faces of bystanders in the crops must not displace the ones that are meant
            max_face_num=MAX_FACES,
            max_user_num=self._users_asked,
            match_threshold=self._lowest_score,
            quality_control=config.quality_control,
            liveness_control=config.liveness_control,
            spoofing_control=config.spoofing_control,
            deadline_s=deadline_s,
        )
        return [(face.location, face.users) for face in reply.faces]

    @property
    def _users_asked(self) -> int:
        """Enough for a second person even when the first is found in every group."""
        return len(self._config.groups) + 1

    @property
    def _lowest_score(self) -> int:
        """Everybody who comes so near to the threshold that they could make a match ambiguous."""
        return int(max(0.0, self._config.threshold - self._config.margin))

    # -- understanding

    def _identification(self, call: str, users: Sequence[FoundUser], started_s: float) -> Identification:
        return Identification(
            engine=self.engine,
            model_id=call,
            matches=self._matches(users),
            gallery_people=0,
            timings_ms={"cloud": (self._clock.monotonic() - started_s) * 1e3},
        )

    def _matches(self, users: Sequence[FoundUser]) -> tuple[Match, ...]:
        """Each person once, best first; a person may be found in several groups, or under several ids."""
        people: dict[str, Match] = {}
        asked = [u for u in users if u.group_id in self._config.groups and u.score >= self._lowest_score]
        for user in sorted(asked, key=lambda u: -u.score):
            person_id = self._resolve(user.user_id)
            if person_id is None:
                match = self._unresolved(user, asked)
            else:
                match = Match(person_id, None, None, user.score)
            people.setdefault(match.person_id, match)
        return tuple(people.values())

    def _unresolved(self, user: FoundUser, users: Sequence[FoundUser]) -> Match:
        """Somebody whom only the cloud knows. Its word is passed on where it counts; not for anybody whose id
        is known here, or the word of the cloud would let in who was erased from the library."""
        person_id = f"{CLOUD}:{user.user_id}"
        if self._config.people == "library":
            return Match(person_id, None, None, user.score)
        groups = [
            u.group_id for u in users if u.user_id == user.user_id and u.score >= self._config.threshold
        ]
        return Match(person_id, None, None, user.score, user.user_info or user.user_id, tuple(groups))


def _as_reaction(error: EdgedError) -> EdgedError:
    """What a failed call means to the passage."""
    if isinstance(error, CloudSpoof):
        return SpoofSuspected(error.message, code=error.code, hint=error.hint)
    if isinstance(error, TryAnotherShot):
        return error
    cause = error.cause if isinstance(error, NotAsked) else ""
    return EngineUnavailable(error.message, code=error.code, hint=error.hint, cause=cause)


def _not_answered() -> FaceNotAnswered:
    return FaceNotAnswered(
        "The cloud left this face out of its answer about several: it failed a control, or is not clear.",
        code="cloud_face_filtered",
    )


def _box(location: Location) -> tuple[float, float, float, float]:
    return location.left, location.top, location.width, location.height
