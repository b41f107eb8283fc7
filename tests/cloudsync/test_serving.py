"""People of the library on this project's own recognition server: both sides are the real thing."""

from __future__ import annotations

from pathlib import Path

import pytest
from cloud_box import TEMPLATE, Box
from cloud_library import CloudLibrary
from serving import Serving, serving

from edged.demo.photographs import photographs
from edged.events import Measures
from edged.library.people import NewFace, PersonDetails


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("serve")) as server:
        yield server


def box_at(server: Serving, data_dir: Path, **config) -> Box:
    place = CloudLibrary()  # only its address is used
    place.port = int(server.url.rsplit(":", 1)[1])
    controls = {"quality_control": "NONE", "liveness_control": "NONE"}
    return Box(data_dir, place, **controls, **config)


def enrol(box: Box, person_id: str, *photos: Path) -> None:
    for photo in photos:
        face = NewFace(
            photo.read_bytes(), photo.suffix, TEMPLATE, "model", Measures(face_px=120, detection=0.9)
        )
        box.store.enrol(PersonDetails(person_id=person_id, name=person_id), face)
    box.consent(person_id, True)


def demo_photos() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for photo in photographs():
        if photo.person_id:
            found.setdefault(photo.person_id, []).append(photo.path)
    return found


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({"groups": ["general_door"]}, marks=pytest.mark.slow),
        pytest.param({"groups": ["scene_door"], "call": "capture_search"}, marks=pytest.mark.slow),
        {"groups": ["private_door"], "dialect": "private"},
    ],
    ids=["general", "scene", "private"],
)
def test_the_whole_life_of_people_on_the_own_server(server, tmp_path, monkeypatch, config):
    monkeypatch.setenv("EDGED_CLOUD_TOKEN", server.token())
    box = box_at(server, tmp_path, **config)
    photos = demo_photos()
    for person_id, paths in photos.items():
        enrol(box, person_id, *paths)
    box.settle()
    assert [(e.cloud_id, e.error) for e in box.sync.queue.entries()] == []
    [diff] = box.diff.compare()
    assert diff.is_same
    assert diff.same == len(photos)

    several = next(person_id for person_id, paths in photos.items() if len(paths) > 1)
    box.store.remove_face(box.store.faces(several)[0].face_id)
    box.settle()
    assert box.diff.compare()[0].is_same

    box.clock.advance(31 * 86_400)
    assert box.sync.keep_alive() is True

    box.consent(several, False)
    for person_id in photos.keys() - {several}:
        box.store.remove_person(person_id)
    box.settle()
    assert box.queued() == []
    assert box.sync.queue.status().erasures == 0
    assert list(box.client.iter_group_users(config["groups"][0])) == []
    box.close()
