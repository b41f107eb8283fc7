"""A library on disk, its worker and a cloud to talk to, for the tests of people in the cloud."""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np
from cloud_library import CloudLibrary, token_of

from edged.clock import Clock, ManualClock
from edged.cloudsync.cloud_picture import cloud_picture
from edged.cloudsync.diff import CloudDiff
from edged.cloudsync.sync import CloudSync
from edged.config.recognition_section import CloudConfig
from edged.events import Measures
from edged.faceapi.client.face_cloud import build_client
from edged.faceapi.governor.admission import Unlimited
from edged.library.people import NewFace, PersonDetails
from edged.library.store import LibraryStore

TEMPLATE = np.eye(1, 128, dtype=np.float32)[0]


def photo(seed: int) -> bytes:
    """A picture file, another for each seed."""
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 40, 3), np.uint8)
    return cv2.imencode(".png", cv2.resize(pixels, (200, 200)))[1].tobytes()


def face_token(seed: int) -> str:
    """The face_token the cloud gives that picture."""
    return token_of(cloud_picture(photo(seed)))


PATIENT = {"connect_timeout_s": 5.0, "read_timeout_s": 30.0}
"""A busy machine must not look like a slow cloud."""


class Box:
    """A box that keeps people in the cloud. EDGED_CLOUD_TOKEN must be set."""

    def __init__(self, data_dir: Path, cloud: CloudLibrary, clock: Clock | None = None, **config) -> None:
        self.data_dir = data_dir
        self.cloud = cloud
        self.clock = clock or ManualClock()
        self.config = CloudConfig(**{"url": cloud.url, "auth": "token", **PATIENT, **config})
        self.store = LibraryStore.open(data_dir, self.clock)
        self.client = build_client(self.config, self.clock, governor=Unlimited(), data_dir=None)
        self.sync = self.make_sync()
        self.diff = CloudDiff(self.store, self.sync, self.client)

    def make_sync(self, **more) -> CloudSync:
        return CloudSync(
            self.store,
            self.client,
            self.config,
            self.clock,
            data_dir=self.data_dir,
            rng=random.Random(0),
            **more,
        )

    def close(self) -> None:
        self.client.close()
        self.store.close()

    def enrol(self, person_id: str, *seeds: int, groups: tuple[str, ...] = (), consent: bool = True) -> None:
        """Photographs of a person with consent to the cloud, or without."""
        details = PersonDetails(person_id=person_id, name=f"Name of {person_id}", groups=groups)
        for seed in seeds:
            face = NewFace(photo(seed), ".png", TEMPLATE, "model", Measures(face_px=120, detection=0.9))
            self.store.enrol(details, face)
        if consent:
            self.consent(person_id, True)

    def consent(self, person_id: str, given: bool) -> None:
        self.store.record_consent(person_id, "cloud", given=given, recorded_by="Office")

    def change(self, person_id: str, **more) -> None:
        person = self.store.get(person_id)
        fields = {name: getattr(person, name) for name in PersonDetails.__dataclass_fields__}
        self.store.update_person(PersonDetails(**{**fields, **more}))

    def settle(self) -> None:
        """Let the last change in the cloud take effect, then work the queue."""
        self.clock.advance(10)
        result = self.sync.run_once()
        assert result.trouble is None, result.trouble

    def queued(self) -> list[str]:
        return [entry.cloud_id for entry in self.sync.queue.entries()]
