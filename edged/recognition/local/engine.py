"""The local engine: embeds the shot, searches the gallery, fuses with earlier shots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from edged.clock import Clock
from edged.events import ShotChosen
from edged.gallery.match import Match
from edged.gallery.templates import Gallery
from edged.recognition.local.embedder import Embedder
from edged.recognition.protocol import LOCAL, Answer, Identification, Question, one_by_one

MIN_WEIGHT: Final = 0.05  # a shot of quality 0 still counts, and the weights never sum to 0


class LocalEngine:
    """Recognises on this box. One object per thread, all sharing one gallery.

    Args:
        embedder: used by this engine alone.
        gallery: templates of the embedder's model.
        clock: for the timings.

    Raises:
        ValueError: the gallery holds templates of another model.
    """

    engine = LOCAL
    max_batch = 1

    def __init__(self, embedder: Embedder, gallery: Gallery, clock: Clock) -> None:
        if embedder.model_id != gallery.model_id:
            raise ValueError(f"gallery of {gallery.model_id} cannot be searched with {embedder.model_id}")
        self._embedder = embedder
        self._gallery = gallery
        self._clock = clock

    def warm_up(self) -> None:
        """Do the slow first embedding now."""
        self._embedder.warm_up()

    def identify(self, shot: ShotChosen, earlier: Sequence[Identification] = ()) -> Identification:
        """Search for the face on `shot.aligned`.

        Args:
            shot: the picture to recognise.
            earlier: answers for the preceding shots of the same passage that named the same person.

        Raises:
            EdgedError: the engine cannot answer; the class says what to do.
        """
        started_s = self._clock.monotonic()
        embedding = self._embedder.embed(shot.aligned)
        embedded_s = self._clock.monotonic()
        weight = max(MIN_WEIGHT, shot.quality)
        matches = tuple(self._gallery.search(embedding, top=2))
        fused = self._fused(embedding, weight, matches, earlier)
        searched_s = self._clock.monotonic()
        return Identification(
            engine=self.engine,
            model_id=self._embedder.model_id,
            matches=matches,
            gallery_people=self._gallery.people,
            fused_matches=fused,
            embedding=embedding,
            weight=weight,
            timings_ms={
                "embed": (embedded_s - started_s) * 1000,
                "search": (searched_s - embedded_s) * 1000,
            },
        )

    def identify_batch(self, questions: Sequence[Question]) -> list[Answer]:
        """See `Recognizer.identify_batch`; one after the other."""
        return one_by_one(self.identify, questions)

    def _fused(
        self,
        embedding: np.ndarray,
        weight: float,
        matches: tuple[Match, ...],
        earlier: Sequence[Identification],
    ) -> tuple[Match, ...] | None:
        """Search with all shots together, but only while each names the same person by itself: after a track
        has switched to another person, its earlier shots must not count for them."""
        same = [
            (answer.embedding, answer.weight)
            for answer in earlier
            if _top(answer.matches) == _top(matches) and answer.embedding is not None
        ]
        if not matches or not same:
            return None
        probe = fuse(*zip(*same, (embedding, weight), strict=True))
        return tuple(self._gallery.search(probe, top=2))


def fuse(embeddings: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """Weighted mean of unit embeddings, made a unit vector again.

    Measured on 24 people with five press photographs each, one enrolled: genuine cosine .675 with one shot,
    .737 with two fused, .763 with three; share of genuine probes above .485: 96.3 %, 99.7 %, 100 %. Impostors
    hardly rise: 99.9th percentile .370, .373, .373. Frames of one track resemble each other more than such
    photographs do and gain less.
    """
    mean = np.average(np.stack(embeddings), axis=0, weights=weights)
    fused: np.ndarray = (mean / np.linalg.norm(mean)).astype(np.float32)
    return fused


def _top(matches: tuple[Match, ...]) -> str | None:
    return matches[0].person_id if matches else None
