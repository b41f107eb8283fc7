"""The shipped embedding network behind the engine's interface."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest

from edged import models
from edged.clock import SystemClock
from edged.events import Measures, ShotChosen
from edged.gallery.templates import Gallery
from edged.recognition.local.embedder import Embedder
from edged.recognition.local.engine import LocalEngine, fuse


@pytest.fixture(scope="module")
def model():
    return models.load("face_embedding")


def crop(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (112, 112, 3), dtype=np.uint8)


def shot(aligned: np.ndarray, quality: float = 0.8) -> ShotChosen:
    clock = SystemClock()
    return ShotChosen(
        at=clock.now(),
        track_id=1,
        shot_number=1,
        frame_number=1,
        captured_s=clock.monotonic(),
        quality=quality,
        measures=Measures(face_px=120, detection=0.9),
        aligned=aligned,
    )


def test_an_embedding_is_a_unit_vector_and_repeatable(embedder):
    first, other = embedder.embed(crop(1)), embedder.embed(crop(2))
    assert first.shape == (128,)
    assert first.dtype == np.float32
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(first, embedder.embed(crop(1)))
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    "aligned",
    [np.zeros((112, 112), np.uint8), np.zeros((96, 112, 3), np.uint8), np.zeros((112, 112, 3), np.float32)],
)
def test_crops_of_another_shape_or_type_are_refused(embedder, aligned):
    with pytest.raises(ValueError, match="aligned"):
        embedder.embed(aligned)


def test_embedders_of_two_threads_agree(model, embedder):
    expected = [embedder.embed(crop(i)) for i in range(4)]
    wrong: list[int] = []

    def work() -> None:
        own = Embedder(model)
        for i in range(4):
            if not np.array_equal(own.embed(crop(i)), expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []


def test_the_engine_finds_the_person_whose_face_was_enrolled(embedder):
    gallery = Gallery(embedder.model_id)
    gallery.add("anna", 11, embedder.embed(crop(1)), embedder.model_id)
    gallery.add("bert", 12, -embedder.embed(crop(1)), embedder.model_id)
    engine = LocalEngine(embedder, gallery, SystemClock())
    engine.warm_up()
    answer = engine.identify(shot(crop(1)))
    assert [m.person_id for m in answer.matches] == ["anna", "bert"]
    assert answer.matches[0].score == 100
    assert (answer.matches[0].face_id, answer.gallery_people, answer.model_id) == (11, 2, embedder.model_id)
    assert set(answer.timings_ms) == {"embed", "search"}
    assert answer.fused_matches is None


def test_shots_that_name_the_same_person_are_fused(embedder):
    gallery = Gallery(embedder.model_id)
    gallery.add("anna", 1, embedder.embed(crop(1)), embedder.model_id)
    engine = LocalEngine(embedder, gallery, SystemClock())
    first = engine.identify(shot(crop(2), quality=0.9))
    second = engine.identify(shot(crop(3), quality=0.3), (first,))
    together = fuse([first.embedding, second.embedding], [0.9, 0.3])
    assert second.fused_matches[0].cosine == pytest.approx(
        float(together @ embedder.embed(crop(1))), abs=1e-5
    )


def test_a_shot_that_names_somebody_else_is_not_fused(embedder):
    gallery = Gallery(embedder.model_id)
    gallery.add("anna", 1, embedder.embed(crop(1)), embedder.model_id)
    engine = LocalEngine(embedder, gallery, SystemClock())
    first = engine.identify(shot(crop(1)))
    named = dataclasses.replace(first.matches[0], person_id="bert")
    earlier = dataclasses.replace(first, matches=(named,))
    assert engine.identify(shot(crop(1)), (earlier,)).fused_matches is None


def test_an_empty_gallery_answers_with_nobody(embedder):
    answer = LocalEngine(embedder, Gallery(embedder.model_id), SystemClock()).identify(shot(crop(1)))
    assert (answer.matches, answer.gallery_people) == ((), 0)


def test_a_gallery_of_another_model_is_refused(embedder):
    with pytest.raises(ValueError, match="cannot be searched"):
        LocalEngine(embedder, Gallery("face_embedding:ffffffffffff"), SystemClock())
