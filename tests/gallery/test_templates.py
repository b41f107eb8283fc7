"""The gallery finds exactly what a plain loop over all faces finds, through every change."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edged.errors import NeedsOperator
from edged.gallery.templates import FaceTable, Gallery

MODEL = "face_embedding:000000000000"


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(128).astype(np.float32)
    return vector / np.linalg.norm(vector)


def table(faces: dict[int, tuple[str, np.ndarray]], model_id: str = MODEL) -> FaceTable:
    templates = np.array([t for _, t in faces.values()], np.float32).reshape(len(faces), 128)
    return FaceTable(model_id, np.array(list(faces), np.int64), [p for p, _ in faces.values()], templates)


class AgainstPlainLoop(RuleBasedStateMachine):
    """Random additions and removals on a gallery and on a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.gallery = Gallery(MODEL)
        self.faces: dict[int, tuple[str, np.ndarray]] = {}
        self.next_id = 1

    def _new(self, person: int, seed: int) -> tuple[int, tuple[str, np.ndarray]]:
        face_id, self.next_id = self.next_id, self.next_id + 1
        return face_id, (f"p{person}", unit(seed))

    @rule(person=st.integers(0, 8), seed=st.integers(0, 10_000))
    def add(self, person, seed):
        face_id, face = self._new(person, seed)
        self.gallery.add(face[0], face_id, face[1], MODEL)
        self.faces[face_id] = face

    @rule(people=st.lists(st.integers(0, 8), max_size=40), data=st.data())
    def exchange_many(self, people, data):
        gone = data.draw(st.sets(st.sampled_from(sorted(self.faces)))) if self.faces else set()
        new = dict(self._new(person, self.next_id) for person in people)
        self.gallery.apply(add=table(new), remove=gone)
        self.faces = {k: v for k, v in self.faces.items() if k not in gone} | new

    @rule(person=st.integers(0, 8), count=st.integers(0, 3))
    def replace_person(self, person, count):
        new = dict(self._new(person, self.next_id) for _ in range(count))
        self.gallery.replace_person(f"p{person}", [(k, t) for k, (_, t) in new.items()], MODEL)
        self.faces = {k: v for k, v in self.faces.items() if v[0] != f"p{person}"} | new

    @rule(person=st.integers(0, 8))
    def remove_person(self, person):
        self.gallery.remove_person(f"p{person}")
        self.faces = {k: v for k, v in self.faces.items() if v[0] != f"p{person}"}

    @rule()
    def compact(self):
        with self.gallery._lock:
            self.gallery._compact()

    @rule(seed=st.integers(0, 10_000), top=st.integers(1, 4))
    def search(self, seed, top):
        probe = unit(seed)
        best: dict[str, tuple[float, int]] = {}
        for face_id, (person, template) in self.faces.items():
            best[person] = max(best.get(person, (-9.0, 0)), (float(template @ probe), face_id))
        expected = sorted(best.items(), key=lambda item: -item[1][0])[:top]
        found = self.gallery.search(probe, top=top)
        assert [m.cosine for m in found] == pytest.approx([c for _, (c, _) in expected], abs=1e-5)
        assert len({m.person_id for m in found}) == len(found)
        for match in found:
            assert self.faces[match.face_id][0] == match.person_id

    @invariant()
    def counts_and_ids_agree(self):
        assert self.gallery.faces == len(self.faces)
        assert self.gallery.people == len({p for p, _ in self.faces.values()})
        assert sorted(self.gallery.face_ids().tolist()) == sorted(self.faces)


TestAgainstPlainLoop = AgainstPlainLoop.TestCase
TestAgainstPlainLoop.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


@given(st.integers(2, 60))
@settings(max_examples=20, deadline=None)
def test_second_match_is_another_person_however_many_faces_the_first_has(faces_of_first):
    gallery = Gallery(MODEL)
    probe = unit(1)
    for face_id in range(faces_of_first):
        gallery.add("first", face_id, probe, MODEL)
    gallery.add("second", 999, unit(2), MODEL)
    assert [m.person_id for m in gallery.search(probe)] == ["first", "second"]


def test_empty_gallery_finds_nobody():
    assert Gallery(MODEL).search(unit(1)) == []


def test_templates_of_another_model_are_refused():
    gallery = Gallery(MODEL)
    with pytest.raises(NeedsOperator) as caught:
        gallery.add("anna", 1, unit(1), "face_embedding:ffffffffffff")
    assert caught.value.code == "template_model_mismatch"
    assert "photographs" in caught.value.hint
    assert gallery.faces == 0


def test_one_face_more_than_the_capacity_is_refused_and_changes_nothing():
    gallery = Gallery(MODEL, capacity=2)
    gallery.add("anna", 1, unit(1), MODEL)
    with pytest.raises(NeedsOperator) as caught:
        gallery.apply(add=table({2: ("bert", unit(2)), 3: ("carl", unit(3))}))
    assert caught.value.code == "gallery_full"
    assert gallery.faces == 1


def test_a_full_gallery_can_still_exchange_faces():
    gallery = Gallery(MODEL, capacity=1)
    gallery.add("anna", 1, unit(1), MODEL)
    gallery.replace_person("anna", [(2, unit(2))], MODEL)
    assert gallery.search(unit(2))[0].face_id == 2


@pytest.mark.parametrize("capacity", [0, 100_001])
def test_capacity_has_a_ceiling(capacity):
    with pytest.raises(ValueError, match="capacity"):
        Gallery(MODEL, capacity=capacity)


@pytest.mark.parametrize(
    "probe", [np.zeros(127, np.float32), np.full(128, np.nan, np.float32)], ids=["short", "nan"]
)
def test_an_unusable_probe_is_refused(probe):
    with pytest.raises(ValueError, match="128 finite"):
        Gallery(MODEL).search(probe)


@pytest.mark.parametrize("template", [np.zeros(128), np.full(128, np.nan), np.full(128, 9.0)])
def test_templates_that_are_not_unit_vectors_are_refused(template):
    with pytest.raises(ValueError, match="unit"):
        Gallery(MODEL).add("anna", 1, template.astype(np.float32), MODEL)


def test_a_removed_template_is_blanked_in_memory():
    gallery = Gallery(MODEL)
    gallery.add("anna", 1, unit(1), MODEL)
    seen_by_running_search = gallery._snapshot.templates
    gallery.remove_person("anna")
    assert not seen_by_running_search.any()


def test_searches_during_changes_always_find_the_person_who_stays():
    gallery = Gallery(MODEL, capacity=5000)
    stays = unit(0)
    gallery.add("stays", 1, stays, MODEL)
    stop = threading.Event()
    wrong: list[object] = []

    def search() -> None:
        while not stop.is_set():
            found = gallery.search(stays)
            if not found or found[0].person_id != "stays" or found[0].cosine < 0.99:
                wrong.append(found)

    searchers = [threading.Thread(target=search) for _ in range(2)]
    for thread in searchers:
        thread.start()
    for round_number in range(30):
        first = 10 + round_number * 200
        gallery.apply(add=table({i: (f"p{i % 50}", unit(i)) for i in range(first, first + 200)}))
        gallery.replace_person("stays", [(10_000 + round_number, stays)], MODEL)
        gallery.apply(remove=range(first, first + 200, 2))
        if round_number % 10 == 9:
            gallery.apply(remove=gallery.face_ids()[gallery.face_ids() < 10_000])
    stop.set()
    for thread in searchers:
        thread.join(30)
    assert wrong == []
