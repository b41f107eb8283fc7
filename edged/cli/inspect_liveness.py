"""Liveness in `edged inspect`: the network alone on a single picture, the fused judgement along a video."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edged import models
from edged.cli.inspect_input import InputPicture
from edged.config import VisionConfig
from edged.vision import appearance
from edged.vision.faces import FaceReading
from edged.vision.liveness import operator_model
from edged.vision.liveness.fusion import LivenessTrack
from edged.vision.liveness.look import look
from edged.vision.liveness.model import LivenessModel
from edged.vision.tracker import Tracker


@dataclass(frozen=True)
class FaceLiveness:
    """The liveness of one face up to this picture.

    Attributes:
        basis: `network`: the network's score of one picture, which is wrong one time in seven; `track`: fused
            over the frames of a video.
        score: 0 false .. 1 live.
        threshold: of the configuration.
        frames: how many it rests on.
        decided: enough frames to judge by; never for a single picture.
        suspicion: codes of what speaks against a live face; empty while undecided.
    """

    basis: str
    score: float
    threshold: float
    frames: int
    decided: bool
    suspicion: tuple[str, ...]

    @property
    def word(self) -> str:
        """The judgement in a word or two."""
        if self.basis == "network":
            return "network alone"
        if not self.decided:
            return "undecided"
        return "live" if self.score >= self.threshold else "suspected"


class LivenessWatch:
    """Looks at every picture in turn and remembers the people of the video at hand.

    Args:
        config: threshold, the operator's own network if there is one, and when a face has gone.

    Raises:
        Misconfigured: the network cannot be used.
    """

    def __init__(self, config: VisionConfig) -> None:
        own = config.liveness.model
        file = models.load("face_liveness") if own is None else operator_model.load(own)
        self._model = LivenessModel(file)
        self._config = config
        self._begin(None)

    def look(self, picture: InputPicture, readings: Sequence[FaceReading]) -> list[FaceLiveness]:
        """The liveness of each face, in the order of `readings`."""
        if picture.time_s is None:
            return [self._alone(picture, reading) for reading in readings]
        if picture.path != self._path:
            self._begin(picture.path)
        faces = [reading.detection for reading in readings]
        looks = [appearance.look(picture.image, face.box) for face in faces]
        self._tracker.update(faces, picture.time_s, looks)
        track_of = {id(track.detection): track.track_id for track in self._tracker.tracks}
        return [
            self._in_video(picture, picture.time_s, reading, track_of[id(reading.detection)])
            for reading in readings
        ]

    def _begin(self, path: Path | None) -> None:
        self._path = path
        self._tracker = Tracker(self._config.lost_after_s)
        self._tracks: dict[int, LivenessTrack] = {}

    def _alone(self, picture: InputPicture, reading: FaceReading) -> FaceLiveness:
        score = self._model.score(picture.image, reading.detection.box)
        return FaceLiveness("network", score, self._config.liveness.threshold, 1, False, ())

    def _in_video(
        self, picture: InputPicture, time_s: float, reading: FaceReading, track_id: int
    ) -> FaceLiveness:
        track = self._tracks.setdefault(track_id, LivenessTrack())
        track.add(look(self._model, picture.image, reading.detection, reading.mesh, at_s=time_s))
        threshold = self._config.liveness.threshold
        seen = track.verdict(threshold)
        return FaceLiveness("track", seen.score, threshold, seen.frames, seen.decided, seen.suspicion)
